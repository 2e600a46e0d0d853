//! The server's handle of one client.

mod delivery;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::acks::{AckError, Answer, Questions};
use super::data::ClientData;
use crate::adapter::{Admission, Format, Gone, ItemEncoder, Outlet, Place};
use crate::broadcast::{
    ClientOf, Emitted, Emitter, Event, Hub, IntoTargets, JoinProblem, Memberships, SentByNoGateway,
    send_to,
};
use crate::close::CloseReason;
use crate::error::WsException;
use crate::handshake::Handshake;
use crate::id::{ClientId, RequestId};
use crate::message::{Arguments, Delivery, Encoded, Outgoing};
use crate::payload::{EncodeError, Payload};

thread_local! {
    /// Where messages to single clients are encoded. Taken out while it is in
    /// use, since encoding may run code that sends something itself.
    static ENCODING: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The most memory in bytes that a thread keeps for encoding the next message.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// Lends the thread's buffer, empty.
fn encoding<R>(encode: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    ENCODING.with(|kept| {
        let mut buffer = kept.take();
        buffer.clear();
        let result = encode(&mut buffer);
        if buffer.capacity() <= MAX_KEPT_BYTES {
            kept.set(buffer);
        }
        result
    })
}

/// A connected client, in one namespace. Cheap to clone; holding it does not
/// keep the connection open.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

/// What every message looks at comes first, so that it shares a line of memory.
#[repr(C)]
struct Inner {
    hub: Arc<Hub>,
    outlet: Arc<dyn Outlet>,
    seldom: OnceLock<Box<Seldom>>,
    state: AtomicU8,
    recovered: bool,
    /// Set with the first message that a drop policy took from this client.
    lost_messages: AtomicBool,
    pub(super) waker: AtomicWaker,
    held: Mutex<Option<Box<Held>>>,
    adapter: &'static str,
    id: ClientId,
    handshake: Handshake,
    data: ClientData,
    memberships: Memberships,
    _place: Place,
}

impl Inner {
    fn path(&self) -> &Arc<str> {
        let asked = self.seldom.get().and_then(|seldom| seldom.asked.as_ref());
        asked.unwrap_or(&self.hub.namespace)
    }
}

/// What others sent while `on_connection` was running; behind a pointer, since
/// afterwards a client carries it for nothing.
type Held = Vec<(Bytes, Delivery)>;

/// What most clients need at their end only, and carry as a pointer until then.
#[derive(Default)]
struct Seldom {
    questions: Questions,
    closing: OnceLock<CloseReason>,
    /// The path that it asked for, where that is another spelling of the hub's.
    asked: Option<Arc<str>>,
}

impl Seldom {
    fn asked(path: Arc<str>) -> Self {
        Self {
            asked: Some(path),
            ..Self::default()
        }
    }
}

/// `on_connection` has not ended yet.
const OPENING_STATE: u8 = 0;
/// Connected.
const OPEN_STATE: u8 = 1;
/// Gone.
const CLOSED_STATE: u8 = 2;
/// Away, and expected back: what is sent to it is kept by its outlet.
const PARKED_STATE: u8 = 3;

impl Client {
    pub(super) fn new(
        id: ClientId,
        adapter: &'static str,
        admission: Admission,
        outlet: Arc<dyn Outlet>,
        recovered: bool,
    ) -> Self {
        let hub = admission
            .namespace
            .hub()
            .of_path(&admission.path, &admission.params);
        let seldom = OnceLock::new();
        if *admission.path != *hub.namespace {
            seldom.get_or_init(|| Box::new(Seldom::asked(admission.path)));
        }
        Self(Arc::new(Inner {
            id,
            adapter,
            hub,
            outlet,
            handshake: admission.handshake,
            data: admission.data,
            memberships: Memberships::default(),
            state: AtomicU8::new(OPENING_STATE),
            held: Mutex::default(),
            seldom,
            recovered,
            lost_messages: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            _place: admission.place,
        }))
    }

    /// Its public id, which is also the name of the room that only it is in.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.0.id
    }

    /// The name of the adapter that it came through: `native`, `socketio`.
    #[must_use]
    pub fn adapter(&self) -> &'static str {
        self.0.adapter
    }

    /// The path of its namespace as the client asked for it: `/room/7`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// One parameter of the namespace's path: `id` of `/room/{id}`.
    #[must_use]
    pub fn path_param(&self, name: &str) -> Option<&str> {
        self.path_params()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All parameters of the namespace's path.
    pub fn path_params(&self) -> impl Iterator<Item = (&str, &str)> {
        let params = self.0.hub.params().iter();
        params.map(|(key, value)| (&**key, &**value))
    }

    /// What it said when it connected.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// Typed values that belong to this client and live as long as it does.
    #[must_use]
    pub fn data(&self) -> &ClientData {
        &self.0.data
    }

    /// Whether the client came back within the recovery window, with its rooms
    /// and the messages that it missed.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.0.recovered
    }

    /// Whether it is still there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let state = self.0.state.load(Ordering::Acquire);
        matches!(state, OPENING_STATE | OPEN_STATE) && self.closing().is_none()
    }

    /// Emits an event to this client. The result may be awaited, to go on only
    /// when the client keeps up.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Emitted {
        let payload = Payload::from_serialize(data).map(Arguments::from);
        self.emit_arguments(event, payload, Delivery::RELIABLE)
    }

    /// Emits an event with several arguments.
    pub fn emit_args(&self, event: &str, arguments: Vec<Payload>) -> Emitted {
        self.emit_arguments(event, Ok(arguments.into()), Delivery::RELIABLE)
    }

    /// Emits an event that may be dropped when the client reads too slowly.
    pub fn emit_volatile<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Emitted {
        let payload = Payload::from_serialize(data).map(Arguments::from);
        self.emit_arguments(event, payload, Delivery::VOLATILE)
    }

    /// Addresses this client alone; `false` keeps its transport from compressing
    /// the message: `client.compress(false).emit("image", &bytes)`.
    pub fn compress(&self, compress: bool) -> Emitter {
        Emitter::new(Arc::clone(&self.0.hub))
            .to(self.id())
            .compress(compress)
    }

    /// The same client, for the typed events of the gateway `G`:
    /// `client.of::<Self>().send(&event)`.
    #[must_use]
    pub fn of<G>(&self) -> ClientOf<'_, G> {
        ClientOf::new(self)
    }

    /// Typed events are sent by handles that know their gateway: [`Self::of`].
    #[doc(hidden)]
    pub fn send<E: Event + SentByNoGateway>(&self, event: &E) -> Emitted {
        self.emit(E::NAME, event)
    }

    /// Emits an event and waits for the client's answer, at most `ack_timeout`
    /// of the configuration (10 s).
    ///
    /// The answer does not queue behind the client's other messages, so that a
    /// handler may wait for it. Dropping the future stops waiting.
    ///
    /// # Errors
    /// [`AckError`] when no answer comes in time, the client goes, or the
    /// answer is not a `T`.
    pub async fn emit_with_ack<T: DeserializeOwned>(
        &self,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<T, AckError> {
        let timeout = self.0.hub.config.ack_timeout;
        self.emit_with_ack_in(timeout, event, data).await
    }

    /// [`Client::emit_with_ack`] with a time limit of its own.
    ///
    /// # Errors
    /// As there.
    pub async fn emit_with_ack_in<T: DeserializeOwned>(
        &self,
        timeout: Duration,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<T, AckError> {
        let payload = Payload::from_serialize(data)?;
        let answer = self.ask(event, &payload.into(), timeout).await?;
        Ok(answer.decode()?)
    }

    /// [`Client::emit_with_ack`] with any number of arguments; the answer is not
    /// decoded. Several values of one answer are an array.
    ///
    /// # Errors
    /// As there.
    pub async fn emit_args_with_ack(
        &self,
        event: &str,
        arguments: Vec<Payload>,
    ) -> Result<Payload, AckError> {
        let timeout = self.0.hub.config.ack_timeout;
        self.ask(event, &arguments.into(), timeout).await
    }

    /// Everybody in the namespace but this client; of a pattern, at its path.
    pub fn broadcast(&self) -> Emitter {
        Emitter::new(Arc::clone(&self.0.hub)).without(self.id())
    }

    /// A room, or other clients, without this client.
    pub fn to(&self, targets: impl IntoTargets) -> Emitter {
        self.broadcast().to(targets)
    }

    /// Joins a room.
    ///
    /// # Errors
    /// When the client is in as many rooms as allowed, the room's name is
    /// longer than 256 bytes, or the client is gone.
    #[expect(clippy::unused_async, reason = "other nodes will have to be told")]
    pub async fn join(&self, room: impl Into<Arc<str>>) -> Result<(), WsException> {
        self.join_now(room.into())
    }

    /// Leaves a room; leaving one that it is not in changes nothing.
    #[expect(clippy::unused_async, reason = "other nodes will have to be told")]
    pub async fn leave(&self, room: impl AsRef<str>) {
        self.leave_now(room.as_ref());
    }

    /// The rooms it is in: first the one of its own, which has its id for a
    /// name, then those that it joined.
    #[must_use]
    pub fn rooms(&self) -> Vec<Arc<str>> {
        let mut rooms = vec![Arc::from(self.id().as_str())];
        rooms.extend(self.0.memberships.names());
        rooms
    }

    /// The rooms that it joined, without the one of its own.
    #[must_use]
    pub fn joined_rooms(&self) -> Vec<Arc<str>> {
        self.0.memberships.names()
    }

    /// Whether it is in this room.
    #[must_use]
    pub fn is_in(&self, room: &str) -> bool {
        room == self.id().as_str() || self.0.memberships.contains(room)
    }

    /// Takes the client out of its namespace in an orderly way: what is queued
    /// is still delivered, then the client is told `reason` (with code 1000
    /// where the wire has codes).
    ///
    /// Where a connection is in one namespace (native), that is its end. On
    /// Socket.IO it goes on with the other namespaces that it is in, as after
    /// `socket.disconnect()` on Node's server: [`Client::close_connection`]
    /// ends those too.
    pub fn disconnect(&self, reason: impl Into<Cow<'static, str>>) {
        self.close(CloseReason::Disconnected(reason.into()));
    }

    /// Ends the connection with everything that it is in: on Socket.IO its
    /// clients of all namespaces are disconnected and the transport is closed,
    /// as by `socket.disconnect(true)` on Node's server. Each `on_disconnect`
    /// runs; handlers that the other clients have in flight are told by their
    /// `CancellationToken`, and answer nobody any more.
    ///
    /// Where a connection is in one namespace (native), this is the same as
    /// [`Client::disconnect`].
    pub fn close_connection(&self, reason: impl Into<Cow<'static, str>>) {
        self.close(CloseReason::ConnectionClosed(reason.into()));
    }

    /// [`Client::disconnect`] with an application's own close code, 3000 to
    /// 4999; another code becomes 1000.
    pub fn disconnect_with(&self, code: u16, reason: impl Into<Cow<'static, str>>) {
        let reason = reason.into();
        self.close(if (3000..5000).contains(&code) {
            CloseReason::Custom(code, reason)
        } else {
            CloseReason::Disconnected(reason)
        });
    }

    /// Bytes that wait in its outbox.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.have_served();
        self.0.outlet.queued_bytes()
    }

    /// Ends the connection for a reason, behind what was sent to it; the first
    /// reason wins. The session notices at its next poll.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.have_served();
        self.end(reason);
    }

    /// [`Client::close`] of one that takes too little, whatever waits for it.
    fn end(&self, reason: CloseReason) {
        if self.seldom().closing.set(reason).is_ok() {
            self.0.waker.wake();
        }
    }

    pub(super) fn closing(&self) -> Option<&CloseReason> {
        self.0.seldom.get()?.closing.get()
    }

    /// Has its session look at the world again.
    pub(crate) fn wake(&self) {
        self.0.waker.wake();
    }

    pub(super) fn waker(&self) -> &AtomicWaker {
        &self.0.waker
    }

    /// Whether an answer of the client is being waited for.
    pub(super) fn is_asked(&self) -> bool {
        let seldom = self.0.seldom.get();
        seldom.is_some_and(|seldom| seldom.questions.any_open())
    }

    /// The client answered; `false` when nobody waits for that number.
    pub(super) fn answer(&self, id: u64, payload: Payload) -> bool {
        let seldom = self.0.seldom.get();
        seldom.is_some_and(|seldom| seldom.questions.answer(id, payload))
    }

    fn seldom(&self) -> &Seldom {
        self.0.seldom.get_or_init(Box::default)
    }

    /// Whether both are handles of the same session.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.0.hub
    }

    pub(crate) fn shared_path(&self) -> Arc<str> {
        Arc::clone(self.0.path())
    }

    pub(crate) fn format(&self) -> Format {
        self.0.outlet.codec().format()
    }

    pub(crate) fn codec_names_path(&self) -> bool {
        self.0.outlet.codec().names_path()
    }

    pub(crate) fn has_many_arguments(&self) -> bool {
        self.0.outlet.codec().carries_many_arguments()
    }

    pub(crate) fn encode(&self, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        self.0.outlet.codec().encode(self.0.path(), message)
    }

    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.0.outlet.poll_room(context)
    }

    pub(crate) fn join_now(&self, room: Arc<str>) -> Result<(), WsException> {
        if room.len() > MAX_ROOM_NAME_BYTES {
            return Err(WsException::new("Room name too long").with_code("room_name"));
        }
        let limit = self.0.hub.config.max_rooms_per_client;
        let joined = self
            .0
            .memberships
            .join(&self.0.hub.rooms(), self, room, limit);
        joined.map_err(|problem| match problem {
            JoinProblem::TooMany => WsException::new(format!("Too many rooms; at most {limit}"))
                .with_code("too_many_rooms"),
            JoinProblem::Gone => WsException::new("The client is gone").with_code("gone"),
        })
    }

    pub(crate) fn leave_now(&self, room: &str) {
        self.0
            .memberships
            .leave(&self.0.hub.rooms(), self.id(), room);
    }

    /// Asks the client; the question is on its way when this returns.
    pub(crate) fn ask(&self, event: &str, arguments: &Arguments, timeout: Duration) -> Answer {
        self.ask_by(Delivery::RELIABLE, event, arguments, timeout)
    }

    /// [`Client::ask`], by a way of its own.
    pub(crate) fn ask_by(
        &self,
        delivery: Delivery,
        event: &str,
        arguments: &Arguments,
        timeout: Duration,
    ) -> Answer {
        let max = self.0.hub.config.max_open_questions;
        self.seldom().questions.ask(max, timeout, |id| {
            let message = Outgoing::Question {
                id,
                event,
                arguments,
            };
            match send_to(self, message, delivery) {
                Ok(true) => Ok(()),
                Ok(false) => Err(AckError::Gone),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Encodes a message that only this client gets, and queues it; `true`
    /// when it is on its way.
    pub(crate) fn tell(
        &self,
        message: Outgoing<'_>,
        delivery: Delivery,
    ) -> Result<bool, EncodeError> {
        let codec = self.0.outlet.codec();
        encoding(|buffer| {
            let said = codec.encode_into(self.0.path(), message, buffer)?;
            Ok(said && self.deliver_own(buffer, delivery))
        })
    }

    pub(crate) fn item_encoder(
        &self,
        event: &str,
        request: Option<&RequestId>,
    ) -> Option<ItemEncoder> {
        let codec = self.0.outlet.codec();
        codec.item_encoder(self.0.path(), event, request)
    }

    /// Nothing reaches the client from here on; rooms and data stay readable.
    pub(super) fn mark_gone(&self) {
        self.have_served();
        let mut held = self.held();
        if self.0.state.swap(CLOSED_STATE, Ordering::AcqRel) != CLOSED_STATE {
            self.0.hub.rounds.is_leaving();
        }
        *held = None;
        drop(held);
        self.seldom().questions.abandon();
    }

    /// The client is away: its outlet keeps what is sent to it.
    pub(super) fn mark_parked(&self) {
        self.have_served();
        self.open();
        let parked = self.0.state.compare_exchange(
            OPEN_STATE,
            PARKED_STATE,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        debug_assert!(parked.is_ok(), "only an open client is parked");
        self.seldom().questions.abandon();
    }

    /// Leaves its rooms to the session that takes its place.
    pub(super) fn hand_over_rooms(&self) -> Vec<Arc<str>> {
        self.0.memberships.hand_over()
    }

    /// Out of all rooms and out of the namespace.
    pub(super) fn remove(&self) {
        self.0.memberships.end(&self.0.hub.rooms(), self.id());
        self.0.hub.leave(self.id());
        self.was_removed();
    }

    /// Nobody has it on a list any more, since it was removed, or replaced by the
    /// session that came after it.
    pub(super) fn was_removed(&self) {
        self.0.hub.rounds.has_left();
    }

    fn emit_arguments(
        &self,
        event: &str,
        arguments: Result<Arguments, EncodeError>,
        delivery: Delivery,
    ) -> Emitted {
        let sent = arguments.and_then(|arguments| {
            let message = Outgoing::Event {
                event,
                arguments: &arguments,
            };
            send_to(self, message, delivery)
        });
        Emitted::new(event, sent.map(usize::from), Some(self.clone()))
    }
}

/// Longest room name in bytes: names are stored once for each room.
const MAX_ROOM_NAME_BYTES: usize = 256;

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.0.id)
            .field("adapter", &self.0.adapter)
            .field("path", self.0.path())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Client {}
