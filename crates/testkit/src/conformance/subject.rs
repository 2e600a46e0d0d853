//! What is under test: an adapter, its client, and what they can do.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use nest_gateway::{AppBuilder, ListenError, Recovery};

use super::{PROPERTIES, Served};
use crate::client::{BoxFuture, Connector, Remote};

/// Something a property needs and not every transport has.
///
/// A property that is listed for an adapter without the power fails, so that a
/// list says the truth; the suite's own test compares lists with powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Power {
    /// A client can ask for an answer.
    Requests,
    /// The server can ask a client.
    Questions,
    /// Replies are events with the request's id (the native envelope).
    RepliesAsEvents,
    /// Replies are acks without an event (Socket.IO).
    RepliesAsAcks,
    /// Text messages are the JSON envelope of CONTRACT 2.
    Envelope,
    /// Request ids may be texts.
    TextIds,
    /// Events can carry binary.
    BinaryData,
    /// Messages without an envelope can be binary.
    BinaryMessages,
    /// Codes and texts of the application's own go both ways at the close.
    CloseCodes,
    /// One connection can join several namespaces.
    Multiplexing,
    /// The handshake has headers and a query.
    Headers,
    /// The handshake can carry an auth payload.
    AuthPayload,
    /// A refusal is an HTTP status.
    RefusesByStatus,
    /// A client can send before `on_connection` has ended.
    TalksEarly,
    /// There is an HTTP port, with plain requests at the namespaces' paths.
    HttpPaths,
    /// Clients come over TCP, to the application's port.
    Port,
    /// Clients are RFC 6455 connections.
    WebSocket,
    /// Silent clients are noticed.
    Heartbeat,
    /// A client that sends too fast is held up.
    Backpressure,
    /// A client that stops reading fills the server's outbox.
    SlowReading,
    /// A client keeps its connection also while it does not read.
    Standing,
    /// A client that lost its connection can come back ([`Subject::recovering`]).
    Recovery,
}

/// One adapter with the client that speaks its wire.
#[derive(Clone)]
pub struct Subject {
    name: &'static str,
    powers: Vec<Power>,
    setup: Arc<dyn Fn() -> Setup + Send + Sync>,
    websocket_path: Option<&'static str>,
    recovering: Option<Arc<dyn Fn(Recovery) -> Setup + Send + Sync>>,
    host: Arc<Host>,
    /// Properties that it does not keep, and why.
    excuses: Vec<(&'static str, &'static str)>,
}

/// Opens the port of an application.
type Host = dyn Fn(AppBuilder) -> BoxFuture<'static, Result<Served, ListenError>> + Send + Sync;

/// One application's worth of a subject.
pub struct Setup {
    /// Adds the adapter to the application.
    pub mount: Box<dyn FnOnce(AppBuilder) -> AppBuilder + Send>,
    /// The clients of the application that is reached there.
    pub connect: Box<dyn FnOnce(Remote) -> Arc<dyn Connector> + Send>,
}

impl Subject {
    /// An adapter under test. `setup` is called for every application.
    pub fn new(
        name: &'static str,
        powers: impl IntoIterator<Item = Power>,
        setup: impl Fn() -> Setup + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            powers: powers.into_iter().collect(),
            setup: Arc::new(setup),
            websocket_path: None,
            recovering: None,
            host: Arc::new(|app| Box::pin(listen(app))),
            excuses: Vec::new(),
        }
    }

    /// The same adapter in another server, or behind other sockets than those
    /// of [`AppBuilder::listen`].
    #[must_use]
    pub fn hosted<F>(mut self, host: impl Fn(AppBuilder) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Served, ListenError>> + Send + 'static,
    {
        self.host = Arc::new(move |app| Box::pin(host(app)));
        self
    }

    /// Declares that it does not keep a property that its powers allow, with
    /// the reason, which its test prints: `"the accept loop is not ours"`.
    ///
    /// # Panics
    /// When the suite has no such property.
    #[must_use]
    pub fn excused(mut self, property: &'static str, reason: &'static str) -> Self {
        assert!(
            PROPERTIES.iter().any(|known| known.name == property),
            "the suite has no property {property}"
        );
        self.excuses.push((property, reason));
        self
    }

    /// The same adapter with connection state recovery; adds [`Power::Recovery`].
    #[must_use]
    pub fn recovering(mut self, setup: impl Fn(Recovery) -> Setup + Send + Sync + 'static) -> Self {
        self.powers.push(Power::Recovery);
        self.recovering = Some(Arc::new(setup));
        self
    }

    /// Where a WebSocket of this adapter is opened: path and query.
    #[must_use]
    pub fn websocket_path(mut self, path: &'static str) -> Self {
        self.websocket_path = Some(path);
        self
    }

    /// The adapter's name in failure texts.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it has this power.
    pub fn can(&self, power: Power) -> bool {
        self.powers.contains(&power)
    }

    /// What it can do.
    pub fn powers(&self) -> &[Power] {
        &self.powers
    }

    pub(super) fn excuse_for(&self, property: &str) -> Option<&str> {
        let mut excuses = self.excuses.iter();
        excuses.find_map(|(name, reason)| (*name == property).then_some(*reason))
    }

    pub(super) async fn serve(&self, app: AppBuilder) -> Result<Served, ListenError> {
        (self.host)(app).await
    }

    pub(super) fn set_up(&self) -> Setup {
        (self.setup)()
    }

    pub(super) fn set_up_recovering(&self, recovery: Recovery) -> Setup {
        let setup = self.recovering.as_ref();
        setup.expect("a subject with this power says how")(recovery)
    }

    pub(super) fn path_of_websocket(&self) -> &'static str {
        self.websocket_path.unwrap_or("/")
    }
}

async fn listen(app: AppBuilder) -> Result<Served, ListenError> {
    app.listen("127.0.0.1:0").await.map(Served::from)
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("name", &self.name)
            .field("powers", &self.powers)
            .finish_non_exhaustive()
    }
}
