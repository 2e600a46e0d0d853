//! Typed events: what a gateway says that it emits, and handles that send
//! nothing else.
//!
//! `emit("name", &data)` takes any name. `send(&event)` takes the name from the
//! event's type, and asks the compiler whether the gateway declares it: what is
//! sent and what the contract (AsyncAPI, TypeScript) says cannot drift apart.

use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use serde::Serialize;

use super::emitter::{Emitted, Emitter, IntoTargets};
use super::server::{Servers, WebSocketServer};
use crate::gateway::{Dependency, FromContainer, Key, ResolveError, Resolver};
use crate::session::Client;

/// An event with a name and a body of its own: `#[derive(Event)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a typed event",
    label = "does not implement `Event`",
    note = "add `#[derive(Serialize, Event)]` and `#[event(\"name\")]` to `{Self}`"
)]
pub trait Event: Serialize {
    /// The name under which it is emitted.
    const NAME: &'static str;
}

/// The gateway `G` declares that it emits this event: `emits(..)` of
/// `#[websocket_gateway]` implements it.
///
/// By hand it is `impl EmittedBy<ChatGateway> for MessageSent {}`, beside
/// [`GatewayBuilder::emits`](crate::gateway::GatewayBuilder::emits), which puts
/// the event into the contract.
//
// The event is `Self`, because the compiler infers a parameter of a trait from
// a sole impl: with the gateway as `Self`, a gateway that declares one event
// would be told "expected `&Left`" and not what to do.
#[diagnostic::on_unimplemented(
    message = "`{G}` does not declare that it emits `{Self}`",
    label = "not in the `emits(..)` of `{G}`",
    note = "declare it: `#[websocket_gateway(.., emits({Self}))]` on `{G}`",
    note = "an event that is no part of the contract is emitted by its name: `emit(\"event\", &data)`"
)]
pub trait EmittedBy<G> {}

/// Nothing implements it: it is where the compiler says what to write, when a
/// handle that knows no gateway is to send a typed event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a typed event, and this handle does not know whose",
    label = "which gateway emits it?",
    note = "name the gateway: a field `server: ServerOf<Self>`, or `.of::<Self>().send(&event)` of a server or client",
    note = "an event that is no part of the contract is emitted by its name: `emit(\"event\", &data)`"
)]
pub trait SentByNoGateway {}

/// The [`WebSocketServer`] of the gateway `G`, for that gateway itself
/// (`ServerOf<Self>`) and for any other provider. It sends the typed events
/// that `G` declares.
///
/// It does not depend on the gateway itself, so that a service which the
/// gateway needs may hold it.
pub struct ServerOf<G: 'static> {
    server: WebSocketServer,
    gateway: PhantomData<fn() -> G>,
}

/// An [`Emitter`] that sends the typed events of the gateway `G`.
#[must_use = "an emitter does nothing until `send` or `emit` is called"]
pub struct EmitterOf<G> {
    emitter: Emitter,
    gateway: PhantomData<fn() -> G>,
}

/// A [`Client`] to which the typed events of the gateway `G` are sent.
pub struct ClientOf<'a, G> {
    client: &'a Client,
    gateway: PhantomData<fn() -> G>,
}

impl<G: 'static> ServerOf<G> {
    pub(crate) fn new(server: WebSocketServer) -> Self {
        Self {
            server,
            gateway: PhantomData,
        }
    }

    /// [`WebSocketServer::at`] for typed events: the server of one path of a pattern.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        Self::new(self.server.at(path))
    }

    /// Emits a typed event to every client.
    pub fn send<E: Event + EmittedBy<G>>(&self, event: &E) -> Emitted {
        self.broadcast().send(event)
    }

    /// [`WebSocketServer::broadcast`] for typed events.
    pub fn broadcast(&self) -> EmitterOf<G> {
        EmitterOf::new(self.server.broadcast())
    }

    /// [`WebSocketServer::to`] for typed events.
    pub fn to(&self, targets: impl IntoTargets) -> EmitterOf<G> {
        self.broadcast().to(targets)
    }

    /// [`WebSocketServer::except`] for typed events.
    pub fn except(&self, targets: impl IntoTargets) -> EmitterOf<G> {
        self.broadcast().except(targets)
    }

    /// [`WebSocketServer::local`] for typed events.
    pub fn local(&self) -> EmitterOf<G> {
        self.broadcast().local()
    }

    /// [`WebSocketServer::volatile`] for typed events.
    pub fn volatile(&self) -> EmitterOf<G> {
        self.broadcast().volatile()
    }

    /// [`WebSocketServer::compress`] for typed events.
    pub fn compress(&self, compress: bool) -> EmitterOf<G> {
        self.broadcast().compress(compress)
    }
}

impl<G> EmitterOf<G> {
    pub(crate) fn new(emitter: Emitter) -> Self {
        Self {
            emitter,
            gateway: PhantomData,
        }
    }

    /// Emits a typed event under its own name.
    pub fn send<E: Event + EmittedBy<G>>(&self, event: &E) -> Emitted {
        self.emitter.emit(E::NAME, event)
    }

    /// As [`Emitter::to`].
    pub fn to(self, targets: impl IntoTargets) -> Self {
        Self::new(self.emitter.to(targets))
    }

    /// As [`Emitter::except`].
    pub fn except(self, targets: impl IntoTargets) -> Self {
        Self::new(self.emitter.except(targets))
    }

    /// As [`Emitter::local`].
    pub fn local(self) -> Self {
        Self::new(self.emitter.local())
    }

    /// As [`Emitter::volatile`].
    pub fn volatile(self) -> Self {
        Self::new(self.emitter.volatile())
    }

    /// As [`Emitter::compress`].
    pub fn compress(self, compress: bool) -> Self {
        Self::new(self.emitter.compress(compress))
    }

    /// As [`Emitter::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        Self::new(self.emitter.timeout(timeout))
    }
}

impl<'a, G> ClientOf<'a, G> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self {
            client,
            gateway: PhantomData,
        }
    }

    /// Emits a typed event to this client. The result may be awaited, to go on
    /// only when the client keeps up.
    pub fn send<E: Event + EmittedBy<G>>(&self, event: &E) -> Emitted {
        self.client.emit(E::NAME, event)
    }

    /// Emits a typed event that may be dropped when the client reads too
    /// slowly.
    pub fn send_volatile<E: Event + EmittedBy<G>>(&self, event: &E) -> Emitted {
        self.client.emit_volatile(E::NAME, event)
    }

    /// [`Client::broadcast`] for typed events: everybody but this client.
    pub fn broadcast(&self) -> EmitterOf<G> {
        EmitterOf::new(self.client.broadcast())
    }

    /// [`Client::to`] for typed events: a room without this client.
    pub fn to(&self, targets: impl IntoTargets) -> EmitterOf<G> {
        self.broadcast().to(targets)
    }
}

impl<G: 'static> FromContainer for ServerOf<G> {
    fn dependency() -> Option<Dependency> {
        None
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ResolveError> {
        let server = resolver
            .ambient::<Servers>()
            .and_then(|servers| servers.of(Key::of::<G>()));
        server.map(Self::new).ok_or_else(|| {
            ResolveError::new(
                resolver.consumer(),
                Key::of::<Self>(),
                format!(
                    "{} is no gateway of this application; \
                     list it in providers(..) of a module",
                    Key::of::<G>()
                ),
            )
        })
    }
}

impl<G: 'static> Deref for ServerOf<G> {
    type Target = WebSocketServer;

    fn deref(&self) -> &WebSocketServer {
        &self.server
    }
}

impl<G> Deref for EmitterOf<G> {
    type Target = Emitter;

    fn deref(&self) -> &Emitter {
        &self.emitter
    }
}

// Derived, these would ask the same of `G`, of which there is no value.

impl<G: 'static> Clone for ServerOf<G> {
    fn clone(&self) -> Self {
        Self::new(self.server.clone())
    }
}

impl<G> Clone for EmitterOf<G> {
    fn clone(&self) -> Self {
        Self::new(self.emitter.clone())
    }
}

impl<G> Clone for ClientOf<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for ClientOf<'_, G> {}

impl<G: 'static> std::fmt::Debug for ServerOf<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}

impl<G> std::fmt::Debug for EmitterOf<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.emitter.fmt(f)
    }
}

impl<G> std::fmt::Debug for ClientOf<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.client.fmt(f)
    }
}
