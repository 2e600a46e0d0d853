//! One session, owned by one task: it reads the transport, keeps the heartbeat, and
//! carries the upgrade out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use nest_gateway_wire::{Alarm, Class, Closed, ClosedBy, Event, Frame, Push, WebSocket};
use tokio::sync::mpsc;

use super::close::CloseReason;
use super::heartbeat::{Beat, Heartbeat};
use super::packet::Packet;
use super::polling::{Polling, discard};
use super::sender::Sender;
use super::service::Core;
use super::sid::Sid;
use super::table::Command;

/// A message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text; the bytes are valid UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
}

/// An open session. Its task calls [`Connection::next`] in a loop; everything the
/// session does by itself (heartbeat, answering polls, upgrade) happens in there.
#[derive(Debug)]
pub struct Connection {
    sid: Sid,
    core: Arc<Core>,
    sender: Sender,
    transport: Transport,
    /// Packets that were received and not yet looked at.
    received: VecDeque<Packet>,
    heartbeat: Heartbeat,
    alarm: Option<Alarm>,
    /// When the alarm rings, if it has not since.
    armed: Option<Instant>,
    reading: bool,
    reason: Option<CloseReason>,
}

#[derive(Debug)]
enum Transport {
    WebSocket(WebSocket),
    Polling(Box<Polling>),
    Gone,
}

/// What a wait ended with.
pub(super) enum Woken {
    Stop(CloseReason),
    Tick,
    Socket(Event),
    Command(Option<Command>),
    Probe(Event),
    PollHasData,
    PollGone,
}

impl Connection {
    pub(super) fn websocket(sid: Sid, core: Arc<Core>, sender: Sender, socket: WebSocket) -> Self {
        Self::new(sid, core, sender, Transport::WebSocket(socket))
    }

    pub(super) fn polling(
        sid: Sid,
        core: Arc<Core>,
        sender: Sender,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let polling = Polling::new(commands, core.config.max_payload);
        Self::new(sid, core, sender, Transport::Polling(Box::new(polling)))
    }

    fn new(sid: Sid, core: Arc<Core>, sender: Sender, transport: Transport) -> Self {
        let now = Instant::now();
        let config = &core.config;
        let heartbeat = Heartbeat::new(config.ping_interval, config.ping_timeout, now);
        Self {
            sid,
            core,
            sender,
            transport,
            received: VecDeque::new(),
            heartbeat,
            alarm: None,
            armed: None,
            reading: true,
            reason: None,
        }
    }

    /// The secret name of the session.
    pub fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The sending side.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Whether the session's transport is a WebSocket at present.
    pub fn is_websocket(&self) -> bool {
        matches!(self.transport, Transport::WebSocket(_))
    }

    /// Why the session ended, once [`Connection::next`] gave `None`.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.reason
    }

    /// Takes messages or leaves them with the client, who is held back by TCP or by the
    /// open POST. Heartbeat, polls and the upgrade go on.
    pub fn set_reading(&mut self, reading: bool) {
        if self.reading != reading {
            self.reading = reading;
            self.heartbeat.set_reading(reading, Instant::now());
        }
    }

    /// The next message; `None` when the session ended. Cancel-safe.
    ///
    /// While reading is switched off, only the end is reported.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if self.reading
                && let Some(packet) = self.received.pop_front()
            {
                self.release_post(Instant::now());
                if let Some(message) = self.packet(packet) {
                    return Some(message);
                }
            }
            if self.reason.is_some() {
                return None;
            }
            if self.reading && !self.received.is_empty() {
                continue;
            }
            let message = match self.wait().await {
                Woken::Stop(reason) => self.end(reason),
                Woken::Tick => self.tick(Instant::now()),
                Woken::Socket(event) => self.socket_event(event),
                Woken::Command(command) => self.command(command),
                Woken::Probe(event) => self.probe_event(&event),
                Woken::PollHasData => self.answer_poll(),
                Woken::PollGone => self.end(CloseReason::TransportError),
            };
            if message.is_some() {
                return message;
            }
        }
    }

    /// Ends the session. On an orderly end what is queued is delivered first, within
    /// the close timeout; messages of the client are no longer taken.
    pub async fn close(mut self, reason: CloseReason) -> CloseReason {
        self.end(reason);
        let reason = self.reason.unwrap_or(reason);
        match std::mem::replace(&mut self.transport, Transport::Gone) {
            // What is left of the closing handshake goes on without the session.
            Transport::WebSocket(socket) => discard(socket),
            Transport::Polling(polling) if reason.is_orderly() => {
                let delivered = polling.deliver(self.sender.outbox());
                // Nothing is to be done about a client that does not come for the rest.
                let _ = tokio::time::timeout(self.core.config.close_timeout, delivered).await;
                self.core.table.note_end(self.sid, Instant::now());
            }
            Transport::Polling(_) | Transport::Gone => {}
        }
        reason
    }

    /// Takes note of the end and tells the client at once as much as can be told
    /// without waiting.
    fn end(&mut self, reason: CloseReason) -> Option<Message> {
        if self.reason.is_some() {
            return None;
        }
        self.reason = Some(reason);
        match &mut self.transport {
            Transport::WebSocket(socket) => {
                let frame = Some(Frame::close(reason.code(), reason.as_str()));
                if reason.is_orderly() {
                    socket.outbox().close(frame);
                } else {
                    socket.outbox().close_now(frame);
                }
            }
            Transport::Polling(polling) => polling.end(self.sender.outbox(), reason),
            Transport::Gone => {}
        }
        None
    }

    async fn wait(&mut self) -> Woken {
        self.arm();
        let Self {
            transport,
            sender,
            reading,
            ..
        } = self;
        match transport {
            Transport::WebSocket(socket) => tokio::select! {
                biased;
                reason = sender.stopped() => Woken::Stop(reason),
                () = sender.rung() => Woken::Tick,
                event = socket.next(), if *reading => Woken::Socket(event),
            },
            Transport::Polling(polling) => tokio::select! {
                biased;
                reason = sender.stopped() => Woken::Stop(reason),
                () = sender.rung() => Woken::Tick,
                // On the heap, since a WebSocket should not carry the room for it.
                woken = Box::pin(polling.wait(sender.outbox())) => woken,
            },
            Transport::Gone => Woken::Stop(CloseReason::TransportClose),
        }
    }

    /// Moves the alarm only when it would ring too late; ringing too early costs one turn of
    /// the loop, moving it for every message would cost more.
    fn arm(&mut self) {
        let interval = self.core.config.ping_interval;
        let due = self.heartbeat.wake_at();
        let due = due.unwrap_or_else(|| Instant::now() + interval);
        if self.armed.is_none_or(|armed| due < armed) {
            self.armed = Some(due);
            let (clock, ringer) = (&self.core.clock, self.sender.ringer());
            clock.set(&mut self.alarm, due.into(), ringer);
        }
    }

    fn tick(&mut self, now: Instant) -> Option<Message> {
        if self.armed.is_some_and(|armed| armed <= now) {
            self.armed = None;
        }
        if let Transport::Polling(polling) = &mut self.transport {
            polling.tick(now);
            self.release_post(now);
        }
        match self.heartbeat.beat(now) {
            Beat::Nothing => None,
            Beat::Ping => self.ping(),
            Beat::Expired => self.end(CloseReason::PingTimeout),
        }
    }

    fn ping(&mut self) -> Option<Message> {
        let pushed = self.sender.send(Frame::text(b"2"), Class::Normal);
        if pushed == Push::Closed {
            self.end(CloseReason::TransportLost)
        } else {
            None
        }
    }

    fn socket_event(&mut self, event: Event) -> Option<Message> {
        match event {
            Event::Text(text) => match Packet::from_text(&text) {
                Ok(packet) => self.packet(packet),
                Err(error) => {
                    tracing::debug!(sid = ?self.sid, %error, "broken packet");
                    self.end(CloseReason::ParseError)
                }
            },
            Event::Binary(bytes) => self.packet(Packet::Binary(bytes)),
            Event::Ping(_) | Event::Pong(_) => {
                self.heartbeat.sign_of_life(Instant::now());
                None
            }
            Event::Closed(closed) => {
                self.transport = Transport::Gone;
                self.end(reason_of(&closed))
            }
        }
    }

    fn packet(&mut self, packet: Packet) -> Option<Message> {
        if self.heartbeat.is_waiting() {
            self.heartbeat.sign_of_life(Instant::now());
        }
        match packet {
            Packet::Text(text) => Some(Message::Text(text)),
            Packet::Binary(bytes) => Some(Message::Binary(bytes)),
            Packet::Pong => {
                self.heartbeat.pong(Instant::now());
                None
            }
            Packet::Close => self.end(CloseReason::TransportClose),
            // In this version of the protocol only the server pings.
            Packet::Ping(_) => self.end(CloseReason::TransportError),
            Packet::Upgrade | Packet::Noop => None,
        }
    }

    fn command(&mut self, command: Option<Command>) -> Option<Message> {
        let now = Instant::now();
        let Transport::Polling(polling) = &mut self.transport else {
            return None;
        };
        // The timer may be late; a request must not revive a session whose time is over.
        if self.heartbeat.is_expired(now) {
            return self.end(CloseReason::PingTimeout);
        }
        match command {
            Some(Command::Poll(answer)) => {
                if let Err(reason) = polling.open_poll(answer) {
                    return self.end(reason);
                }
                self.release_post(now);
            }
            Some(Command::Ready { ready, closes }) => {
                polling.hold_post(ready, closes, now);
                self.release_post(now);
            }
            Some(Command::Packets(packets)) => {
                // A pong behind messages that wait for the application counts at once.
                if packets.contains(&Packet::Pong) {
                    self.heartbeat.pong(now);
                }
                if packets.contains(&Packet::Close) {
                    polling.client_closes();
                }
                self.received.extend(packets);
            }
            Some(Command::Probe(socket)) => {
                polling.probe(socket, self.core.config.upgrade_timeout, now);
            }
            // The table keeps the other end until the session is dropped.
            None => return self.end(CloseReason::TransportClose),
        }
        None
    }

    /// Lets the client post more when everything before is looked at.
    fn release_post(&mut self, now: Instant) {
        if self.received.is_empty()
            && let Transport::Polling(polling) = &mut self.transport
        {
            polling.release_post(now);
        }
    }

    fn answer_poll(&mut self) -> Option<Message> {
        let Transport::Polling(polling) = &mut self.transport else {
            return None;
        };
        if polling.answer_poll(self.sender.outbox()) {
            None
        } else {
            self.end(CloseReason::TransportError)
        }
    }

    fn probe_event(&mut self, event: &Event) -> Option<Message> {
        if let Transport::Polling(polling) = &mut self.transport
            && let Some(socket) = polling.probe_event(event, Instant::now())
        {
            self.upgrade(socket);
        }
        None
    }

    fn upgrade(&mut self, socket: WebSocket) {
        // From here on requests are refused by the table. What a faster one brought is
        // looked at before anything that comes over the socket.
        self.core.table.set_upgraded(&self.sid);
        if let Transport::Polling(polling) = &mut self.transport {
            self.received.extend(polling.rest());
        }
        self.sender.switch(socket.outbox());
        self.transport = Transport::WebSocket(socket);
        self.heartbeat.sign_of_life(Instant::now());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.core.clock.cancel(&mut self.alarm);
        self.core.table.remove(&self.sid);
        self.sender.end();
    }
}

fn reason_of(closed: &Closed) -> CloseReason {
    match closed.by {
        ClosedBy::Violation => CloseReason::TransportError,
        ClosedBy::SlowConsumer => CloseReason::SlowConsumer,
        ClosedBy::Lost => CloseReason::TransportLost,
        _ => CloseReason::TransportClose,
    }
}
