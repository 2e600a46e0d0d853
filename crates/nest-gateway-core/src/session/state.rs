//! The session: what an adapter's connection task drives.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tracing::Instrument as _;

use super::client::Client;
use super::hooks::{on_connection, on_disconnect};
use super::inbox::{self, Inbox};
use super::input::{CancelTarget, Malformed};
use super::parked::Parked;
use super::running::{Beside, Running};
use super::throttle::Throttle;
use crate::adapter::{Admission, BoxFuture, Gone, Outlet};
use crate::broadcast::send_to;
use crate::close::{CloseReason, DisconnectReason, Initiator};
use crate::config::UnknownEventPolicy;
use crate::dispatch::ExecutionContext;
use crate::error::WsException;
use crate::gateway::Namespace;
use crate::id::{ClientId, RequestId};
use crate::message::{Delivery, Incoming, Outgoing};
use crate::observe::{Outcome, connection_span};
use crate::payload::Payload;

/// One client in one namespace, driven by the task that owns its connection.
///
/// The task calls [`Session::receive`], [`Session::answer`] and
/// [`Session::cancel`] with what it decodes, polls [`Session::poll`] along with
/// its wire, and reads on only while [`Session::has_room`]. When either side
/// wants to end, it calls [`Session::finish`] exactly once.
///
/// Messages are handled one after another in the order received, from the end
/// of `on_connection` on; concurrent handlers and streams run beside. All of
/// them are polled from here, so that dropping the session cancels them.
pub struct Session {
    client: Client,
    namespace: Arc<Namespace>,
    /// `on_connection`, while it runs.
    opening: Option<BoxFuture<'static, Result<(), CloseReason>>>,
    inbox: Inbox,
    current: Option<Running>,
    beside: Beside,
    malformed: u32,
    /// `on_connection` failed.
    refused: bool,
    finished: bool,
    extras: Option<Box<Extras>>,
}

/// What a session has only where an option or a subscriber of traces asks for it.
struct Extras {
    throttle: Option<Throttle>,
    /// Fires when the connection reaches `max_connection_age`.
    age: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Disabled where nobody listens to spans.
    span: tracing::Span,
}

impl Extras {
    fn of(client: &Client) -> Option<Box<Self>> {
        let config = &client.hub().config;
        let extras = Self {
            throttle: config
                .max_messages_per_second
                .map(|rate| Throttle::new(rate, Instant::now())),
            age: config
                .max_connection_age
                .map(|age| Box::pin(tokio::time::sleep(age))),
            span: connection_span(client),
        };
        let needed =
            extras.throttle.is_some() || extras.age.is_some() || !extras.span.is_disabled();
        needed.then(|| Box::new(extras))
    }
}

impl Session {
    /// Makes a client of an admission: it is in its namespace and in the room
    /// of its own id from here on. `on_connection` begins with the first
    /// [`Session::poll`].
    #[must_use]
    pub fn open(adapter: &'static str, admission: Admission, outlet: Arc<dyn Outlet>) -> Self {
        Self::open_as(ClientId::random(), adapter, admission, outlet, Vec::new())
    }

    /// Opens a session that a client lost and came back to: under its former
    /// id, in its former rooms, with its former data (where the guards did not
    /// leave something newer).
    ///
    /// The outlet should be the one that kept the messages meanwhile, so that
    /// none is lost between the two sessions.
    #[must_use]
    pub fn recover(
        parked: Parked,
        adapter: &'static str,
        admission: Admission,
        outlet: Arc<dyn Outlet>,
    ) -> Self {
        let former = parked.take();
        admission.data.inherit(former.data());
        // Handlers of the former session may still run, and must not take its
        // successor out of a room or bring the former one back into one.
        let rooms = former.hand_over_rooms();
        let session = Self::open_inner(former.id(), adapter, admission, outlet, rooms, true);
        // Its entries in the rooms have been replaced by those of its successor.
        former.mark_gone();
        former.was_removed();
        session
    }

    /// [`Session::open`] under an id that the adapter has already told the
    /// client, in these rooms.
    #[must_use]
    pub fn open_as(
        id: ClientId,
        adapter: &'static str,
        admission: Admission,
        outlet: Arc<dyn Outlet>,
        rooms: Vec<Arc<str>>,
    ) -> Self {
        Self::open_inner(id, adapter, admission, outlet, rooms, false)
    }

    fn open_inner(
        id: ClientId,
        adapter: &'static str,
        admission: Admission,
        outlet: Arc<dyn Outlet>,
        rooms: Vec<Arc<str>>,
        recovered: bool,
    ) -> Self {
        let namespace = Arc::clone(&admission.namespace);
        let client = Client::new(id, adapter, admission, outlet, recovered);
        let hub = client.hub();
        hub.enter(&client);
        hub.stats.connected(&client);
        for room in rooms {
            // Within the limit when it was left, so within it now.
            let _ = client.join_now(room);
        }
        if namespace.is_shutting_down() {
            client.close(CloseReason::ShuttingDown);
        }
        let opening = on_connection(Arc::clone(&namespace), client.clone());
        Self {
            extras: Extras::of(&client),
            client,
            namespace,
            opening: Some(opening),
            inbox: Inbox::default(),
            current: None,
            beside: Beside::default(),
            malformed: 0,
            refused: false,
            finished: false,
        }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether another message may be read from the wire. While an answer of
    /// the client is being waited for, reading goes on a little further, since
    /// the answer may stand behind other messages.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let config = &self.client.hub().config;
        let has_room = |stretch: usize| {
            self.inbox.has_room(
                config.inbox_messages.saturating_mul(stretch),
                config.inbox_bytes.saturating_mul(stretch),
            )
        };
        has_room(1) || (self.client.is_asked() && has_room(STRETCH_WHILE_ASKING))
    }

    /// Takes a message: it waits for its turn, also when nobody subscribed to
    /// its event, so that answers come in the order of the messages.
    pub fn receive(&mut self, message: Incoming<'_>) {
        let hub = self.client.hub();
        hub.stats.received(message.size);
        if message.event.len() > hub.config.max_event_bytes {
            self.malformed(Malformed::EventTooLong, message.request.as_ref());
            return;
        }
        if let Some(extras) = &mut self.extras
            && let Some(throttle) = &mut extras.throttle
            && !throttle.admits(Instant::now())
        {
            let exception = WsException::new("Too many messages").with_code("rate_limited");
            self.refuse(
                message.event,
                message.request.as_ref(),
                &exception,
                Outcome::RateLimited,
            );
            return;
        }
        if let Some(route) = self.namespace.route(message.event) {
            self.enqueue(route, message);
        } else if let Some(route) = self.namespace.any_route(message.event) {
            self.enqueue(route, message);
        } else {
            let unknown = inbox::Unknown {
                event: message.event.into(),
                request: message.request,
            };
            let unknown = inbox::Message::Unknown(Box::new(unknown));
            self.inbox.push(unknown, message.size);
        }
    }

    /// Takes a message without an envelope: bytes, for the gateway's binary
    /// handler if it has one.
    pub fn receive_binary(&mut self, payload: Payload, size: usize) {
        self.client.hub().stats.received(size);
        match self.namespace.binary_route() {
            Some(route) => {
                let message = Incoming {
                    event: "",
                    arguments: payload.into(),
                    request: None,
                    size,
                };
                self.enqueue(route, message);
            }
            None => self.malformed(Malformed::Binary, None),
        }
    }

    /// A message that could not be decoded: the client gets an exception, and
    /// is closed when there are too many of them.
    pub fn malformed(&mut self, problem: Malformed, request: Option<&RequestId>) {
        self.malformed += 1;
        let exception = WsException::new(problem.to_string()).with_code("malformed");
        let data = exception.to_payload(None, None);
        self.tell(Outgoing::Exception {
            request,
            data: &data,
        });
        let hub = self.client.hub();
        hub.stats.handled("", Outcome::Malformed);
        if self.malformed >= hub.config.max_malformed {
            self.client.close(CloseReason::Malformed);
        }
    }

    /// The client answered a question of the server; `false` when nobody
    /// waits for that number.
    pub fn answer(&self, id: u64, payload: Payload) -> bool {
        self.client.answer(id, payload)
    }

    /// The client cancels running streams. Cancelling what is not running is
    /// not an error.
    pub fn cancel(&self, target: &CancelTarget) {
        let running = || self.beside.iter().chain(&self.current);
        match target {
            CancelTarget::Request(id) => {
                let mut found = false;
                for one in running().filter(|r| r.context().request_id() == Some(id)) {
                    one.cancel();
                    found = true;
                }
                if let (false, RequestId::Text(name)) = (found, id) {
                    self.cancel(&CancelTarget::Event(name.to_string()));
                }
            }
            CancelTarget::Event(name) => running()
                .filter(|r| r.is_streaming() && r.context().event() == name)
                .for_each(Running::cancel),
        }
    }

    /// Runs what can run. Ready when the server wants to end the connection:
    /// the adapter tells the client in its own terms and calls
    /// [`Session::finish`].
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let span = self.extras.as_deref().map(|extras| extras.span.clone());
        let _entered = span.map(tracing::Span::entered);
        self.client.waker().register(context.waker());
        if let Some(extras) = &mut self.extras
            && let Some(age) = &mut extras.age
            && age.as_mut().poll(context).is_ready()
        {
            extras.age = None;
            self.client.close(CloseReason::Expired);
        }
        match self.poll_opening(context) {
            Poll::Pending => return self.closing_now(),
            Poll::Ready(Err(reason)) => return Poll::Ready(reason),
            Poll::Ready(Ok(())) => {}
        }
        self.poll_handlers(context);
        if self.client.closing().is_some() && !self.is_handling() {
            return self.closing();
        }
        self.closing_now()
    }

    /// Ends the session: waits for handlers that are still running (cancelling
    /// them after `leave_grace`, 10 s), drops streams, calls `on_disconnect`,
    /// and leaves all rooms.
    pub async fn finish(self, reason: DisconnectReason) {
        let span = self.span();
        self.leave(reason).instrument(span).await;
    }

    /// Ends the session of a client that is expected back: as
    /// [`Session::finish`], but it stays in its rooms, and what is sent to it
    /// still reaches its outlet, which keeps it. `Err` when `on_connection` had
    /// not ended; the client is gone then.
    ///
    /// # Errors
    /// [`Gone`] as described.
    pub async fn park(mut self, reason: DisconnectReason) -> Result<Parked, Gone> {
        if !self.is_open() {
            self.finish(reason).await;
            return Err(Gone);
        }
        let span = self.span();
        self.finished = true;
        self.client.mark_parked();
        let parked = Parked::new(self.client.clone());
        self.end_handlers(&reason).instrument(span).await;
        Ok(parked)
    }

    async fn leave(mut self, reason: DisconnectReason) {
        self.finished = true;
        self.client.mark_gone();
        self.end_handlers(&reason).await;
        self.client.remove();
    }

    /// Waits for the hooks and handlers, then tells the gateways.
    async fn end_handlers(&mut self, reason: &DisconnectReason) {
        let orderly = reason.initiator == Initiator::Client && self.client.closing().is_none();
        if !orderly {
            self.inbox.clear();
        }
        for running in self.beside.iter().chain(&self.current) {
            running.cancel();
        }
        let client = self.client.clone();
        let hub = client.hub();
        let rest = poll_fn(|cx| self.poll_rest(cx));
        let cut_short = tokio::select! {
            // Handlers that listen to their cancellation get the chance to end.
            biased;
            () = rest => None,
            () = tokio::time::sleep(hub.config.leave_grace) => Some("the client left"),
            () = hub.overdue.cancelled() => Some("the server stops"),
        };
        if let Some(why) = cut_short {
            let running = self.beside.iter().chain(&self.current);
            let events: Vec<_> = running.map(|r| r.context().event()).collect();
            tracing::warn!(client = %client.id(), ?events, "handlers cancelled: {why}");
        }
        self.current = None;
        self.beside = Beside::default();
        if self.is_open() {
            on_disconnect(&self.namespace, &self.client, reason).await;
        }
        self.client.hub().stats.disconnected(&self.client, reason);
    }

    /// What still runs when the client is gone: hooks and handlers, no streams.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.beside.drop_streams();
        match self.poll_opening(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(())) => {}
        }
        loop {
            self.poll_handlers(context);
            self.beside.drop_streams();
            if self.client.closing().is_some() {
                // A handler disconnected the client, which ends what it sent before.
                self.inbox.clear();
            }
            if self.is_handling() {
                return Poll::Pending;
            }
            if self.inbox.is_empty() {
                return Poll::Ready(());
            }
            // The streams that were dropped had kept the next messages waiting.
        }
    }

    fn poll_opening(&mut self, context: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let Some(opening) = &mut self.opening else {
            return Poll::Ready(if self.refused {
                Err(CloseReason::Refused)
            } else {
                Ok(())
            });
        };
        let client = &self.client;
        let result = std::task::ready!(client.while_opening(|| opening.as_mut().poll(context)));
        self.opening = None;
        if result.is_ok() {
            self.client.open();
        } else {
            self.refused = true;
        }
        Poll::Ready(result)
    }

    fn poll_handlers(&mut self, context: &mut Context<'_>) {
        self.beside.poll(context);
        loop {
            if let Some(current) = &mut self.current {
                let done = Pin::new(&mut *current).poll(context).is_ready();
                if !done && !current.is_streaming() {
                    return;
                }
                // A stream goes on beside the queue.
                if let Some(stream) = self.current.take().filter(|_| !done) {
                    self.beside.push(stream);
                    self.beside.poll(context);
                }
            }
            if !self.start_next() {
                return;
            }
            if self.current.is_none() {
                // A concurrent handler has its first poll in its place in the order.
                self.beside.poll(context);
            }
        }
    }

    /// Starts the next message, unless it has to wait; `false` when there was
    /// nothing to start.
    fn start_next(&mut self) -> bool {
        if self.client.closing().is_some() {
            return false;
        }
        let max = self.client.hub().config.max_in_flight;
        // Any message may turn into a stream, so the bound holds for all.
        if self.beside.len() >= max {
            return false;
        }
        let context = match self.inbox.pop() {
            None => return false,
            Some(inbox::Message::Routed(context)) => context,
            Some(inbox::Message::Unknown(unknown)) => {
                self.unknown_event(&unknown.event, unknown.request.as_ref());
                return true;
            }
        };
        if context.route().is_concurrent() {
            self.beside.push(Running::start(context));
        } else {
            // The former one has ended, so there is none to be dropped.
            self.current.get_or_insert_with(|| Running::start(context));
        }
        true
    }

    fn span(&self) -> tracing::Span {
        let extras = self.extras.as_deref();
        extras.map_or_else(tracing::Span::none, |extras| extras.span.clone())
    }

    /// Whether `on_connection` has ended, and well.
    fn is_open(&self) -> bool {
        self.opening.is_none() && !self.refused
    }

    fn is_handling(&self) -> bool {
        self.current.is_some() || self.beside.iter().any(|running| !running.is_streaming())
    }

    fn closing(&self) -> Poll<CloseReason> {
        match self.client.closing() {
            Some(reason) => Poll::Ready(reason.clone()),
            None => Poll::Pending,
        }
    }

    /// Reasons that do not wait for handlers.
    fn closing_now(&self) -> Poll<CloseReason> {
        match self.client.closing() {
            Some(
                reason @ (CloseReason::SlowConsumer
                | CloseReason::Internal
                | CloseReason::Superseded),
            ) => Poll::Ready(reason.clone()),
            // A client whose `on_connection` has not ended has no handlers.
            Some(reason) if self.opening.is_some() => Poll::Ready(reason.clone()),
            Some(reason) if self.client.hub().overdue.is_cancelled() => Poll::Ready(reason.clone()),
            _ => Poll::Pending,
        }
    }

    fn enqueue(&mut self, route: Arc<crate::gateway::Route>, message: Incoming<'_>) {
        // A handler of many events has to be told which one it is.
        let name = (route.event() != message.event).then(|| message.event.into());
        let context = ExecutionContext::new(
            self.client.clone(),
            route,
            name,
            message.arguments,
            message.request,
        );
        let routed = inbox::Message::Routed(Arc::new(context));
        self.inbox.push(routed, message.size);
    }

    fn unknown_event(&self, event: &str, request: Option<&RequestId>) {
        let policy = self.client.hub().config.unknown_event_policy;
        if policy == UnknownEventPolicy::Ignore {
            self.client.hub().stats.handled("", Outcome::Unknown);
            if request.is_some() {
                self.tell(Outgoing::Reply {
                    event,
                    request,
                    data: None,
                });
            }
            return;
        }
        let exception =
            WsException::new(format!("Unknown event \"{event}\"")).with_code("unknown_event");
        self.refuse(event, request, &exception, Outcome::Unknown);
        if policy == UnknownEventPolicy::Close {
            self.client.close(CloseReason::UnknownEvent);
        }
    }

    fn refuse(
        &self,
        event: &str,
        request: Option<&RequestId>,
        exception: &WsException,
        outcome: Outcome,
    ) {
        let data = exception.to_payload(Some(event), None);
        self.tell(Outgoing::Exception {
            request,
            data: &data,
        });
        self.client.hub().stats.handled("", outcome);
    }

    fn tell(&self, message: Outgoing<'_>) {
        if let Err(error) = send_to(&self.client, message, Delivery::RELIABLE) {
            tracing::error!(%error, "answer cannot be encoded");
        }
    }
}

/// How much further a session reads while it waits for an answer of its client.
const STRETCH_WHILE_ASKING: usize = 16;

impl Drop for Session {
    fn drop(&mut self) {
        if !self.finished {
            // The connection's task died; at least nobody emits to it any more.
            self.client.mark_gone();
            self.client.remove();
            let reason = DisconnectReason::by_network(None, "connection task ended");
            self.client.hub().stats.disconnected(&self.client, &reason);
        }
    }
}
