//! A gateway as plain data, and the builder that makes it.
//!
//! The attribute macros expand to calls of [`GatewayBuilder`]; everything can be
//! written by hand.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use super::container::Container;
use super::lifecycle::{OnGatewayConnection, OnGatewayDisconnect, OnGatewayInit};
use super::{Dependency, Key};
use crate::adapter::BoxFuture;
use crate::broadcast::WebSocketServer;
use crate::close::DisconnectReason;
use crate::dispatch::{Enhancers, ExecutionContext, Handler, HandlerResult, IntoHandler, bind};
use crate::error::{BoxError, WsException};
use crate::session::Client;

/// Names that belong to the protocol; no handler may subscribe to them.
pub const RESERVED_EVENTS: [&str; 8] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "exception",
    "gap",
    "newListener",
    "removeListener",
];

/// The event by which a Socket.IO client cancels its streams.
pub const CANCEL_EVENT: &str = "$cancel";

/// A struct that is a gateway: `#[websocket_gateway]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a gateway",
    label = "no `#[websocket_gateway]` on this type",
    note = "put `#[websocket_gateway(namespace = \"/..\")]` on the struct and `#[subscriptions]` on its impl block"
)]
pub trait Gateway: Send + Sync + Sized + 'static {
    /// Describes it.
    fn describe() -> GatewayDescriptor;
}

/// Values that guards and interceptors can read (`#[set_metadata(..)]`), one
/// for each type.
#[derive(Clone, Default)]
pub struct Metadata(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Metadata {
    /// Adds a value; it replaces one of the same type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

/// A gateway as plain data: what it is called, where it listens, what it
/// handles.
#[derive(Clone)]
pub struct GatewayDescriptor {
    pub(crate) key: Key,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) port: Option<u16>,
    pub(crate) adapters: Vec<&'static str>,
    pub(crate) enhancers: Enhancers,
    pub(crate) metadata: Metadata,
    pub(crate) messages: Vec<MessageDescriptor>,
    pub(crate) hooks: Hooks,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) emits: Vec<EmitDescriptor>,
    pub(crate) instance: fn(&Container) -> Option<Arc<Erased>>,
}

impl GatewayDescriptor {
    /// The name of the gateway's type.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The port of its own, if it has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The adapters that serve it; empty for all.
    #[must_use]
    pub fn adapters(&self) -> &[&'static str] {
        &self.adapters
    }

    /// Its message handlers, in written order.
    #[must_use]
    pub fn messages(&self) -> &[MessageDescriptor] {
        &self.messages
    }

    /// The typed events that it emits.
    #[must_use]
    pub fn emits(&self) -> &[EmitDescriptor] {
        &self.emits
    }

    /// The gateway itself, once the container has constructed it.
    pub(crate) fn instance(&self, container: &Container) -> Option<Arc<Erased>> {
        (self.instance)(container)
    }

    /// What is listed on it.
    #[must_use]
    pub fn enhancers(&self) -> &Enhancers {
        &self.enhancers
    }

    /// Every provider that it, its guards, interceptors, pipes, filters and
    /// handlers need.
    #[must_use]
    pub fn all_dependencies(&self) -> Vec<Dependency> {
        let mut all = self.dependencies.clone();
        all.extend(self.enhancers.dependencies().copied());
        for message in &self.messages {
            all.extend(message.enhancers.dependencies().copied());
            all.extend(message.dependencies.iter().copied());
        }
        all
    }
}

impl std::fmt::Debug for GatewayDescriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayDescriptor")
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

/// A typed event that a gateway emits (`emits(..)`).
#[derive(Clone, Copy, Debug)]
pub struct EmitDescriptor {
    /// The event's name.
    pub event: &'static str,
    /// The type of its body.
    pub body: &'static str,
    /// The body's JSON schema, where there is one.
    pub schema: Option<fn() -> serde_json::Value>,
}

/// A handler as plain data.
#[derive(Clone)]
pub struct MessageDescriptor {
    pub(crate) event: String,
    pub(crate) method: &'static str,
    pub(crate) kind: MessageKind,
    pub(crate) concurrent: bool,
    pub(crate) enhancers: Enhancers,
    pub(crate) metadata: Metadata,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) body: Option<&'static str>,
    pub(crate) reply: Option<&'static str>,
    body_schema: Option<fn() -> serde_json::Value>,
    reply_schema: Option<fn() -> serde_json::Value>,
    bind: Arc<Bind>,
}

/// Makes a handler of a gateway's instance.
type Bind = dyn Fn(Arc<Erased>) -> Arc<dyn Handler> + Send + Sync;

/// What a handler handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// An event.
    Event,
    /// Binary messages without an envelope.
    Binary,
}

impl MessageDescriptor {
    /// The event; empty for binary messages.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The method's name.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Whether it handles binary messages without an envelope.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Whether it runs beside other messages of its client.
    #[must_use]
    pub fn is_concurrent(&self) -> bool {
        self.concurrent
    }

    /// The written type of its body, if it takes one.
    #[must_use]
    pub fn body(&self) -> Option<&'static str> {
        self.body
    }

    /// The written type of its reply, if it has one.
    #[must_use]
    pub fn reply(&self) -> Option<&'static str> {
        self.reply
    }

    /// The JSON schema of its body, where there is one.
    #[must_use]
    pub fn body_schema(&self) -> Option<fn() -> serde_json::Value> {
        self.body_schema
    }

    /// The JSON schema of its reply, where there is one.
    #[must_use]
    pub fn reply_schema(&self) -> Option<fn() -> serde_json::Value> {
        self.reply_schema
    }

    /// What is listed on it.
    #[must_use]
    pub fn enhancers(&self) -> &Enhancers {
        &self.enhancers
    }

    pub(crate) fn bind(&self, gateway: Arc<dyn Any + Send + Sync>) -> Arc<dyn Handler> {
        (self.bind)(gateway)
    }
}

impl std::fmt::Debug for MessageDescriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageDescriptor")
            .field("event", &self.event)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A message handler of the gateway `G`, while it is described.
#[must_use = "give it to `GatewayBuilder::message`"]
pub struct Message<G> {
    descriptor: MessageDescriptor,
    gateway: PhantomData<fn(G)>,
}

impl<G: Send + Sync + 'static> Message<G> {
    /// A handler of an event: a function of the gateway and the context, as the
    /// macros write it. By hand, [`GatewayBuilder::on`] is shorter.
    pub fn event<F>(event: impl Into<String>, method: &'static str, function: F) -> Self
    where
        F: for<'a> Fn(&'a Arc<G>, &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>
            + Send
            + Sync
            + 'static,
    {
        Self::new(MessageKind::Event, event.into(), method, function)
    }

    /// A handler of binary messages without an envelope.
    pub fn binary<F>(method: &'static str, function: F) -> Self
    where
        F: for<'a> Fn(&'a Arc<G>, &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>
            + Send
            + Sync
            + 'static,
    {
        Self::new(MessageKind::Binary, String::new(), method, function)
    }

    fn new<F>(kind: MessageKind, event: String, method: &'static str, function: F) -> Self
    where
        F: for<'a> Fn(&'a Arc<G>, &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>
            + Send
            + Sync
            + 'static,
    {
        let function = Arc::new(function);
        Self {
            descriptor: MessageDescriptor {
                event,
                method,
                kind,
                concurrent: false,
                enhancers: Enhancers::new(),
                metadata: Metadata::default(),
                dependencies: Vec::new(),
                body: None,
                reply: None,
                body_schema: None,
                reply_schema: None,
                bind: Arc::new(move |gateway| {
                    let gateway = gateway
                        .downcast::<G>()
                        .unwrap_or_else(|_| unreachable!("bound to its own gateway"));
                    bind(gateway, Arc::clone(&function))
                }),
            },
            gateway: PhantomData,
        }
    }

    /// It runs beside other messages of its client, up to `max_in_flight`.
    pub fn concurrent(mut self) -> Self {
        self.descriptor.concurrent = true;
        self
    }

    /// Its guards, interceptors, pipes and filters.
    pub fn enhancers(mut self, enhancers: Enhancers) -> Self {
        self.descriptor.enhancers = enhancers;
        self
    }

    /// A value that guards and interceptors can read.
    pub fn metadata<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.descriptor.metadata = self.descriptor.metadata.with(value);
        self
    }

    /// A provider that one of its arguments needs; a missing one stops the
    /// start-up.
    pub fn needs(mut self, dependency: Dependency) -> Self {
        self.descriptor.dependencies.push(dependency);
        self
    }

    /// The written types of its body and reply, for lists and documents.
    pub fn types(mut self, body: Option<&'static str>, reply: Option<&'static str>) -> Self {
        self.descriptor.body = body;
        self.descriptor.reply = reply;
        self
    }

    /// The JSON schemas of its body and reply, for documents and typed clients.
    pub fn schemas(
        mut self,
        body: Option<fn() -> serde_json::Value>,
        reply: Option<fn() -> serde_json::Value>,
    ) -> Self {
        self.descriptor.body_schema = body;
        self.descriptor.reply_schema = reply;
        self
    }
}

type InitHook = Arc<
    dyn for<'a> Fn(&'a Erased, &'a WebSocketServer) -> BoxFuture<'a, Result<(), BoxError>>
        + Send
        + Sync,
>;
type ConnectionHook = Arc<
    dyn for<'a> Fn(&'a Erased, &'a Client) -> BoxFuture<'a, Result<(), WsException>> + Send + Sync,
>;
type DisconnectHook = Arc<
    dyn for<'a> Fn(&'a Erased, &'a Client, &'a DisconnectReason) -> BoxFuture<'a, ()> + Send + Sync,
>;
/// A gateway whose type is known to the functions that take it.
pub(crate) type Erased = dyn Any + Send + Sync;

/// The lifecycle hooks that a gateway implements.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) init: Option<InitHook>,
    pub(crate) connection: Option<ConnectionHook>,
    pub(crate) disconnect: Option<DisconnectHook>,
}

/// Describes a gateway by hand, or from the macros.
#[must_use = "call `build`"]
pub struct GatewayBuilder<G> {
    descriptor: GatewayDescriptor,
    gateway: PhantomData<fn(G)>,
}

impl<G: Send + Sync + 'static> GatewayBuilder<G> {
    /// A gateway at this namespace: a path such as `/chat`, or a pattern such
    /// as `/room/{id}`.
    pub fn new(namespace: impl Into<String>) -> Self {
        Self {
            descriptor: GatewayDescriptor {
                key: Key::of::<G>(),
                name: Key::of::<G>().short_name(),
                namespace: namespace.into(),
                port: None,
                adapters: Vec::new(),
                enhancers: Enhancers::new(),
                metadata: Metadata::default(),
                messages: Vec::new(),
                hooks: Hooks::default(),
                dependencies: Vec::new(),
                emits: Vec::new(),
                instance: |container| Some(container.get::<G>()? as Arc<Erased>),
            },
            gateway: PhantomData,
        }
    }

    /// It gets a listener of its own on this port.
    pub fn port(mut self, port: u16) -> Self {
        self.descriptor.port = Some(port);
        self
    }

    /// Only this adapter (by its name) serves it; may be called several times.
    pub fn adapter(mut self, name: &'static str) -> Self {
        self.descriptor.adapters.push(name);
        self
    }

    /// Guards, interceptors, pipes and filters of all its handlers.
    pub fn enhancers(mut self, enhancers: Enhancers) -> Self {
        self.descriptor.enhancers = enhancers;
        self
    }

    /// A value that guards and interceptors can read on every handler.
    pub fn metadata<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.descriptor.metadata = self.descriptor.metadata.with(value);
        self
    }

    /// Adds a handler.
    pub fn message(mut self, message: Message<G>) -> Self {
        self.descriptor.messages.push(message.descriptor);
        self
    }

    /// Adds a handler by hand: a function that takes the gateway and any
    /// extractors.
    pub fn on<F, A>(self, event: impl Into<String>, function: F) -> Self
    where
        F: IntoHandler<G, A>,
        A: 'static,
    {
        self.message(Message::event(event, "closure", move |gateway, context| {
            hand_written(&function, gateway, context)
        }))
    }

    /// A provider that the gateway needs beyond its fields.
    pub fn needs(mut self, dependency: Dependency) -> Self {
        self.descriptor.dependencies.push(dependency);
        self
    }

    /// A typed event that it emits.
    pub fn emits(mut self, event: &'static str, body: &'static str) -> Self {
        self.descriptor.emits.push(EmitDescriptor {
            event,
            body,
            schema: None,
        });
        self
    }

    /// [`GatewayBuilder::emits`] with the JSON schema of the body.
    pub fn emits_with_schema(
        mut self,
        event: &'static str,
        body: &'static str,
        schema: Option<fn() -> serde_json::Value>,
    ) -> Self {
        self.descriptor.emits.push(EmitDescriptor {
            event,
            body,
            schema,
        });
        self
    }

    /// Calls [`OnGatewayInit::after_init`].
    pub fn after_init(mut self) -> Self
    where
        G: OnGatewayInit,
    {
        self.descriptor.hooks.init = Some(Arc::new(|gateway, server| {
            let gateway = downcast::<G>(gateway);
            Box::pin(gateway.after_init(server))
        }));
        self
    }

    /// Calls [`OnGatewayConnection::on_connection`].
    pub fn on_connection(mut self) -> Self
    where
        G: OnGatewayConnection,
    {
        self.descriptor.hooks.connection = Some(Arc::new(|gateway, client| {
            let gateway = downcast::<G>(gateway);
            Box::pin(gateway.on_connection(client))
        }));
        self
    }

    /// Calls [`OnGatewayDisconnect::on_disconnect`].
    pub fn on_disconnect(mut self) -> Self
    where
        G: OnGatewayDisconnect,
    {
        self.descriptor.hooks.disconnect = Some(Arc::new(|gateway, client, reason| {
            let gateway = downcast::<G>(gateway);
            Box::pin(gateway.on_disconnect(client, reason))
        }));
        self
    }

    /// The description.
    #[must_use]
    pub fn build(self) -> GatewayDescriptor {
        self.descriptor
    }
}

/// A function of its own, so that the lifetimes of the closure above are known.
fn hand_written<'a, G, A, F: IntoHandler<G, A>>(
    function: &F,
    gateway: &Arc<G>,
    context: &'a ExecutionContext,
) -> BoxFuture<'a, HandlerResult<'a>> {
    function.handle(Arc::clone(gateway), context)
}

fn downcast<G: 'static>(gateway: &Erased) -> &G {
    gateway
        .downcast_ref::<G>()
        .unwrap_or_else(|| unreachable!("hooks are called with their own gateway"))
}
