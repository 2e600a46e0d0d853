//! The server's side of a namespace, for gateways and their services.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::emitter::{Answers, Emitted, Emitter, IntoTargets};
use super::hub::Hub;
use super::typed::{Event, SentByNoGateway, ServerOf};
use crate::gateway::{Dependency, FromContainer, Key, ResolveError, Resolver};
use crate::id::ClientId;
use crate::payload::Payload;
use crate::session::Client;

/// Emits to the clients of one namespace, of all adapters at once.
///
/// A gateway gets the one of its own namespace by having a field (or handler
/// argument) of this type; other providers use [`ServerOf`], which also sends
/// typed events.
///
/// Each path of a pattern (`/room/{id}`) is a namespace of its own. A handler's
/// argument is the server of the path that its client is at; a field, and a
/// `ServerOf`, is the server of all paths, and [`at`](Self::at) chooses one.
#[derive(Clone, Debug)]
pub struct WebSocketServer {
    hub: Arc<Hub>,
}

impl WebSocketServer {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// The same server, which knows what `G` emits: `server.of::<Self>().send(..)`.
    #[must_use]
    pub fn of<G: 'static>(&self) -> ServerOf<G> {
        ServerOf::new(self.clone())
    }

    /// The namespace's path or pattern; of a server of one path ([`Self::at`])
    /// that path.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.hub.namespace()
    }

    /// The server of one path, where the namespace is a pattern: of
    /// `/room/{id}`, `server.at("/room/7")` reaches the clients there and no
    /// others, while `server` reaches those of all paths.
    ///
    /// The parameters stand in the path as handlers see them, not
    /// percent-encoded. Where nobody is, an emit has no receivers; whoever
    /// comes later is reached by the same server. Keeping it keeps a few
    /// hundred bytes for the path.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        Self::new(self.hub.at(path))
    }

    /// The paths at which there are clients now, those that are away and
    /// expected back included: of a pattern any number, in no order, else one
    /// or none.
    #[must_use]
    pub fn paths(&self) -> Vec<Arc<str>> {
        self.hub.paths()
    }

    /// The clients and rooms.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Emits to every client of the namespace. Never waits for a client.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Emitted {
        self.broadcast().emit(event, data)
    }

    /// Emits an event with several arguments to every client.
    pub fn emit_args(&self, event: &str, arguments: Vec<Payload>) -> Emitted {
        self.broadcast().emit_args(event, arguments)
    }

    /// Typed events are sent by handles that know their gateway: [`Self::of`].
    #[doc(hidden)]
    pub fn send<E: Event + SentByNoGateway>(&self, event: &E) -> Emitted {
        self.emit(E::NAME, event)
    }

    /// Addresses everybody: the start of `broadcast().volatile().emit(..)`.
    pub fn broadcast(&self) -> Emitter {
        Emitter::new(Arc::clone(&self.hub))
    }

    /// Addresses a room, one client by its id, or several of them.
    pub fn to(&self, targets: impl IntoTargets) -> Emitter {
        self.broadcast().to(targets)
    }

    /// Addresses everybody but these.
    pub fn except(&self, targets: impl IntoTargets) -> Emitter {
        self.broadcast().except(targets)
    }

    /// Addresses the clients of this node only.
    pub fn local(&self) -> Emitter {
        self.broadcast().local()
    }

    /// Addresses everybody with a message that may be dropped.
    pub fn volatile(&self) -> Emitter {
        self.broadcast().volatile()
    }

    /// Addresses everybody; `false` keeps transports from compressing the message.
    pub fn compress(&self, compress: bool) -> Emitter {
        self.broadcast().compress(compress)
    }

    /// Addresses everybody, with a time limit for answers.
    pub fn timeout(&self, timeout: Duration) -> Emitter {
        self.broadcast().timeout(timeout)
    }

    /// Asks every client; see [`Emitter::emit_with_ack`].
    pub fn emit_with_ack<T: DeserializeOwned + Send + 'static>(
        &self,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Answers<T> {
        self.broadcast().emit_with_ack(event, data)
    }

    /// The clients that are connected now.
    #[must_use]
    pub fn sockets(&self) -> Vec<Client> {
        self.hub.clients()
    }

    /// One client by its id.
    #[must_use]
    pub fn client(&self, id: ClientId) -> Option<Client> {
        self.hub.client(id)
    }

    /// Puts every client into a room.
    pub fn join(&self, room: impl Into<Arc<str>>) {
        self.broadcast().join(room);
    }

    /// Takes every client out of a room.
    pub fn leave(&self, room: &str) {
        self.broadcast().leave(room);
    }

    /// Disconnects every client.
    pub fn disconnect(&self, reason: impl Into<Cow<'static, str>>) {
        self.broadcast().disconnect(reason);
    }

    /// Closes the connection of every client; see [`Emitter::close_connections`].
    pub fn close_connections(&self, reason: impl Into<Cow<'static, str>>) {
        self.broadcast().close_connections(reason);
    }
}

impl FromContainer for WebSocketServer {
    fn dependency() -> Option<Dependency> {
        None
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ResolveError> {
        let consumer = resolver.consumer();
        let servers = resolver.ambient::<Servers>();
        servers
            .and_then(|servers| servers.of(consumer))
            .ok_or_else(|| {
                let advice = "only a gateway has a server of its own; \
                              write ServerOf<TheGateway> to say whose server is meant";
                ResolveError::new(consumer, Key::of::<Self>(), advice)
            })
    }
}

/// All servers of an application, by gateway type and by namespace. An ambient
/// value of the container.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    by_gateway: HashMap<Key, WebSocketServer>,
    by_namespace: HashMap<String, WebSocketServer>,
}

impl Servers {
    pub(crate) fn insert(&mut self, gateway: Key, server: WebSocketServer) {
        self.by_namespace
            .entry(server.namespace().to_owned())
            .or_insert_with(|| server.clone());
        self.by_gateway.insert(gateway, server);
    }

    pub(crate) fn of(&self, gateway: Key) -> Option<WebSocketServer> {
        self.by_gateway.get(&gateway).cloned()
    }

    /// All servers, one for each namespace.
    pub fn iter(&self) -> impl Iterator<Item = &WebSocketServer> {
        self.by_namespace.values()
    }

    /// The server of a namespace, by its path or pattern.
    #[must_use]
    pub fn namespace(&self, path: &str) -> Option<WebSocketServer> {
        self.by_namespace.get(path).cloned()
    }
}

impl FromContainer for Servers {
    fn dependency() -> Option<Dependency> {
        None
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ResolveError> {
        Ok(resolver.ambient::<Self>().cloned().unwrap_or_default())
    }
}
