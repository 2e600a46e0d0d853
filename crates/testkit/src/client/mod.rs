//! Clients for tests: one API, any transport, over real sockets.
//!
//! A [`Client`] is opened by a [`Connector`]: [`NativeConnector`] for the
//! native envelope, [`SocketIoConnector`] for Socket.IO over WebSocket, long
//! polling, or polling with an upgrade. A test written against [`Client`] runs
//! over all of them.
//!
//! ```no_run
//! # async fn example(addr: std::net::SocketAddr) {
//! use nest_gateway_testkit::client::{Client, NativeConnector};
//! use serde_json::json;
//!
//! let mut client = Client::of(NativeConnector::new(addr)).namespace("/chat").connect().await;
//! let reply = client.request("join", json!({"room": "a"})).await;
//! assert_eq!(reply.data(), &json!({"joined": "a"}));
//! client.emit("say", json!({"room": "a", "text": "hi"})).await;
//! client.close(1000, "bye").await;
//! client.expect_close().await;
//! # }
//! ```
//!
//! # Waiting
//! Nothing here sleeps. Each wait ends when what it waits for is there, when
//! the connection is over, or after the client's patience (5 s by default), and
//! then panics with the last frames in both directions. Messages that a wait
//! passes over are kept for later waits, as in a mailbox; [`Client::next_message`] and
//! [`Client::next_event`] take the oldest.
//!
//! Absence is proven by a round trip and not by silence: have the thing that
//! might have happened finished (wait for the reply to whoever causes it), then
//! call [`Client::refute_event`], which asks the server one more question and
//! looks at all that came before the answer.

mod builder;
mod expect;
mod frame;
pub mod http;
mod link;
mod message;
mod native;
mod pump;
mod raw;
mod remote;
mod socketio;
mod stream;
mod transcript;
mod upgrade;

pub use self::builder::ClientBuilder;
pub use self::frame::{ClientFrame, FrameError, ServerFrame, opcode};
pub use self::link::{
    Admitted, BoxFuture, COMMAND_CAPACITY, Command, ConnectOptions, Connector, FormerSession,
    INCOMING_CAPACITY, Incoming, Link,
};
pub use self::message::{
    CloseSeen, Ending, Event, Payload, Question, Refused, Reply, RequestId, StreamSeen, placeholder,
};
pub use self::native::NativeConnector;
pub use self::raw::RawConnection;
pub use self::remote::Remote;
pub use self::socketio::{SocketIoConnector, Transport};
pub use self::transcript::Transcript;

pub(crate) use self::http::{has_host, with_query};
pub(crate) use self::native::Envelope;
pub(crate) use self::pump::{Effects, Outgoing, Packet, Protocol, ended_by_us};

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// One connected client, of whatever transport.
///
/// Dropping it ends the connection without a goodbye once all that it was told
/// to send is written; use [`Client::close`] for the handshake and
/// [`Client::cut`] for a reset.
#[derive(Debug)]
pub struct Client {
    namespace: Arc<str>,
    commands: mpsc::Sender<(Arc<str>, Command)>,
    incoming: mpsc::Receiver<Incoming>,
    transcript: Transcript,
    admitted: Admitted,
    patience: Duration,
    /// What came and was not asked for yet.
    seen: VecDeque<Incoming>,
    received: u64,
    requests: u64,
    ended: Option<CloseSeen>,
    recovery_offset: Option<String>,
}

impl Client {
    /// Starts to describe a client of this transport.
    pub fn of(connector: impl Connector + 'static) -> ClientBuilder {
        ClientBuilder::new(Arc::new(connector))
    }

    /// A client on an open link.
    pub fn from_link(link: Link, namespace: &str, patience: Duration) -> Self {
        Self {
            namespace: namespace.into(),
            commands: link.commands,
            incoming: link.incoming,
            transcript: link.transcript,
            admitted: link.admitted,
            patience,
            seen: VecDeque::new(),
            received: 0,
            requests: 0,
            ended: None,
            recovery_offset: None,
        }
    }

    /// The namespace it is in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What the server said when it let the client in.
    pub fn admitted(&self) -> &Admitted {
        &self.admitted
    }

    /// The frames of its connection, for failure texts of your own.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Changes the longest wait for anything from now on.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// What a later client has to say to come back to this one's session, with the offset of the
    /// last event that was taken off the wire. `None` when the server offered no recovery, or has not told it yet.
    pub fn former_session(&self) -> Option<FormerSession> {
        Some(FormerSession {
            key: self.admitted.recovery_key.clone()?,
            offset: self.recovery_offset.clone(),
        })
    }

    /// Joins another namespace over the same connection, as Socket.IO can.
    pub async fn join_namespace(
        &self,
        namespace: &str,
        auth: Option<Value>,
    ) -> Result<Self, Refused> {
        let joining = socketio::join(
            self.commands.clone(),
            self.transcript.clone(),
            namespace.into(),
            auth,
        );
        let link = tokio::time::timeout(self.patience, joining)
            .await
            .unwrap_or_else(|_| Err(Refused::new("the server did not answer in time")))?;
        Ok(Self::from_link(link, namespace, self.patience))
    }

    // ---- sending ----

    /// Sends an event that wants no answer.
    pub async fn emit(&mut self, event: &str, data: impl Into<Payload>) {
        let event = event.to_owned();
        let payload = data.into();
        self.tell(Command::Emit { event, payload }).await;
    }

    /// Sends an event that wants an answer, and goes on without it.
    pub async fn ask(&mut self, event: &str, data: impl Into<Payload>) -> RequestId {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        self.ask_as(id.clone(), event, data).await;
        id
    }

    /// The same with an id of the test's choice (on Socket.IO an unsigned
    /// number).
    pub async fn ask_as(
        &mut self,
        id: impl Into<RequestId>,
        event: &str,
        data: impl Into<Payload>,
    ) {
        let id = id.into();
        let event = event.to_owned();
        let payload = data.into();
        self.tell(Command::Request { id, event, payload }).await;
    }

    /// Answers a question of the server.
    pub async fn answer(&mut self, question: &Question, data: impl Into<Payload>) {
        let id = question.id.clone();
        let payload = data.into();
        self.tell(Command::Answer { id, payload }).await;
    }

    /// Cancels what runs for a request.
    pub async fn cancel(&mut self, id: &RequestId) {
        self.tell(Command::Cancel(id.0.clone())).await;
    }

    /// Cancels all running streams of an event.
    pub async fn cancel_event(&mut self, event: &str) {
        self.tell(Command::Cancel(json!(event))).await;
    }

    /// Sends a text message as it is: no envelope, right or wrong.
    pub async fn send_raw_text(&mut self, text: impl Into<String>) {
        self.tell(Command::Text(text.into())).await;
    }

    /// Sends a binary message as it is.
    pub async fn send_raw_binary(&mut self, bytes: impl Into<Bytes>) {
        self.tell(Command::Binary(bytes.into())).await;
    }

    /// Sends a WebSocket frame, right or wrong. Not possible on long polling.
    pub async fn send_frame(&mut self, frame: ClientFrame) {
        self.tell(Command::Frame(frame)).await;
    }

    /// Writes bytes to the TCP connection; on long polling, a POST body.
    pub async fn send_raw_bytes(&mut self, bytes: impl Into<Bytes>) {
        self.tell(Command::Bytes(bytes.into())).await;
    }

    // ---- the connection ----

    /// Leaves the namespace; the connection stays for others that share it.
    pub async fn leave(&mut self) {
        self.tell(Command::Leave).await;
    }

    /// Starts the transport's close handshake. On Socket.IO the namespace is
    /// left, and the connection closed if no other namespace uses it.
    pub async fn close(&mut self, code: u16, reason: &str) {
        let reason = reason.to_owned();
        self.tell(Command::Close { code, reason }).await;
    }

    /// Resets the TCP connection: no close frame, no FIN.
    pub async fn cut(&mut self) {
        self.tell(Command::Cut).await;
    }

    /// Reads nothing more from the socket, so that the server's writes fill
    /// first the kernel's buffers and then its own.
    pub async fn stop_reading(&mut self) {
        self.tell(Command::StopReading).await;
    }

    /// Reads again.
    pub async fn resume_reading(&mut self) {
        self.tell(Command::ResumeReading).await;
    }

    /// Leaves the server's heartbeat unanswered from now on.
    pub async fn ignore_pings(&mut self) {
        self.tell(Command::IgnorePings).await;
    }

    /// Changes from long polling to WebSocket; does nothing on a WebSocket.
    pub async fn upgrade(&mut self) -> Result<(), Refused> {
        let (done, result) = oneshot::channel();
        self.tell(Command::Upgrade(done)).await;
        match tokio::time::timeout(self.patience, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refused::new("the connection is over")),
            Err(_) => Err(Refused::new("the upgrade was not done in time")),
        }
    }

    /// A command to a driver that has ended does nothing: the test learns of
    /// the end, and why, from its next wait.
    async fn tell(&mut self, command: Command) {
        let command = (self.namespace.clone(), command);
        let sending = self.commands.send(command);
        let sent = tokio::time::timeout(self.patience, sending).await;
        assert!(
            sent.is_ok(),
            "the server took nothing for {:?}\n{}",
            self.patience,
            self.transcript
        );
    }

    // ---- receiving; expectations are in expect.rs ----

    /// Takes the oldest message, whatever it is.
    #[track_caller]
    pub fn next_message(&mut self) -> impl Future<Output = Incoming> + Send + '_ {
        let at = Location::caller();
        async move {
            self.wait(at, "any message", |seen, _| seen.pop_front())
                .await
        }
    }

    /// Waits until `pick` finds what it looks for among what came, from the
    /// given place on.
    async fn wait<T>(
        &mut self,
        at: &Location<'_>,
        what: &str,
        mut pick: impl FnMut(&mut VecDeque<Incoming>, usize) -> Option<T>,
    ) -> T {
        let deadline = tokio::time::Instant::now() + self.patience;
        // What was looked at once is not looked at again.
        let mut from = 0;
        loop {
            if let Some(found) = pick(&mut self.seen, from) {
                return found;
            }
            if let Some(Incoming::Violation(text)) = self
                .seen
                .iter()
                .skip(from)
                .find(|seen| matches!(seen, Incoming::Violation(_)))
            {
                self.fail(at, what, &format!("a breach of the protocol: {text}"));
            }
            if let Some(closed) = &self.ended {
                self.fail(at, what, &format!("the connection ended: {closed:?}"));
            }
            from = self.seen.len();
            match tokio::time::timeout_at(deadline, self.incoming.recv()).await {
                Ok(Some(incoming)) => self.keep(incoming),
                Ok(None) => self.fail(at, what, "the client's driver is gone"),
                Err(_) => {
                    let waiting = self.describe_seen();
                    self.fail(
                        at,
                        what,
                        &format!("nothing for {:?}{waiting}", self.patience),
                    );
                }
            }
        }
    }

    /// Takes in what is there already, without waiting.
    fn drain(&mut self) {
        while let Ok(incoming) = self.incoming.try_recv() {
            self.keep(incoming);
        }
    }

    fn keep(&mut self, mut incoming: Incoming) {
        self.received += 1;
        match &mut incoming {
            Incoming::Event(event) => {
                event.order = self.received;
                if event.offset.is_some() {
                    self.recovery_offset.clone_from(&event.offset);
                } else if self.admitted.recovery_key.is_some()
                    && let Some(Value::String(offset)) = event.args.last()
                {
                    self.recovery_offset = Some(offset.clone());
                }
            }
            Incoming::Reply(reply) => reply.order = self.received,
            Incoming::Question(question) => question.order = self.received,
            Incoming::Closed(closed) => self.ended = Some(closed.clone()),
            Incoming::Session {
                key,
                recovered,
                offset,
            } => {
                self.admitted.recovery_key = Some(std::mem::take(key));
                self.admitted.recovered = *recovered;
                self.recovery_offset = offset.take().or(self.recovery_offset.take());
                // Not for the test, which cannot tell when it comes.
                return;
            }
            Incoming::Binary(_) | Incoming::Violation(_) => {}
        }
        self.seen.push_back(incoming);
    }

    fn describe_seen(&self) -> String {
        if self.seen.is_empty() {
            return String::new();
        }
        let kinds: Vec<String> = self.seen.iter().take(10).map(describe).collect();
        format!(
            "; {} other messages wait: {}",
            self.seen.len(),
            kinds.join(", ")
        )
    }

    fn fail(&self, at: &Location<'_>, what: &str, instead: &str) -> ! {
        panic!(
            "expected {what} in {}, but saw {instead}\n  at {at}\n{}",
            self.namespace, self.transcript
        )
    }
}

fn describe(incoming: &Incoming) -> String {
    match incoming {
        Incoming::Event(event) => format!("event {}", event.name),
        Incoming::Reply(reply) => format!("reply to {}", reply.id),
        Incoming::Question(question) => format!("question {}", question.event),
        Incoming::Session { .. } => "a session".to_owned(),
        Incoming::Binary(bytes) => format!("{} bytes", bytes.len()),
        Incoming::Violation(text) => format!("violation: {text}"),
        Incoming::Closed(closed) => format!("{closed:?}"),
    }
}
