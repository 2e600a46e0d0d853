//! The client's side of a client in memory.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use nest_gateway_core::adapter::{Admission, Host, Refusal};
use nest_gateway_core::handshake::Handshake;
use tokio::sync::mpsc;

use super::adapter::{NAME, serve};
use super::outlet::{MemoryOutlet, Read};
use super::{Line, Sent, WIRE_CAPACITY};
use crate::client::{
    Admitted, BoxFuture, COMMAND_CAPACITY, CloseSeen, Command, ConnectOptions, Connector, Ending,
    INCOMING_CAPACITY, Link, Refused, Transcript,
};
use crate::client::{
    Effects, Envelope, Outgoing, Packet, Protocol, ended_by_us, has_host, with_query,
};

/// Opens clients in the application's own process.
#[derive(Clone, Debug)]
pub struct MemoryConnector {
    host: Arc<OnceLock<Arc<Host>>>,
}

impl MemoryConnector {
    pub(super) fn new(host: Arc<OnceLock<Arc<Host>>>) -> Self {
        Self { host }
    }

    async fn open(&self, options: ConnectOptions) -> Result<Link, Refused> {
        if options.auth.is_some() {
            return Err(Refused::new("memory clients have no auth payload"));
        }
        let host = self
            .host
            .get()
            .ok_or_else(|| Refused::new("the application is not built yet"))?;
        let admission = admit(host, &options).await?;
        let (to_server, line) = mpsc::channel(WIRE_CAPACITY);
        let outlet = Arc::new(MemoryOutlet::new(Arc::clone(host.config())));
        host.spawn(serve(admission, Arc::clone(&outlet), line));

        let (commands, command_queue) = mpsc::channel(COMMAND_CAPACITY);
        let (deliver, incoming) = mpsc::channel(INCOMING_CAPACITY);
        let transcript = Transcript::new();
        let driver = Driver {
            line: Some(Line {
                to_server,
                from_server: outlet,
            }),
            envelope: Envelope::new(deliver),
            effects: Effects::default(),
            pending: VecDeque::new(),
            transcript: transcript.clone(),
            reading: true,
        };
        tokio::spawn(driver.run(command_queue));
        Ok(Link {
            commands,
            incoming,
            transcript,
            admitted: Admitted::default(),
        })
    }
}

impl Connector for MemoryConnector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<Link, Refused>> {
        Box::pin(self.open(options))
    }
}

async fn admit(host: &Host, options: &ConnectOptions) -> Result<Admission, Refused> {
    let found = host.find(&options.namespace, NAME).ok_or_else(|| Refused {
        status: Some(404),
        ..Refused::new("no such namespace")
    })?;
    let handshake = handshake(options)?;
    host.admit(found, handshake, NAME, false)
        .await
        .map_err(|refusal| refused(&refusal))
}

fn handshake(options: &ConnectOptions) -> Result<Handshake, Refused> {
    let target = with_query(&options.namespace, &options.query);
    let mut request = http::Request::get(target);
    if !has_host(&options.headers) {
        request = request.header("host", NAME);
    }
    for (name, value) in &options.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(())
        .map_err(|error| Refused::new(format!("not a request: {error}")))?;
    Ok(Handshake::from_http(&request.into_parts().0))
}

fn refused(refusal: &Refusal) -> Refused {
    Refused {
        status: Some(refusal.status()),
        ..Refused::new(refusal.message())
    }
}

/// Moves messages between the test and the queues.
struct Driver {
    /// `None` once the client has cut it.
    line: Option<Line>,
    envelope: Envelope,
    effects: Effects,
    /// What the server has not taken yet.
    pending: VecDeque<Sent>,
    transcript: Transcript,
    reading: bool,
}

impl Driver {
    async fn run(mut self, mut commands: mpsc::Receiver<(Arc<str>, Command)>) {
        let seen = loop {
            self.encode_effects();
            let Some(line) = &self.line else {
                break ended_by_us("cut");
            };
            let to_server = line.to_server.clone();
            let can_read = self.reading && !self.effects.is_full();
            tokio::select! {
                permit = to_server.reserve(), if !self.pending.is_empty() => {
                    let sent = self.pending.pop_front();
                    // A session that has ended says so by its close message.
                    if let (Ok(permit), Some(sent)) = (permit, sent) {
                        permit.send(sent);
                    }
                }
                read = line.from_server.next(), if can_read => match read {
                    Read::Message(bytes) => {
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        self.transcript.received(&text);
                        self.envelope.on_packet(Packet::Text(text), &mut self.effects);
                    }
                    Read::Closed(code, reason) => {
                        self.transcript.received(format!("close {code} {reason}"));
                        break closed(code, reason);
                    }
                },
                () = self.effects.deliver_next() => {}
                command = commands.recv(), if self.pending.len() < COMMAND_CAPACITY => {
                    match command {
                        Some((namespace, command)) => self.command(&namespace, command),
                        None => return self.flush().await,
                    }
                }
            }
        };
        self.line = None;
        self.envelope.on_end(&seen, &mut self.effects);
        self.effects.deliver_all().await;
    }

    fn command(&mut self, namespace: &Arc<str>, command: Command) {
        match command {
            Command::Text(text) => self.effects.text(text),
            Command::Binary(bytes) => self.effects.binary(bytes),
            Command::StopReading => self.reading = false,
            Command::ResumeReading => self.reading = true,
            Command::Cut => {
                self.transcript.sent("(cut)");
                self.line = None;
            }
            other => self
                .envelope
                .on_command(namespace, other, &mut self.effects),
        }
    }

    fn encode_effects(&mut self) {
        while let Some(outgoing) = self.effects.send.pop_front() {
            let sent = match outgoing {
                Outgoing::Packet(Packet::Text(text)) => {
                    self.transcript.sent(&text);
                    Sent::Text(text)
                }
                Outgoing::Packet(Packet::Binary(bytes)) => {
                    self.transcript.sent(format!("[{} bytes]", bytes.len()));
                    Sent::Binary(bytes)
                }
                Outgoing::Close(code, reason) => {
                    self.transcript.sent(format!("close {code} {reason}"));
                    Sent::Close(code, reason)
                }
            };
            self.pending.push_back(sent);
        }
    }

    /// Sends what waits when nobody holds the client any more.
    async fn flush(mut self) {
        let Some(line) = self.line.take() else { return };
        for sent in self.pending.drain(..) {
            if line.to_server.send(sent).await.is_err() {
                return;
            }
        }
    }
}

fn closed(code: u16, reason: String) -> CloseSeen {
    CloseSeen {
        code,
        reason,
        by: if code == 1006 {
            Ending::Reset
        } else {
            Ending::CloseFrame
        },
    }
}
