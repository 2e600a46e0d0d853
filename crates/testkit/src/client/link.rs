//! The seam between the [`Client`](super::Client) that tests hold and the
//! driver that speaks a transport.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::frame::ClientFrame;
use super::message::{CloseSeen, Event, Payload, Question, Refused, Reply, RequestId};
use super::transcript::Transcript;

/// Messages a driver holds for a test before it stops reading from its socket.
pub const INCOMING_CAPACITY: usize = 16 * 1024;

/// Commands a test may be ahead of its driver.
pub const COMMAND_CAPACITY: usize = 64;

/// A boxed future, as a [`Connector`] returns it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Opens clients of one transport against one server.
///
/// Whoever writes an adapter implements this for the client side of it, and
/// gets the whole [`Client`](super::Client) API and the conformance suite.
/// `connect` is called for each client; it ends when the server has accepted
/// or refused that client, and leaves a driver task behind that
/// - does what [`Command`]s say, in order,
/// - delivers what the server sends as [`Incoming`], in order, and waits when
///   that channel is full,
/// - delivers [`Incoming::Closed`] last, exactly once,
/// - ends when every sender of its command channel is gone.
pub trait Connector: Send + Sync {
    /// A short name for failure texts and test names, such as `native`.
    fn name(&self) -> &str;

    /// Opens one client.
    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<Link, Refused>>;
}

impl<C: Connector + ?Sized> Connector for Arc<C> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<Link, Refused>> {
        (**self).connect(options)
    }
}

/// How a client wants to be let in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The namespace, `/` by default.
    pub namespace: String,
    /// Header lines of every HTTP request of the client.
    pub headers: Vec<(String, String)>,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Credentials: Socket.IO's CONNECT payload. Transports without one
    /// refuse a client that has it, since dropping it would test nothing.
    pub auth: Option<Value>,
    /// A session to come back to.
    pub former: Option<FormerSession>,
    /// Subprotocols that a WebSocket upgrade offers.
    pub subprotocols: Vec<String>,
    /// Size of the socket's receive buffer in bytes; the system's default if
    /// absent. A small one makes a slow client visible to the server early.
    pub receive_buffer: Option<u32>,
    /// Longest wait for anything, 5 s by default.
    pub patience: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            namespace: "/".to_owned(),
            headers: Vec::new(),
            query: Vec::new(),
            auth: None,
            former: None,
            subprotocols: Vec::new(),
            receive_buffer: None,
            patience: Duration::from_secs(5),
        }
    }
}

/// What a client has to say to come back to a session that it lost: `session` and `offset` on
/// the native wire, `pid` and `offset` on Socket.IO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerSession {
    /// The secret by which the server knows the session.
    pub key: String,
    /// The offset of the last event that the client got, if there was any.
    pub offset: Option<String>,
}

/// The test's end of a connected client.
#[derive(Debug)]
pub struct Link {
    /// Commands to the driver, each for a namespace.
    pub commands: mpsc::Sender<(Arc<str>, Command)>,
    /// What the server sends.
    pub incoming: mpsc::Receiver<Incoming>,
    /// The frames of the connection.
    pub transcript: Transcript,
    /// What the server said when it let the client in.
    pub admitted: Admitted,
}

/// What the server said when it let a client in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Admitted {
    /// The client's id, where the transport tells it (Socket.IO's `sid`).
    pub id: Option<String>,
    /// The key to connection state recovery (Socket.IO's `pid`).
    pub recovery_key: Option<String>,
    /// Whether the client came back to its former session.
    pub recovered: bool,
    /// The accepted subprotocol.
    pub subprotocol: Option<String>,
}

/// What a test wants a driver to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Command {
    /// Send an event that wants no answer.
    Emit {
        /// The event's name.
        event: String,
        /// Its data.
        payload: Payload,
    },
    /// Send an event that wants an answer.
    Request {
        /// Joins the answer with the request.
        id: RequestId,
        /// The event's name.
        event: String,
        /// Its data.
        payload: Payload,
    },
    /// Answer a question of the server.
    Answer {
        /// The question's id.
        id: RequestId,
        /// The answer.
        payload: Payload,
    },
    /// Cancel a running stream, by request id or by event name.
    Cancel(Value),
    /// Join a further namespace over the same connection.
    Join {
        /// The CONNECT payload.
        auth: Option<Value>,
        /// Where that namespace's messages go.
        incoming: mpsc::Sender<Incoming>,
        /// How it ended.
        result: oneshot::Sender<Result<Admitted, Refused>>,
    },
    /// Leave the namespace, keep the connection if others use it.
    Leave,
    /// Close the connection with the transport's handshake.
    Close {
        /// The close frame's code.
        code: u16,
        /// The close frame's text.
        reason: String,
    },
    /// Send a text message as it is, without the transport's envelope.
    Text(String),
    /// Send a binary message as it is.
    Binary(Bytes),
    /// Send a WebSocket frame, right or wrong.
    Frame(ClientFrame),
    /// Write bytes to the TCP connection (a POST body on long polling).
    Bytes(Bytes),
    /// Read nothing until [`Command::ResumeReading`].
    StopReading,
    /// Read again.
    ResumeReading,
    /// Leave the server's pings unanswered.
    IgnorePings,
    /// Change from long polling to WebSocket.
    Upgrade(oneshot::Sender<Result<(), Refused>>),
    /// Reset the TCP connection without a goodbye.
    Cut,
}

/// What a driver tells a test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// An event.
    Event(Event),
    /// An answer to a request, or a part of it.
    Reply(Reply),
    /// A question of the server.
    Question(Question),
    /// What a client has to say to come back, where an event tells it.
    Session {
        /// The secret by which the server knows the session.
        key: String,
        /// Whether it is a former session, to which the client has come back.
        recovered: bool,
        /// The offset to begin with.
        offset: Option<String>,
    },
    /// A binary message without an envelope.
    Binary(Bytes),
    /// The server broke the transport's rules; the text says how.
    Violation(String),
    /// The end. Nothing follows.
    Closed(CloseSeen),
}
