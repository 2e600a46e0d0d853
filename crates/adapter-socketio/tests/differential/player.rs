//! Plays a scenario against a server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nest_gateway_testkit::client::{ClientFrame, RawConnection, http, opcode};

use crate::peers::Peer;
use crate::script::{Scenario, Step};

struct Player<'a> {
    peer: &'a Peer,
    sockets: BTreeMap<String, RawConnection>,
    /// The session that was opened by a request last.
    sid: String,
    /// Whether pings are part of what is seen; else they are answered and passed over.
    sees_pings: bool,
}

/// Plays all steps; the first one that is answered otherwise ends it.
pub(crate) async fn play(peer: &Peer, scenario: &Scenario) -> Result<(), String> {
    let mut player = Player {
        peer,
        sockets: BTreeMap::new(),
        sid: String::new(),
        sees_pings: scenario.ping.is_some(),
    };
    for (index, step) in scenario.steps.iter().enumerate() {
        let expected = step.expected(peer.name);
        let seen = player.step(step, expected.len()).await;
        if seen != expected {
            return Err(format!(
                "{} at step {index} saw\n    {seen:?}\n  and not\n    {expected:?}",
                peer.name
            ));
        }
    }
    player.nothing_else().await
}

impl Player<'_> {
    async fn step(&mut self, step: &Step, frames: usize) -> Vec<String> {
        if let Some((name, query)) = &step.open {
            return vec![self.open(name, query).await];
        }
        if let Some((method, query, body)) = &step.request {
            return self.request((method, query, body), frames).await;
        }
        if let Some((name, text)) = &step.text {
            self.socket(name)
                .send(&ClientFrame::text(text.as_str()))
                .await;
        }
        if let Some((name, bytes)) = &step.bytes {
            let bytes = STANDARD.decode(bytes).expect("the script has base64");
            self.socket(name).send(&ClientFrame::binary(bytes)).await;
        }
        let mut seen = Vec::new();
        if let Some(name) = &step.read {
            while seen.len() < frames {
                let frame = self.frame(name).await;
                let is_end = frame == "end";
                seen.push(frame);
                if is_end {
                    self.sockets.remove(name);
                    break;
                }
            }
        }
        seen
    }

    fn socket(&mut self, name: &str) -> &mut RawConnection {
        self.sockets.get_mut(name).expect("the script opened it")
    }

    async fn open(&mut self, name: &str, query: &str) -> String {
        let path = format!("/socket.io/?{}", query.replace("{sid}", &self.sid));
        match RawConnection::upgrade(self.peer.addr, &path, &[]).await {
            Ok(socket) => {
                self.sockets.insert(name.to_owned(), socket);
                "101".to_owned()
            }
            Err(refused) => refused.status.map_or("end".to_owned(), |s| s.to_string()),
        }
    }

    async fn request(
        &mut self,
        (method, query, body): (&str, &str, &str),
        frames: usize,
    ) -> Vec<String> {
        let path = format!("/socket.io/?{}", query.replace("{sid}", &self.sid));
        let plain = ("content-type".to_owned(), "text/plain".to_owned());
        let mut seen = Vec::new();
        loop {
            let headers = std::slice::from_ref(&plain);
            let sent = http::send(self.peer.addr, method, &path, headers, body.as_bytes());
            let answer = sent.await.expect("an answer");
            if seen.is_empty() {
                seen.push(answer.status.to_string());
            }
            for packet in answer.text().split('\u{1e}') {
                if packet.starts_with("0{")
                    && let Some(sid) = sid(packet)
                {
                    sid.clone_into(&mut self.sid);
                }
                if self.sees_pings || packet != "2" {
                    seen.push(normal(packet));
                }
            }
            // One poll may bring a part of what is expected.
            if method != "GET" || seen.len() >= frames || answer.status != 200 {
                return seen;
            }
        }
    }

    /// The next frame as a line.
    async fn frame(&mut self, name: &str) -> String {
        let sees_pings = self.sees_pings;
        let socket = self.socket(name);
        loop {
            let Some(frame) = socket.frame().await else {
                return "end".to_owned();
            };
            match frame.opcode {
                opcode::TEXT => {
                    let text = String::from_utf8_lossy(&frame.payload).into_owned();
                    if text == "2" {
                        socket.send(&ClientFrame::text("3")).await;
                        if !sees_pings {
                            continue;
                        }
                    }
                    return normal(&text);
                }
                opcode::BINARY => return format!("bytes {}", STANDARD.encode(&frame.payload)),
                opcode::CLOSE => return "end".to_owned(),
                _ => {}
            }
        }
    }

    /// Asks each WebSocket that is still open for a pong, which has to be the next frame.
    async fn nothing_else(mut self) -> Result<(), String> {
        for (name, mut socket) in std::mem::take(&mut self.sockets) {
            socket.send(&ClientFrame::new(opcode::PING, "done")).await;
            loop {
                let frame = socket.frame().await;
                let frame = frame.ok_or(format!("{name} ended unseen"))?;
                match (frame.opcode, &frame.payload[..]) {
                    (opcode::PONG, _) => break,
                    (opcode::TEXT, b"2") => {}
                    _ => return Err(format!("{}: {name} saw more: {frame}", self.peer.name)),
                }
            }
        }
        Ok(())
    }
}

fn sid(packet: &str) -> Option<&str> {
    let behind = packet.split_once(r#""sid":""#)?.1;
    behind.split_once('"').map(|(sid, _)| sid)
}

/// Ids are random.
fn normal(packet: &str) -> String {
    match sid(packet) {
        Some(sid) if packet.starts_with('0') || packet.starts_with("40") => {
            packet.replace(sid, "<sid>")
        }
        _ => packet.to_owned(),
    }
}
