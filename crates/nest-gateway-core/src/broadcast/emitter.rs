//! The builder behind `server.to(room).except(client).emit(..)`.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fanout::{Seen, fan_out};
use super::hub::Hub;
use super::room::Room;
use super::rooms::RoomName;
use super::typed::{Event, SentByNoGateway};
use crate::adapter::BoxFuture;
use crate::close::CloseReason;
use crate::id::ClientId;
use crate::message::{Arguments, Delivery, Outgoing};
use crate::payload::{EncodeError, Payload};
use crate::session::{AckError, Client};

/// An emit that is being addressed: to whom, except whom, how.
///
/// With no `to(..)` it reaches every client of the namespace. Several rooms are
/// a union: a client in two of them gets the message once.
#[derive(Clone)]
#[must_use = "an emitter does nothing until `emit` is called"]
pub struct Emitter {
    hub: Arc<Hub>,
    selection: Selection,
    delivery: Delivery,
    timeout: Duration,
}

/// The answers of several clients, as they come.
pub type Answers<T> = Pin<Box<dyn Stream<Item = (ClientId, Result<T, AckError>)> + Send>>;

/// Whom an emit reaches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Rooms and client ids; everybody when empty.
    to: Vec<RoomName>,
    except: Vec<RoomName>,
    sender: Option<ClientId>,
}

impl Emitter {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        let timeout = hub.config.ack_timeout;
        Self {
            hub,
            selection: Selection::default(),
            delivery: Delivery::RELIABLE,
            timeout,
        }
    }

    pub(crate) fn without(mut self, sender: ClientId) -> Self {
        self.selection.sender = Some(sender);
        self
    }

    /// Adds receivers: the members of a room, one client by its id, or several
    /// of them.
    pub fn to(mut self, targets: impl IntoTargets) -> Self {
        self.selection.to.extend(targets.into_targets().0);
        self
    }

    /// Leaves out the members of a room, one client by its id, or several of
    /// them.
    pub fn except(mut self, targets: impl IntoTargets) -> Self {
        self.selection.except.extend(targets.into_targets().0);
        self
    }

    /// Reaches only clients of this node. Without a backplane there are no
    /// others, so that this changes nothing.
    pub fn local(self) -> Self {
        self
    }

    /// The message may be dropped when a receiver reads too slowly, before any
    /// other one is.
    pub fn volatile(mut self) -> Self {
        self.delivery = self.delivery.volatile();
        self
    }

    /// Whether a transport that compresses may try it on this message. Default:
    /// yes. `compress(false)` saves the time for what is compressed already, or
    /// is a secret that must not stand beside data of others in one window.
    pub fn compress(mut self, compress: bool) -> Self {
        self.delivery = self.delivery.compress(compress);
        self
    }

    /// How long [`Emitter::emit_with_ack`] waits for answers. Default:
    /// `ack_timeout` of the configuration (10 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Emits an event. Never waits for a client.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Emitted {
        self.emit_arguments(event, Payload::from_serialize(data).map(Arguments::from))
    }

    /// Emits an event with several arguments, which Socket.IO clients receive
    /// as such; the native wire carries them as an array.
    pub fn emit_args(&self, event: &str, arguments: Vec<Payload>) -> Emitted {
        self.emit_arguments(event, Ok(arguments.into()))
    }

    /// Typed events are sent by handles that know their gateway: `server.of::<Self>()`.
    #[doc(hidden)]
    pub fn send<E: Event + SentByNoGateway>(&self, event: &E) -> Emitted {
        self.emit(E::NAME, event)
    }

    /// Emits an event and asks every receiver for an answer.
    ///
    /// The stream yields each answer as it comes, and a timeout for each client
    /// that did not answer in time; it ends when every receiver is accounted
    /// for. Dropping it stops waiting.
    pub fn emit_with_ack<T: DeserializeOwned + Send + 'static>(
        &self,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Answers<T> {
        let payload = Payload::from_serialize(data);
        let answers = FuturesUnordered::new();
        self.selection.for_each(&self.hub, |client| {
            let id = client.id();
            let asked = match &payload {
                Ok(payload) => {
                    let arguments = payload.clone().into();
                    client.ask_by(self.delivery, event, &arguments, self.timeout)
                }
                Err(error) => AckError::Encode(error.clone()).into_answer(),
            };
            answers.push(async move {
                let answer = asked.await;
                (id, answer.and_then(|payload| Ok(payload.decode::<T>()?)))
            });
        });
        Box::pin(answers)
    }

    /// The clients that an emit would reach now.
    #[must_use]
    pub fn sockets(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        self.selection
            .for_each(&self.hub, |client| clients.push(client.clone()));
        clients
    }

    /// Puts these clients into a room. Clients that are in as many rooms as
    /// allowed are left where they are and logged.
    pub fn join(&self, room: impl Into<Arc<str>>) {
        let room = room.into();
        for client in self.sockets() {
            if let Err(error) = client.join_now(room.clone()) {
                tracing::warn!(client = %client.id(), %error, "client cannot join");
            }
        }
    }

    /// Takes these clients out of a room.
    pub fn leave(&self, room: &str) {
        for client in self.sockets() {
            client.leave_now(room);
        }
    }

    /// Disconnects these clients: [`Client::disconnect`] for each.
    pub fn disconnect(&self, reason: impl Into<Cow<'static, str>>) {
        self.close(&CloseReason::Disconnected(reason.into()));
    }

    /// Closes the connections of these clients, with everything that the
    /// connections are in: [`Client::close_connection`] for each.
    pub fn close_connections(&self, reason: impl Into<Cow<'static, str>>) {
        self.close(&CloseReason::ConnectionClosed(reason.into()));
    }

    fn close(&self, reason: &CloseReason) {
        for client in self.sockets() {
            client.close(reason.clone());
        }
    }

    fn emit_arguments(&self, event: &str, arguments: Result<Arguments, EncodeError>) -> Emitted {
        let sent = arguments.and_then(|arguments| {
            let message = Outgoing::Event {
                event,
                arguments: &arguments,
            };
            fan_out(&self.hub, &self.selection, message, self.delivery)
        });
        Emitted::new(event, sent, None)
    }
}

impl std::fmt::Debug for Emitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emitter")
            .field("namespace", &self.hub.namespace)
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}

impl Selection {
    /// The room that all receivers are in and that has only receivers, the
    /// sender aside; `None` where it takes more to say who they are.
    pub(super) fn in_one_room<R>(&self, hub: &Hub, look: impl FnOnce(&Room) -> R) -> Option<R> {
        match (&self.to[..], &self.except[..]) {
            ([], []) => Some(look(&hub.clients)),
            // A client's id is the name of a room that is nowhere written down.
            ([name], []) if ClientId::parse(name).is_none() => {
                hub.room(name).map(|room| look(&room))
            }
            _ => None,
        }
    }

    /// The client that does not get what it sends.
    pub(super) fn sender(&self) -> Option<ClientId> {
        self.sender
    }

    /// Visits every selected client once.
    pub(crate) fn for_each(&self, hub: &Hub, mut visit: impl FnMut(&Client)) {
        let mut visit = |client: &Client| {
            if !self.leaves_out(client) {
                visit(client);
            }
        };
        match self.to.as_slice() {
            [] => hub.clients.for_each(visit),
            [one] => for_each_in(hub, one, &mut visit),
            several => {
                let mut seen = Seen::new();
                for name in several {
                    for_each_in(hub, name, &mut |client| {
                        if seen.insert(client.id()) {
                            visit(client);
                        }
                    });
                }
            }
        }
    }

    fn leaves_out(&self, client: &Client) -> bool {
        self.sender.is_some_and(|sender| sender == client.id())
            || self.except.iter().any(|name| client.is_in(name))
    }
}

/// Visits the members of one room; a client's id names the room of its own.
fn for_each_in(hub: &Hub, name: &str, visit: &mut impl FnMut(&Client)) {
    let own = ClientId::parse(name).and_then(|id| hub.client(id));
    let own_id = own.as_ref().map(Client::id);
    if let Some(client) = own {
        visit(&client);
    }
    if let Some(room) = hub.room(name) {
        room.for_each(|client| {
            if own_id != Some(client.id()) {
                visit(client);
            }
        });
    }
}

/// Rooms and clients that an emit is addressed to.
#[derive(Clone, Debug, Default)]
pub struct Targets(Vec<RoomName>);

/// What [`Emitter::to`] and [`Emitter::except`] take: a room's name, a client
/// or its id, or several of one kind.
pub trait IntoTargets {
    /// The names.
    fn into_targets(self) -> Targets;
}

impl IntoTargets for Targets {
    fn into_targets(self) -> Targets {
        self
    }
}

macro_rules! one_target {
    ($($type:ty),*) => {$(
        impl IntoTargets for $type {
            fn into_targets(self) -> Targets {
                Targets(vec![Arc::from(AsRef::<str>::as_ref(&self))])
            }
        }
    )*};
}
one_target!(&str, String, &String, Box<str>, ClientId, &ClientId);

impl IntoTargets for Arc<str> {
    fn into_targets(self) -> Targets {
        Targets(vec![self])
    }
}

impl IntoTargets for &Client {
    fn into_targets(self) -> Targets {
        self.id().into_targets()
    }
}

impl<T: IntoTargets, const N: usize> IntoTargets for [T; N] {
    fn into_targets(self) -> Targets {
        collect(self)
    }
}

impl<T: IntoTargets> IntoTargets for Vec<T> {
    fn into_targets(self) -> Targets {
        collect(self)
    }
}

impl<T: IntoTargets + Clone> IntoTargets for &[T] {
    fn into_targets(self) -> Targets {
        collect(self.iter().cloned())
    }
}

fn collect<T: IntoTargets>(targets: impl IntoIterator<Item = T>) -> Targets {
    let names = targets.into_iter().flat_map(|t| t.into_targets().0);
    Targets(names.collect())
}

/// What became of an emit: already queued when this exists.
///
/// Awaiting it is optional. For an emit to a single client it waits until that
/// client's outbox has room again, so that a loop of emits runs at the pace at
/// which the client reads; for other emits it is ready at once, since an emit
/// never waits for somebody's slow client.
#[derive(Debug)]
pub struct Emitted {
    result: Result<usize, EncodeError>,
    client: Option<Client>,
}

impl Emitted {
    pub(crate) fn new(
        event: &str,
        result: Result<usize, EncodeError>,
        client: Option<Client>,
    ) -> Self {
        if let Err(error) = &result {
            tracing::error!(event, %error, "emit failed");
        }
        Self { result, client }
    }

    /// For how many clients of this node the message was queued. Of those in a
    /// large room some may read too slowly to get it: what the policy for slow
    /// clients drops there is counted in the metrics alone.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.result.as_ref().copied().unwrap_or(0)
    }

    /// The number of receivers, or why the payload could not be encoded (which
    /// is also logged).
    pub fn into_result(self) -> Result<usize, EncodeError> {
        self.result
    }
}

impl IntoFuture for Emitted {
    type Output = Result<usize, EmitError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let receivers = self.result?;
            if let Some(client) = self.client {
                if receivers == 0 {
                    return Err(EmitError::Gone);
                }
                RoomOf(&client).await.map_err(|_| EmitError::Gone)?;
            }
            Ok(receivers)
        })
    }
}

/// Why an awaited emit did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The payload cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The client is gone.
    #[error("the client is gone")]
    Gone,
}

/// Waits for room in a client's outbox.
struct RoomOf<'a>(&'a Client);

impl Future for RoomOf<'_> {
    type Output = Result<(), crate::adapter::Gone>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_room(context)
    }
}
