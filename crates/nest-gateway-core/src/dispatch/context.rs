//! What guards, interceptors, pipes and extractors see.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::gateway::Route;
use crate::handshake::Handshake;
use crate::id::RequestId;
use crate::message::Arguments;
use crate::payload::{BodyError, Payload};
use crate::session::{Client, ClientData};

/// One message on its way through the pipeline.
pub struct ExecutionContext {
    client: Client,
    route: Arc<Route>,
    /// Set when the client's event is not the route's own: its handler takes all
    /// that nobody else does.
    name: Option<Box<str>>,
    arguments: Arguments,
    request: Option<RequestId>,
    /// The body after the pipes, when there are any.
    body: Mutex<Option<Payload>>,
    ack_taken: AtomicBool,
    streaming: AtomicBool,
    cancelled: OnceLock<CancellationToken>,
    extensions: ClientData,
}

impl ExecutionContext {
    pub(crate) fn new(
        client: Client,
        route: Arc<Route>,
        name: Option<Box<str>>,
        arguments: Arguments,
        request: Option<RequestId>,
    ) -> Self {
        Self {
            client,
            route,
            name,
            arguments,
            request,
            body: Mutex::new(None),
            ack_taken: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            cancelled: OnceLock::new(),
            extensions: ClientData::default(),
        }
    }

    /// The WebSocket side of the context; there is no other.
    #[must_use]
    pub fn switch_to_ws(&self) -> WsArgumentsHost<'_> {
        WsArgumentsHost(self)
    }

    /// Always `"ws"`, as in NestJS.
    #[must_use]
    pub fn get_type(&self) -> &'static str {
        "ws"
    }

    /// The client that sent the message.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The event that is handled.
    #[must_use]
    pub fn event(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.route.event())
    }

    /// The name of the gateway's type.
    #[must_use]
    pub fn gateway(&self) -> &str {
        self.route.gateway()
    }

    /// The name of the handler's method.
    #[must_use]
    pub fn handler(&self) -> &str {
        self.route.handler_name()
    }

    /// The body: as the client sent it, or as the pipes left it.
    #[must_use]
    pub fn data(&self) -> Payload {
        if self.route.enhancers().pipes.is_empty() {
            return self.arguments.first();
        }
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.clone().unwrap_or_else(|| self.arguments.first())
    }

    /// All arguments as the client sent them.
    #[must_use]
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Under which name the client expects an answer, if it does.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref()
    }

    /// A value that was put on the handler or its gateway with
    /// `#[set_metadata(..)]`: the handler's first, then the gateway's.
    #[must_use]
    pub fn metadata<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.route.metadata::<T>()
    }

    /// Values that guards, interceptors and pipes leave for each other and for
    /// the handler's extractors, for this message only.
    #[must_use]
    pub fn extensions(&self) -> &ClientData {
        &self.extensions
    }

    /// Fires when the client leaves or cancels this request.
    #[must_use]
    pub fn cancellation(&self) -> CancellationToken {
        self.cancelled.get_or_init(CancellationToken::new).clone()
    }

    /// A provider of the application, as seen from the gateway's module.
    #[must_use]
    pub fn provider<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.route.provider::<T>()
    }

    pub(crate) fn route(&self) -> &Arc<Route> {
        &self.route
    }

    pub(crate) fn set_body(&self, body: Payload) {
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    pub(crate) fn cancel(&self) {
        if let Some(token) = self.cancelled.get() {
            token.cancel();
        }
    }

    /// The reply is a stream: it runs beside the queue from now on.
    pub(crate) fn begin_streaming(&self) {
        self.streaming.store(true, Ordering::Release);
    }

    pub(crate) fn is_streaming(&self) -> bool {
        self.streaming.load(Ordering::Acquire)
    }

    pub(crate) fn take_ack(&self) {
        self.ack_taken.store(true, Ordering::Release);
    }

    pub(crate) fn ack_is_taken(&self) -> bool {
        self.ack_taken.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for ExecutionContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutionContext")
            .field("client", &self.client.id())
            .field("event", &self.event())
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// The arguments of a WebSocket message, as NestJS names them.
#[derive(Clone, Copy, Debug)]
pub struct WsArgumentsHost<'a>(&'a ExecutionContext);

impl<'a> WsArgumentsHost<'a> {
    /// The client that sent the message.
    #[must_use]
    pub fn client(&self) -> &'a Client {
        self.0.client()
    }

    /// The body.
    #[must_use]
    pub fn data(&self) -> Payload {
        self.0.data()
    }

    /// The body as a type.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        self.0.data().decode()
    }

    /// The event's name.
    #[must_use]
    pub fn event(&self) -> &'a str {
        self.0.event()
    }

    /// The client's handshake.
    #[must_use]
    pub fn handshake(&self) -> &'a Handshake {
        self.0.client().handshake()
    }
}

/// A client that asks to be let in.
#[derive(Debug)]
pub struct HandshakeContext {
    pub(crate) handshake: Handshake,
    pub(crate) path: Arc<str>,
    pub(crate) params: crate::adapter::PathParams,
    pub(crate) namespace: Arc<str>,
    pub(crate) adapter: &'static str,
    pub(crate) recovering: bool,
    pub(crate) data: ClientData,
}

impl HandshakeContext {
    /// What the client said.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// The path of the namespace as the client asked for it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// One parameter of the path.
    #[must_use]
    pub fn path_param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| **key == *name)
            .map(|(_, value)| &**value)
    }

    /// The pattern of the namespace (`/room/{id}`).
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name of the adapter that the client came to.
    #[must_use]
    pub fn adapter(&self) -> &'static str {
        self.adapter
    }

    /// Whether the client asks to continue a session that it lost.
    #[must_use]
    pub fn is_recovering(&self) -> bool {
        self.recovering
    }

    /// Typed values that stay with the client: put its identity here for
    /// [`Auth`](super::Auth).
    #[must_use]
    pub fn data(&self) -> &ClientData {
        &self.data
    }
}
