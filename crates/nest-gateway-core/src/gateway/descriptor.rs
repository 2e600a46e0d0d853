//! A gateway as plain data.
//!
//! [`GatewayBuilder`](super::GatewayBuilder) makes it, by hand or for the macros.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use super::container::Container;
use super::{Dependency, Key};
use crate::adapter::BoxFuture;
use crate::broadcast::{EmitContext, WebSocketServer};
use crate::close::DisconnectReason;
use crate::dispatch::{Enhancers, Handler};
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

/// What a handler of all other events is called in lists and metrics.
pub const ANY_EVENT: &str = "*";

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
    pub(super) body_schema: Option<fn() -> serde_json::Value>,
    pub(super) reply_schema: Option<fn() -> serde_json::Value>,
    pub(super) bind: Arc<Bind>,
}

/// Makes a handler of a gateway's instance.
pub(super) type Bind = dyn Fn(Arc<Erased>) -> Arc<dyn Handler> + Send + Sync;

/// What a handler handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// An event.
    Event,
    /// Binary messages without an envelope.
    Binary,
    /// Events that nobody else in the namespace subscribed to.
    Any,
}

impl MessageDescriptor {
    /// The event; empty for binary messages, and [`ANY_EVENT`] for those that
    /// nobody else subscribed to.
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
type EmitHook = Arc<dyn Fn(&Erased, &EmitContext<'_>) + Send + Sync>;
/// A gateway whose type is known to the functions that take it.
pub(crate) type Erased = dyn Any + Send + Sync;

/// The lifecycle hooks that a gateway implements.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) init: Option<InitHook>,
    pub(crate) connection: Option<ConnectionHook>,
    pub(crate) disconnect: Option<DisconnectHook>,
    pub(crate) emit: Option<EmitHook>,
}
