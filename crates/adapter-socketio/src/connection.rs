//! One connection: packets in, its namespaces' sessions polled, until either side ends it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use nest_gateway_core::adapter::{Admission, BoxFuture, Host, Outlet};
use nest_gateway_core::close::{CloseReason, DisconnectReason};
use nest_gateway_core::gateway::CANCEL_EVENT;
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::id::{ClientId, RequestId};
use nest_gateway_core::message::{Arguments, Incoming};
use nest_gateway_core::payload::Payload;
use nest_gateway_core::recovery::{Former, Recoverable, RecoveryStore};
use nest_gateway_core::session::{CancelTarget, Session};
use nest_gateway_core::value::Value;
use nest_gateway_wire::{Class, Frame};
use tokio::time::Sleep;

use crate::NAME;
use crate::arguments;
use crate::close::{self, Ending};
use crate::engine::{self, Message};
use crate::namespace::{Admitted, Joined, Joining, Refused, Wish};
use crate::outlet::SocketIoOutlet;
use crate::packet::{AssemblyLimits, PacketError, Text};
use crate::parser::{Body, Decoder, Parser, Request};

/// Namespaces that were left and whose late packets are passed over, at most.
const MAX_LEFT: usize = 16;

/// What the connections of one adapter share.
pub(crate) struct Shared {
    pub(crate) host: Arc<Host>,
    pub(crate) parser: Arc<Parser>,
    pub(crate) connect_timeout: Duration,
    pub(crate) attachments: Arc<AssemblyLimits>,
    /// Clients that may come back, where that is switched on.
    pub(crate) recovery: Option<Arc<RecoveryStore>>,
}

/// A connection and what it is in.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    handshake: Handshake,
    engine: engine::Connection,
    /// Also a part of `engine`, which is borrowed while the namespaces are polled.
    sender: engine::Sender,
    decoder: Decoder,
    joined: Vec<Joined>,
    joining: Vec<Joining>,
    /// Sessions that are ending: handlers in flight and `on_disconnect`.
    leaving: Vec<BoxFuture<'static, ()>>,
    left: Vec<Text>,
    /// Runs while the connection is in no namespace, or attachments are outstanding.
    timer: Option<Pin<Box<Sleep>>>,
    /// The namespaces have done what they can with all that they were given.
    settled: bool,
}

/// What the loop has to look at.
enum Step {
    Message(Message),
    /// The transport ended.
    Lost(engine::CloseReason),
    /// The server wants a client to end.
    Ended(usize, CloseReason),
    Admitted(usize, Result<Admitted, Refused>),
    /// There is room again for what the client sends.
    Room,
    Overdue,
    ShutDown,
}

impl Connection {
    pub(crate) fn new(
        shared: Arc<Shared>,
        handshake: Handshake,
        engine: engine::Connection,
    ) -> Self {
        let timer = Box::pin(tokio::time::sleep(shared.connect_timeout));
        Self {
            decoder: shared.parser.decoder(Arc::clone(&shared.attachments)),
            shared,
            handshake,
            sender: engine.sender().clone(),
            engine,
            joined: Vec::new(),
            joining: Vec::new(),
            leaving: Vec::new(),
            left: Vec::new(),
            timer: Some(timer),
            settled: false,
        }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(mut self: Box<Self>) {
        let reason = loop {
            let ended = match self.step().await {
                Step::Message(message) => self.message(message),
                Step::Lost(reason) => Some(reason),
                Step::Ended(index, reason) => self.ended(index, &reason),
                Step::Admitted(index, outcome) => self.admitted(index, outcome),
                Step::Room => None,
                Step::Overdue => self.overdue(),
                Step::ShutDown => Some(engine::CloseReason::ServerShutdown),
            };
            if let Some(reason) = ended {
                break reason;
            }
            self.set_timer();
        };
        // On the heap, since an open connection should not carry the room for its end.
        Box::pin(self.end(reason)).await;
    }

    async fn step(&mut self) -> Step {
        let reading = self.has_room();
        self.engine.set_reading(reading);
        let Self {
            engine,
            sender,
            joined,
            joining,
            leaving,
            timer,
            shared,
            settled,
            ..
        } = self;
        let alone = joined.is_empty() && joining.is_empty();
        // On the heap, since a connection that is in a namespace should not carry the room for it.
        let mut shutdown = alone.then(|| Box::pin(shared.host.shutdown().cancelled()));
        let step = {
            let mut message = pin!(engine.next());
            poll_fn(|cx| {
                // It is mostly the transport that wakes the task, so that is looked at first; but
                // each message is handled before the next one is read, and one that joins a
                // namespace before one that is for it.
                let mut received = Poll::Pending;
                let transport_first = *settled && joining.is_empty();
                if transport_first {
                    received = message.as_mut().poll(cx);
                }
                if !matches!(received, Poll::Ready(Some(_))) {
                    // Replies leave when the sessions have done what they can, and not one by one.
                    let done =
                        sender.corked(|| poll_namespaces(cx, joined, joining, leaving, reading));
                    *settled = done.is_pending();
                    if let Poll::Ready(step) = done {
                        return Poll::Ready(Some(step));
                    }
                }
                if !transport_first {
                    received = message.as_mut().poll(cx);
                }
                if let Poll::Ready(message) = received {
                    *settled = false;
                    return Poll::Ready(message.map(Step::Message));
                }
                if poll_timer(cx, timer).is_ready() {
                    return Poll::Ready(Some(Step::Overdue));
                }
                match &mut shutdown {
                    Some(shutdown) => shutdown.as_mut().poll(cx).map(|()| Some(Step::ShutDown)),
                    None => Poll::Pending,
                }
            })
            .await
        };
        step.unwrap_or_else(|| {
            let reason = engine.close_reason();
            Step::Lost(reason.unwrap_or(engine::CloseReason::TransportLost))
        })
    }

    fn has_room(&self) -> bool {
        self.joined.iter().all(|joined| joined.session.has_room())
    }

    fn message(&mut self, message: Message) -> Option<engine::CloseReason> {
        let (Message::Text(bytes) | Message::Binary(bytes)) = &message;
        let size = bytes.len();
        let packet = self.decoder.message(message, Instant::now());
        match packet {
            Ok(Some(packet)) => self.packet(packet, size),
            Ok(None) => None,
            Err(error) => Some(self.broken(error)),
        }
    }

    fn broken(&self, error: PacketError) -> engine::CloseReason {
        tracing::debug!(sid = ?self.engine.sid(), %error, "broken packet");
        close::by_packet(error)
    }

    fn packet(&mut self, packet: Request, size: usize) -> Option<engine::CloseReason> {
        let Request { namespace, body } = packet;
        let position = self
            .joined
            .iter()
            .position(|joined| joined.namespace == namespace);
        match (body, position) {
            (Body::Connect(auth), None) => self.connect(namespace, auth),
            (_, None) if self.left.contains(&namespace) => None,
            // Joining twice, or talking before having joined, breaks the protocol.
            (Body::Connect(_), Some(_)) | (_, None) => Some(engine::CloseReason::ForcedClose),
            (Body::Disconnect, Some(index)) => {
                self.leave(index, close::by_client());
                None
            }
            (
                Body::Event {
                    id,
                    event,
                    arguments,
                },
                Some(index),
            ) => {
                receive(&mut self.joined[index].session, id, &event, arguments, size);
                None
            }
            (Body::Ack { id, arguments }, Some(index)) => {
                match answer(&self.joined[index].session, id, &arguments) {
                    Ok(()) => None,
                    Err(error) => Some(self.broken(error)),
                }
            }
        }
    }

    fn connect(&mut self, namespace: Text, auth: Payload) -> Option<engine::CloseReason> {
        if self
            .joining
            .iter()
            .any(|joining| joining.namespace == namespace)
        {
            return Some(engine::CloseReason::ForcedClose);
        }
        let host = &self.shared.host;
        let max = host.config().max_namespaces_per_connection;
        if self.joined.len() + self.joining.len() >= max {
            self.refuse(&namespace, "Too many namespaces");
            return None;
        }
        let Some(found) = host.find(namespace.as_str(), NAME) else {
            self.refuse(&namespace, "Invalid namespace");
            return None;
        };
        let handshake = self.handshake.with_auth(auth);
        let wish = Wish {
            namespace,
            found,
            handshake,
        };
        self.joining
            .push(Joining::new(Arc::clone(&self.shared), wish));
        None
    }

    fn admitted(
        &mut self,
        index: usize,
        outcome: Result<Admitted, Refused>,
    ) -> Option<engine::CloseReason> {
        let Joining { namespace, .. } = self.joining.swap_remove(index);
        if self.joining.is_empty() {
            self.joining = Vec::new();
        }
        let Admitted { admission, former } = match outcome {
            Ok(admitted) => admitted,
            Err(refused) => {
                self.send(refused.frame(&self.shared.parser, &namespace));
                return None;
            }
        };
        let joined = match former {
            Some(former) => self.recover(namespace, admission, former),
            None => self.open(namespace, admission),
        };
        self.left.retain(|left| *left != joined.namespace);
        // Most connections are in one namespace.
        self.joined.reserve_exact(1);
        self.joined.push(joined);
        None
    }

    /// Begins a client's life in the namespace. Nothing is sent to it before it knows that
    /// it is in: the session, and with it `on_connection`, begins behind the greeting.
    fn open(&self, namespace: Text, admission: Admission) -> Joined {
        let id = ClientId::random();
        // Without a random key the client is served all the same, and cannot come back.
        let store = self.shared.recovery.as_ref();
        let recovery = store.and_then(|store| store.begin(Arc::clone(&self.shared.parser) as _));
        let key = recovery.as_ref().map(Recoverable::key);
        self.send(self.shared.parser.greeting(&namespace, id, key));
        let session = match &recovery {
            Some(recovery) => {
                recovery.attach(self.outlet());
                recovery.open(id, NAME, admission)
            }
            None => Session::open_as(id, NAME, admission, self.outlet(), Vec::new()),
        };
        Joined {
            namespace,
            session,
            recovery: recovery.map(Box::new),
        }
    }

    /// Goes on with a client's former life, if it still can: what was kept may have grown
    /// beyond its bounds while the guards were asked.
    fn recover(&self, namespace: Text, admission: Admission, former: Former) -> Joined {
        let Some(id) = former.id() else {
            return self.open(namespace, admission);
        };
        let parser = &self.shared.parser;
        let greeting = parser.greeting(&namespace, id, Some(former.key()));
        let greeting = greeting.bytes().clone();
        match former.resume(self.outlet(), greeting, NAME, admission) {
            Ok((session, recovery)) => Joined {
                namespace,
                session,
                recovery: Some(Box::new(recovery)),
            },
            Err(admission) => self.open(namespace, *admission),
        }
    }

    fn outlet(&self) -> Arc<dyn Outlet> {
        let (sender, codec) = (
            self.engine.sender().clone(),
            Arc::clone(&self.shared.parser),
        );
        Arc::new(SocketIoOutlet::new(sender, codec))
    }

    /// The server wants the client out of the namespace.
    fn ended(&mut self, index: usize, reason: &CloseReason) -> Option<engine::CloseReason> {
        let ending = close::ending(reason);
        if let Ending::Connection(lost) = ending
            && close::is_recoverable(lost)
        {
            // All that this connection is in ends with it, and may come back.
            return Some(lost);
        }
        match ending {
            Ending::Namespace => {
                self.dismiss(index, reason);
                None
            }
            Ending::AllNamespaces => {
                // In the order in which they were joined, as Node's server does.
                while !self.joined.is_empty() {
                    self.dismiss(0, reason);
                }
                Some(engine::CloseReason::ForcedClose)
            }
            Ending::Offence(lost) => {
                self.dismiss(index, reason);
                self.joined.is_empty().then_some(lost)
            }
            Ending::Connection(lost) => {
                self.leave(index, close::by_server(reason));
                // At shutdown the others end for the same reason, each when its handlers are done.
                let waits = lost == engine::CloseReason::ServerShutdown && !self.joined.is_empty();
                (!waits).then_some(lost)
            }
        }
    }

    /// Tells a client that it is out of its namespace.
    fn dismiss(&mut self, index: usize, reason: &CloseReason) {
        let namespace = self.joined[index].namespace.clone();
        self.send(self.shared.parser.farewell(&namespace));
        self.leave(index, close::by_server(reason));
    }

    fn leave(&mut self, index: usize, reason: DisconnectReason) {
        let Joined {
            namespace,
            session,
            recovery,
        } = self.joined.remove(index);
        self.leaving.push(match recovery {
            Some(recovery) => Box::pin(recovery.end(session, reason)),
            None => Box::pin(session.finish(reason)),
        });
        if self.left.len() >= MAX_LEFT {
            self.left.remove(0);
        }
        self.left.push(namespace);
    }

    fn overdue(&mut self) -> Option<engine::CloseReason> {
        self.timer = None;
        if self.decoder.is_overdue(Instant::now()) {
            return Some(self.broken(PacketError::AttachmentsOverdue));
        }
        let waiting = self.joined.is_empty() && self.joining.is_empty();
        waiting.then_some(engine::CloseReason::ForcedClose)
    }

    /// Keeps a timer exactly while there is something to wait for.
    fn set_timer(&mut self) {
        if let Some(deadline) = self.decoder.deadline() {
            let deadline = deadline.into();
            if self
                .timer
                .as_ref()
                .is_none_or(|timer| timer.deadline() != deadline)
            {
                self.timer = Some(Box::pin(tokio::time::sleep_until(deadline)));
            }
        } else if !self.joined.is_empty() || !self.joining.is_empty() {
            self.timer = None;
        } else if self.timer.is_none() {
            let timeout = self.shared.connect_timeout;
            self.timer = Some(Box::pin(tokio::time::sleep(timeout)));
        }
    }

    fn refuse(&self, namespace: &Text, message: &str) {
        self.send(self.shared.parser.refusal(namespace, message, None));
    }

    fn send(&self, frame: Frame) {
        // A client that is gone, or too slow, is noticed by its transport.
        let _ = self.engine.sender().send(frame, Class::Normal);
    }

    /// Ends what is left. When the server closes, handlers still answer before the
    /// connection goes; when it is gone already, they are only waited for.
    async fn end(self: Box<Self>, reason: engine::CloseReason) {
        let Self {
            engine,
            joined,
            joining,
            mut leaving,
            ..
        } = *self;
        drop(joining);
        for joined in joined {
            let Joined {
                session, recovery, ..
            } = joined;
            let told = close::by_connection(reason);
            leaving.push(match recovery {
                Some(recovery) if close::is_recoverable(reason) => {
                    Box::pin(recovery.lose(session, told))
                }
                Some(recovery) => Box::pin(recovery.end(session, told)),
                None => Box::pin(session.finish(told)),
            });
        }
        let left = poll_fn(|cx| {
            poll_leaving(cx, &mut leaving);
            if leaving.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        if reason == engine::CloseReason::ServerShutdown {
            left.await;
            engine.close(reason).await;
        } else {
            tokio::join!(engine.close(reason), left);
        }
    }
}

fn poll_namespaces(
    cx: &mut Context<'_>,
    joined: &mut [Joined],
    joining: &mut [Joining],
    leaving: &mut Vec<BoxFuture<'static, ()>>,
    reading: bool,
) -> Poll<Step> {
    poll_leaving(cx, leaving);
    for (index, joining) in joining.iter_mut().enumerate() {
        if let Poll::Ready(outcome) = joining.outcome.as_mut().poll(cx) {
            return Poll::Ready(Step::Admitted(index, outcome));
        }
    }
    for (index, joined) in joined.iter_mut().enumerate() {
        if let Poll::Ready(reason) = joined.session.poll(cx) {
            return Poll::Ready(Step::Ended(index, reason));
        }
    }
    if !reading && joined.iter().all(|joined| joined.session.has_room()) {
        return Poll::Ready(Step::Room);
    }
    Poll::Pending
}

fn poll_leaving(cx: &mut Context<'_>, leaving: &mut Vec<BoxFuture<'static, ()>>) {
    leaving.retain_mut(|session| session.as_mut().poll(cx).is_pending());
}

fn poll_timer(cx: &mut Context<'_>, timer: &mut Option<Pin<Box<Sleep>>>) -> Poll<()> {
    match timer {
        Some(timer) => timer.as_mut().poll(cx),
        None => Poll::Pending,
    }
}

/// Gives an event to its session.
fn receive(
    session: &mut Session,
    id: Option<u64>,
    event: &Text,
    arguments: Arguments,
    size: usize,
) {
    let event = event.as_str();
    if event == CANCEL_EVENT {
        if let Some(target) = cancel_target(&arguments.first()) {
            session.cancel(&target);
        }
        return;
    }
    let request = id.map(RequestId::from);
    session.receive(Incoming {
        event,
        arguments,
        request,
        size,
    });
}

/// The ack id of a request as a number, or the name of an event as a text.
pub(crate) fn cancel_target(payload: &Payload) -> Option<CancelTarget> {
    match payload.to_value().ok()? {
        Value::Number(number) => Some(CancelTarget::Request(RequestId::Number(number))),
        Value::String(event) => Some(CancelTarget::Event(event)),
        _ => None,
    }
}

/// Gives an answer of the client to whoever asked. Several values become a list.
fn answer(session: &Session, id: u64, arguments: &Arguments) -> Result<(), PacketError> {
    let payload = arguments::joined(arguments)?;
    if !session.answer(id, payload) {
        tracing::debug!(id, "an answer that nobody waits for");
    }
    Ok(())
}
