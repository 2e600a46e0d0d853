//! Engine.IO's long polling: one GET that waits, one POST that carries.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::session::Session;
use crate::client::http::{self, HttpConnection, HttpResponse};
use crate::client::link::{BoxFuture, Command};
use crate::client::message::{CloseSeen, Ending, Refused};
use crate::client::pump::{Commands, Effects, Outgoing, Packet, Protocol as _, ended_by_us};
use crate::client::remote::Remote;
use crate::client::transcript::Transcript;
use crate::client::upgrade::{self, Upgraded};

/// Separates the packets of a payload (Engine.IO protocol revision 4).
pub(super) const SEPARATOR: char = '\u{1e}';

/// Packets in one body: CONTRACT 10's limit for polling.
const MAX_PACKETS: usize = 64;

/// Where an Engine.IO session lives.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) remote: Remote,
    /// Path and query without `transport` and `sid`.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) subprotocols: Vec<String>,
    pub(super) receive_buffer: Option<u32>,
    pub(super) transcript: Transcript,
}

impl Endpoint {
    pub(super) fn target(&self, transport: &str, sid: Option<&str>) -> String {
        let mut query = vec![("transport".to_owned(), transport.to_owned())];
        query.extend(sid.map(|sid| ("sid".to_owned(), sid.to_owned())));
        http::with_query(&self.path, &query)
    }

    pub(super) async fn websocket(&self, sid: Option<&str>) -> Result<Upgraded, Refused> {
        upgrade::upgrade(
            &self.remote,
            &self.target("websocket", sid),
            &self.headers,
            &self.subprotocols,
            self.receive_buffer,
            &self.transcript,
        )
        .await
    }
}

/// How long a GET is heard out after a POST was told that the session is gone.
const HEAR_OUT: Duration = Duration::from_secs(1);

type Exchange = BoxFuture<'static, (HttpConnection, io::Result<HttpResponse>)>;
type Probe = BoxFuture<'static, Result<Upgraded, Refused>>;

/// A session on long polling.
pub(super) struct Polling {
    endpoint: Endpoint,
    sid: String,
    session: Session,
    effects: Effects,
    /// Packets for the next POST.
    queue: VecDeque<String>,
    max_payload: usize,
    getting: Option<Exchange>,
    posting: Option<Exchange>,
    probing: Option<(Probe, oneshot::Sender<Result<(), Refused>>)>,
    /// A probed WebSocket that waits for the last GET to end; the server ends
    /// it with a NOOP once it has seen the probe.
    upgraded: Option<(Upgraded, oneshot::Sender<Result<(), Refused>>)>,
    get: Option<HttpConnection>,
    post: Option<HttpConnection>,
    reading: bool,
    closing: bool,
}

/// How polling ended.
pub(super) enum Outcome {
    /// The session goes on over a WebSocket.
    Upgraded(Box<(Upgraded, Session, Effects)>),
    /// It is over.
    Ended,
}

enum Turn {
    Got(HttpConnection, io::Result<HttpResponse>),
    Posted(HttpConnection, io::Result<HttpResponse>),
    Probed(Result<Upgraded, Refused>),
    Delivered,
    Command(Option<(Arc<str>, Command)>),
}

impl Polling {
    pub(super) fn new(
        endpoint: Endpoint,
        sid: String,
        max_payload: usize,
        session: Session,
        effects: Effects,
    ) -> Self {
        Self {
            get: Some(HttpConnection::new(endpoint.remote.clone())),
            post: Some(HttpConnection::new(endpoint.remote.clone())),
            endpoint,
            sid,
            session,
            effects,
            queue: VecDeque::new(),
            max_payload,
            getting: None,
            posting: None,
            probing: None,
            upgraded: None,
            reading: true,
            closing: false,
        }
    }

    pub(super) async fn run(mut self, commands: &mut Commands) -> Outcome {
        let seen = loop {
            self.encode_effects();
            if let Some(seen) = self.effects.ended.take() {
                break seen;
            }
            if self.closing && self.queue.is_empty() && self.posting.is_none() {
                break ended_by_us("closed");
            }
            self.start_exchanges();
            if self.getting.is_none()
                && self.posting.is_none()
                && let Some((upgraded, done)) = self.upgraded.take()
            {
                // Nobody waits when the test was given up; that is its choice.
                let _ = done.send(Ok(()));
                self.effects.text("5");
                self.requeue();
                return Outcome::Upgraded(Box::new((upgraded, self.session, self.effects)));
            }
            match self.turn(commands).await {
                Turn::Command(None) => {
                    self.flush().await;
                    return Outcome::Ended;
                }
                Turn::Command(Some((_, Command::Cut))) => {
                    self.cut();
                    break ended_by_us("cut");
                }
                Turn::Command(Some((namespace, command))) => self.command(&namespace, command),
                Turn::Got(connection, result) => {
                    self.get = Some(connection);
                    if let Some(seen) = self.got(result) {
                        break seen;
                    }
                }
                Turn::Posted(connection, result) => {
                    self.post = Some(connection);
                    if let Some(seen) = self.posted(&result) {
                        self.hear_out().await;
                        break self.effects.ended.take().unwrap_or(seen);
                    }
                }
                Turn::Probed(result) => self.probed(result),
                Turn::Delivered => {}
            }
        };
        self.session.on_end(&seen, &mut self.effects);
        self.effects.deliver_all().await;
        Outcome::Ended
    }

    /// What a GET brings that is already on its way came before the end: the
    /// two run on connections of their own, so that the news of the end may be
    /// faster.
    async fn hear_out(&mut self) {
        if let Some(getting) = self.getting.take()
            && let Ok((_, result)) = tokio::time::timeout(HEAR_OUT, getting).await
        {
            self.got(result);
        }
    }

    async fn turn(&mut self, commands: &mut Commands) -> Turn {
        tokio::select! {
            (connection, result) = pending_or(self.getting.as_mut()) => {
                self.getting = None;
                Turn::Got(connection, result)
            }
            (connection, result) = pending_or(self.posting.as_mut()) => {
                self.posting = None;
                Turn::Posted(connection, result)
            }
            result = pending_or(self.probing.as_mut().map(|(probe, _)| probe)) => {
                Turn::Probed(result)
            }
            () = self.effects.deliver_next() => Turn::Delivered,
            command = commands.recv(), if self.queue.len() < 1024 => Turn::Command(command),
        }
    }

    fn start_exchanges(&mut self) {
        let may_get = self.reading
            && self.upgraded.is_none()
            && !self.closing
            && !self.effects.is_full()
            && self.getting.is_none();
        if may_get && let Some(connection) = self.get.take() {
            self.getting = Some(self.exchange(connection, "GET", Bytes::new()));
        }
        // While an upgrade completes, packets wait for the WebSocket.
        if self.posting.is_none()
            && self.upgraded.is_none()
            && !self.queue.is_empty()
            && let Some(connection) = self.post.take()
        {
            let body = self.next_body();
            self.endpoint.transcript.sent(format!("POST {body}"));
            self.posting = Some(self.exchange(connection, "POST", body.into()));
        }
    }

    fn exchange(&self, mut http: HttpConnection, method: &'static str, body: Bytes) -> Exchange {
        let target = self.endpoint.target("polling", Some(&self.sid));
        let headers = self.endpoint.headers.clone();
        Box::pin(async move {
            let result = http.request(method, &target, &headers, &body).await;
            (http, result)
        })
    }

    fn next_body(&mut self) -> String {
        let mut body = self.queue.pop_front().unwrap_or_default();
        let mut packets = 1;
        while let Some(next) = self.queue.front()
            && packets < MAX_PACKETS
            && body.len() + next.len() < self.max_payload
        {
            body.push(SEPARATOR);
            body.push_str(next);
            self.queue.pop_front();
            packets += 1;
        }
        body
    }

    fn encode_effects(&mut self) {
        while let Some(outgoing) = self.effects.send.pop_front() {
            match outgoing {
                Outgoing::Packet(Packet::Text(text)) => self.queue.push_back(text),
                Outgoing::Packet(Packet::Binary(bytes)) => {
                    self.queue.push_back(format!("b{}", STANDARD.encode(bytes)));
                }
                Outgoing::Close(..) => {
                    self.queue.push_back("1".to_owned());
                    self.closing = true;
                }
            }
        }
    }

    /// Gives packets that no POST carried back to the session's effects.
    fn requeue(&mut self) {
        while let Some(text) = self.queue.pop_front() {
            match text.strip_prefix('b').map(|text| STANDARD.decode(text)) {
                Some(Ok(bytes)) => self.effects.binary(bytes.into()),
                _ => self.effects.text(text),
            }
        }
    }

    fn command(&mut self, namespace: &Arc<str>, command: Command) {
        match command {
            Command::Text(text) => self.effects.text(text),
            Command::Binary(bytes) => self.effects.binary(bytes),
            Command::Bytes(bytes) => {
                self.queue
                    .push_back(String::from_utf8_lossy(&bytes).into_owned());
            }
            Command::StopReading => self.reading = false,
            Command::ResumeReading => self.reading = true,
            Command::IgnorePings => self.effects.ignore_pings = true,
            Command::Upgrade(done) => {
                let probe = probe(self.endpoint.clone(), self.sid.clone());
                self.probing = Some((Box::pin(probe), done));
            }
            other => self.session.on_command(namespace, other, &mut self.effects),
        }
    }

    fn got(&mut self, result: io::Result<HttpResponse>) -> Option<CloseSeen> {
        let response = match result {
            Ok(response) if response.status == 200 => response,
            other => return Some(self.failed("GET", &other)),
        };
        let body = response.text();
        self.endpoint.transcript.received(format!("GET {body}"));
        for packet in body.split(SEPARATOR) {
            let packet = match packet.strip_prefix('b').map(|text| STANDARD.decode(text)) {
                Some(Ok(bytes)) => Packet::Binary(bytes.into()),
                _ => Packet::Text(packet.to_owned()),
            };
            self.session.on_packet(packet, &mut self.effects);
        }
        None
    }

    fn posted(&mut self, result: &io::Result<HttpResponse>) -> Option<CloseSeen> {
        match result {
            Ok(response) if response.status == 200 => None,
            _ if self.closing => Some(ended_by_us("closed")),
            other => Some(self.failed("POST", other)),
        }
    }

    fn failed(&self, method: &str, result: &io::Result<HttpResponse>) -> CloseSeen {
        let reason = match result {
            Ok(response) => format!("HTTP {}: {}", response.status, response.text()),
            Err(error) => error.to_string(),
        };
        self.endpoint
            .transcript
            .received(format!("{method} {reason}"));
        CloseSeen {
            code: 1006,
            reason,
            by: Ending::Http,
        }
    }

    fn probed(&mut self, result: Result<Upgraded, Refused>) {
        let Some((_, done)) = self.probing.take() else {
            return;
        };
        match result {
            Ok(upgraded) => self.upgraded = Some((upgraded, done)),
            // Nobody waits when the test was given up; that is its choice.
            Err(refused) => drop(done.send(Err(refused))),
        }
    }

    /// Posts what waits when nobody holds the client any more.
    async fn flush(&mut self) {
        self.reading = false;
        self.encode_effects();
        self.start_exchanges();
        while let Some(exchange) = self.posting.take() {
            let (connection, _) = exchange.await;
            self.post = Some(connection);
            self.start_exchanges();
        }
    }

    fn cut(&mut self) {
        self.endpoint.transcript.sent("(reset)");
        for connection in [&mut self.get, &mut self.post].into_iter().flatten() {
            connection.reset();
        }
        self.getting = None;
        self.posting = None;
    }
}

/// Opens a WebSocket for the session and waits for the probe's answer.
async fn probe(endpoint: Endpoint, sid: String) -> Result<Upgraded, Refused> {
    let mut upgraded = endpoint.websocket(Some(&sid)).await?;
    super::exchange_probe(&mut upgraded, &endpoint.transcript).await?;
    Ok(upgraded)
}

async fn pending_or<F: Future + Unpin>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
