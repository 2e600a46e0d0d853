//! The frozen registry: what is served under one namespace.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::container::{Container, ModuleId, Resolver};
use super::descriptor::{
    CANCEL_EVENT, Erased, GatewayDescriptor, Hooks, MessageDescriptor, MessageKind, Metadata,
    RESERVED_EVENTS,
};
use super::{Key, ResolveError};
use crate::broadcast::{EmitContext, Hub, Observer, WebSocketServer};
use crate::close::{CloseReason, DisconnectReason};
use crate::dispatch::{BoundEnhancers, DynFilter, DynGuard, Handler, HandshakeContext};
use crate::error::{BoxError, WsException};
use crate::session::Client;

/// One namespace with its gateways, frozen after start-up.
pub struct Namespace {
    hub: Arc<Hub>,
    adapters: Vec<&'static str>,
    gateways: Vec<BoundGateway>,
    routes: BTreeMap<String, Arc<Route>>,
    binary: Option<Arc<Route>>,
    /// Takes the events that nobody subscribed to.
    any: Option<Arc<Route>>,
    shutting_down: AtomicBool,
}

impl Namespace {
    /// The namespace's path or pattern.
    #[must_use]
    pub fn pattern(&self) -> &str {
        self.hub.namespace()
    }

    /// Its clients and rooms; of a pattern those of all paths.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Whether this adapter serves it.
    #[must_use]
    pub fn is_served_by(&self, adapter: &str) -> bool {
        self.adapters.is_empty() || self.adapters.contains(&adapter)
    }

    pub(crate) fn gateways(&self) -> &[BoundGateway] {
        &self.gateways
    }

    pub(crate) fn route(&self, event: &str) -> Option<Arc<Route>> {
        self.routes.get(event).cloned()
    }

    /// The handler of events that nobody subscribed to. Names of the protocol
    /// are unknown to clients all the same.
    pub(crate) fn any_route(&self, event: &str) -> Option<Arc<Route>> {
        let route = self.any.as_ref()?;
        let reserved = RESERVED_EVENTS.contains(&event) || event == CANCEL_EVENT;
        (!reserved).then(|| Arc::clone(route))
    }

    pub(crate) fn binary_route(&self) -> Option<Arc<Route>> {
        self.binary.clone()
    }

    /// Asks the connection guards: global ones, then those of each gateway.
    pub(crate) async fn can_connect(&self, context: &HandshakeContext) -> Result<(), WsException> {
        for guard in self.gateways.iter().flat_map(|g| &g.connection_guards) {
            if !guard.can_connect(context).await? {
                return Err(WsException::forbidden());
            }
        }
        Ok(())
    }

    /// Tells all clients to go; those that connect from now on go at once.
    pub(crate) fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Release);
        for client in self.hub.clients() {
            client.close(CloseReason::ShuttingDown);
        }
    }

    /// Towards the end of the drain time: handlers that still run are cancelled,
    /// so that their clients can be told before the process is gone.
    pub(crate) fn end_drain(&self) {
        self.hub.overdue.cancel();
        for client in self.hub.clients() {
            client.wake();
        }
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namespace")
            .field("pattern", &self.pattern())
            .field("events", &self.routes.keys())
            .finish_non_exhaustive()
    }
}

/// The way of one event to its handler, with all that stands around it.
pub struct Route {
    message: MessageDescriptor,
    gateway: String,
    handler: Arc<dyn Handler>,
    enhancers: BoundEnhancers,
    /// Filters of the method, the gateway and the application.
    filters: [Vec<Arc<dyn DynFilter>>; 3],
    gateway_metadata: Metadata,
    access: Access,
}

impl Route {
    /// The event.
    #[must_use]
    pub fn event(&self) -> &str {
        self.message.event()
    }

    /// The name of the gateway's type.
    #[must_use]
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The method's name.
    #[must_use]
    pub fn handler_name(&self) -> &'static str {
        self.message.method()
    }

    pub(crate) fn is_concurrent(&self) -> bool {
        self.message.is_concurrent()
    }

    pub(crate) fn handler(&self) -> &Arc<dyn Handler> {
        &self.handler
    }

    pub(crate) fn enhancers(&self) -> &BoundEnhancers {
        &self.enhancers
    }

    pub(crate) fn filter_levels(&self) -> impl Iterator<Item = &Vec<Arc<dyn DynFilter>>> {
        self.filters.iter()
    }

    pub(crate) fn metadata<T: Any + Send + Sync>(&self) -> Option<&T> {
        let own = self.message.metadata.get::<T>();
        own.or_else(|| self.gateway_metadata.get::<T>())
    }

    pub(crate) fn provider<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.access.get::<T>()
    }

    /// Sees the providers as the gateway does.
    pub(crate) fn resolver(&self) -> Resolver<'_> {
        self.access.resolver()
    }
}

/// The providers as one gateway sees them.
#[derive(Clone)]
struct Access {
    container: Arc<Container>,
    consumer: Key,
    module: ModuleId,
}

impl Access {
    fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.resolver().get::<T>()
    }

    fn resolver(&self) -> Resolver<'_> {
        self.container.resolver_for(self.consumer, self.module)
    }
}

/// A gateway's instance with its hooks.
pub(crate) struct BoundGateway {
    name: String,
    instance: Arc<Erased>,
    hooks: Hooks,
    server: WebSocketServer,
    connection_guards: Vec<Arc<dyn DynGuard>>,
}

impl BoundGateway {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn after_init(&self) -> Result<(), BoxError> {
        match &self.hooks.init {
            Some(hook) => hook(&*self.instance, &self.server).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        match &self.hooks.connection {
            Some(hook) => hook(&*self.instance, client).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn on_disconnect(&self, client: &Client, reason: &DisconnectReason) {
        if let Some(hook) = &self.hooks.disconnect {
            hook(&*self.instance, client, reason).await;
        }
    }
}

/// Puts the gateways of one namespace together.
pub(crate) struct NamespaceBuilder {
    namespace: Namespace,
    global: BoundEnhancers,
}

impl NamespaceBuilder {
    pub(crate) fn new(hub: Arc<Hub>, adapters: Vec<&'static str>, global: BoundEnhancers) -> Self {
        Self {
            namespace: Namespace {
                hub,
                adapters,
                gateways: Vec::new(),
                routes: BTreeMap::new(),
                binary: None,
                any: None,
                shutting_down: AtomicBool::new(false),
            },
            global,
        }
    }

    /// Adds a gateway: resolves what is listed on it and binds its handlers.
    pub(crate) fn gateway(
        &mut self,
        descriptor: &GatewayDescriptor,
        instance: &Arc<Erased>,
        container: &Arc<Container>,
        module: ModuleId,
    ) -> Result<(), ResolveError> {
        let access = Access {
            container: Arc::clone(container),
            consumer: descriptor.key,
            module,
        };
        let resolver = container.resolver_for(descriptor.key, module);
        let own = BoundEnhancers::resolve(&descriptor.enhancers, &resolver)?;
        // Connection guards run once for each gateway of the namespace, the
        // global ones with the first.
        let mut connection_guards = own.guards.clone();
        if self.namespace.gateways.is_empty() {
            connection_guards.splice(0..0, self.global.guards.iter().cloned());
        }
        self.namespace.gateways.push(BoundGateway {
            name: descriptor.name.clone(),
            instance: Arc::clone(instance),
            hooks: descriptor.hooks.clone(),
            server: WebSocketServer::new(Arc::clone(&self.namespace.hub)),
            connection_guards,
        });
        for message in &descriptor.messages {
            let method = BoundEnhancers::resolve(&message.enhancers, &resolver)?;
            let route = Arc::new(Route {
                message: message.clone(),
                gateway: descriptor.name.clone(),
                handler: message.bind(Arc::clone(instance)),
                filters: [
                    method.filters.clone(),
                    own.filters.clone(),
                    self.global.filters.clone(),
                ],
                enhancers: self.global.followed_by(own.clone()).followed_by(method),
                gateway_metadata: descriptor.metadata.clone(),
                access: access.clone(),
            });
            match message.kind {
                MessageKind::Event => {
                    self.namespace.routes.insert(message.event.clone(), route);
                }
                MessageKind::Binary => self.namespace.binary = Some(route),
                MessageKind::Any => self.namespace.any = Some(route),
            }
        }
        Ok(())
    }

    pub(crate) fn build(self) -> Namespace {
        let gateways = self.namespace.gateways.iter();
        let observers = gateways.filter_map(|gateway| {
            let hook = gateway.hooks.emit.clone()?;
            let instance = Arc::clone(&gateway.instance);
            Some(Arc::new(move |emit: &EmitContext<'_>| hook(&*instance, emit)) as Observer)
        });
        self.namespace.hub.observe_with(observers.collect());
        self.namespace
    }
}
