//! The builder of gateway descriptions: what the attribute macros expand to,
//! and what can be written by hand.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use super::descriptor::{
    ANY_EVENT, EmitDescriptor, Erased, GatewayDescriptor, Hooks, MessageDescriptor, MessageKind,
    Metadata,
};
use super::lifecycle::{OnGatewayConnection, OnGatewayDisconnect, OnGatewayEmit, OnGatewayInit};
use super::{Dependency, Key};
use crate::adapter::BoxFuture;
use crate::dispatch::{Enhancers, ExecutionContext, HandlerResult, IntoHandler, bind};

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

    /// Adds a handler by hand for all events that nobody in the namespace
    /// subscribed to; [`EventName`](crate::dispatch::EventName) tells which one
    /// it is.
    pub fn on_any<F, A>(self, function: F) -> Self
    where
        F: IntoHandler<G, A>,
        A: 'static,
    {
        self.message(Message::any("closure", move |gateway, context| {
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

    /// Calls [`OnGatewayEmit::on_emit`].
    pub fn on_emit(mut self) -> Self
    where
        G: OnGatewayEmit,
    {
        self.descriptor.hooks.emit = Some(Arc::new(|gateway, emit| {
            downcast::<G>(gateway).on_emit(emit);
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

    /// A handler of all events that nobody in the namespace subscribed to.
    pub fn any<F>(method: &'static str, function: F) -> Self
    where
        F: for<'a> Fn(&'a Arc<G>, &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>
            + Send
            + Sync
            + 'static,
    {
        Self::new(MessageKind::Any, ANY_EVENT.to_owned(), method, function)
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
