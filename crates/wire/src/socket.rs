//! An accepted connection: what its own task sees of it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::acceptor::{Acceptor, Pulse};
use crate::clock::Alarm;
use crate::close::{self, Closed, ClosedBy};
use crate::connection::{Connection, Limits, Received};
use crate::frame::Frame;
use crate::heartbeat::{Beat, Heartbeat};
use crate::limiter::Permit;
use crate::linger::Linger;
use crate::outbox::{Outbox, OutboxConfig};
use crate::pump;
use crate::reader::{Generic, Reader, Transport};
use crate::violation::Violation;
use crate::writer::TcpWriter;

/// Settings of an accepted connection.
#[derive(Clone, Copy, Debug)]
pub struct WebSocketConfig {
    /// What the peer may send.
    pub limits: Limits,
    /// How much may wait for the peer.
    pub outbox: OutboxConfig,
    /// How long the peer may be silent before it is pinged; 25 s by default, `None` switches pings and
    /// the timeout off.
    pub ping_interval: Option<Duration>,
    /// How long a pinged peer may stay silent before it is given up; 20 s by default.
    pub ping_timeout: Duration,
    /// How long closing may take, from the close frame to the end of TCP; 5 s by default.
    pub close_timeout: Duration,
    /// Bytes that are read and thrown away while closing, so that the peer gets to see the close frame
    /// and not a reset; 128 MiB by default, since a peer in the middle of a large message reads only
    /// after it has sent it.
    pub drain_bytes: u64,
    /// What of permessage-deflate is accepted when a client offers it; `None`, the default, declines.
    #[cfg(feature = "deflate")]
    pub deflate: Option<crate::deflate::DeflateConfig>,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            outbox: OutboxConfig::default(),
            ping_interval: Some(Duration::from_secs(25)),
            ping_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(5),
            drain_bytes: 128 * 1024 * 1024,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text message; the bytes are valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping with its payload; it has been answered.
    Ping(Bytes),
    /// A pong with its payload.
    Pong(Bytes),
    /// The end. The outbox is closed; what is left of the closing handshake goes on by itself.
    Closed(Closed),
}

/// The reading side of an accepted connection; its [`Outbox`] is the sending side.
///
/// One task calls [`WebSocket::next`] in a loop. Not calling it is backpressure: nothing is read, and
/// TCP holds the peer back. Dropping the socket without a close ends the connection at once.
///
/// A pointer in size, since it lives in futures, which are as large as the largest thing in them.
#[derive(Debug)]
pub struct WebSocket {
    socket: Box<Socket>,
}

/// What is behind the pointer.
#[derive(Debug)]
struct Socket {
    acceptor: Arc<Acceptor>,
    outbox: Arc<Outbox>,
    /// `None` once the connection was handed over to its [`Linger`].
    wire: Option<Wire>,
    /// Where peers are pinged at all.
    heartbeat: Heartbeat,
    /// When the heartbeat is to be looked at.
    alarm: Option<Alarm>,
}

/// The receiving half of a transport with what it has not told yet.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) connection: Connection,
    pub(crate) reader: Reader,
    /// Bytes that were read and not looked at. Mostly there are none, and no memory for them: a read of
    /// a single message leaves nothing.
    pub(crate) unread: Option<Box<Unread>>,
    pub(crate) _permit: Option<Permit>,
}

/// Bytes that were read, of which those from `at` on were not looked at.
#[derive(Debug)]
pub(crate) struct Unread {
    bytes: Vec<u8>,
    at: usize,
}

impl Unread {
    fn of(bytes: &[u8]) -> Option<Box<Self>> {
        let bytes = bytes.to_vec();
        (!bytes.is_empty()).then(|| Box::new(Self { bytes, at: 0 }))
    }
}

/// Extensions that were agreed on in the handshake.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extensions {
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<crate::deflate::Agreed>,
}

#[cfg(feature = "deflate")]
impl Extensions {
    fn connection(self, limits: Limits) -> Connection {
        let connection = Connection::new(limits);
        match self.deflate {
            Some(agreed) => connection.inflating(agreed.client_context_takeover),
            None => connection,
        }
    }

    fn outbox(self, outbox: Outbox) -> Outbox {
        match self.deflate {
            Some(agreed) => outbox.compressing(agreed),
            None => outbox,
        }
    }

    /// The window of messages that are compressed one after another, if that was agreed on.
    fn window(self) -> Option<Box<crate::deflate::Continuous>> {
        crate::deflate::Continuous::for_agreed(self.deflate.as_ref())
    }
}

#[cfg(not(feature = "deflate"))]
#[allow(
    clippy::unused_self,
    reason = "there is something to use with a feature"
)]
impl Extensions {
    fn connection(self, limits: Limits) -> Connection {
        Connection::new(limits)
    }

    fn outbox(self, outbox: Outbox) -> Outbox {
        outbox
    }
}

/// A connection before it has its transport.
#[derive(Debug)]
pub(crate) struct Prepared {
    acceptor: Arc<Acceptor>,
    extensions: Extensions,
    /// It takes messages already.
    pub(crate) outbox: Arc<Outbox>,
}

impl Prepared {
    pub(crate) fn new(acceptor: &Arc<Acceptor>, extensions: Extensions) -> Self {
        let outbox = Outbox::detached(Arc::clone(&acceptor.terms));
        Self {
            acceptor: Arc::clone(acceptor),
            extensions,
            outbox: Arc::new(extensions.outbox(outbox)),
        }
    }
}

/// What reading led to.
pub(crate) enum Input {
    /// Bytes with which nothing is complete.
    Part,
    /// A text that was left in the memory for short ones.
    Short,
    Received(Received),
    Violation(Violation),
    /// The transport ended or failed.
    End,
}

impl WebSocket {
    /// Accepts a connection whose handshake is done on any transport (TLS, a foreign host's stream).
    /// `leftover` is what was read behind the handshake already.
    ///
    /// A task of its own writes to the transport. For plain TCP use [`WebSocket::accept_tcp`].
    pub fn accept_parts(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        leftover: &[u8],
        acceptor: &Arc<Acceptor>,
    ) -> Self {
        let prepared = Prepared::new(acceptor, Extensions::default());
        Self::on_transport(Box::new(io), leftover, prepared, None)
    }

    /// Accepts a connection whose handshake is done on a TCP stream, which the flusher writes to.
    pub fn accept_tcp(stream: TcpStream, leftover: &[u8], acceptor: &Arc<Acceptor>) -> Self {
        let prepared = Prepared::new(acceptor, Extensions::default());
        Self::on_tcp(stream, leftover, prepared, None)
    }

    pub(crate) fn on_transport(
        io: Box<dyn Transport>,
        leftover: &[u8],
        prepared: Prepared,
        permit: Option<Permit>,
    ) -> Self {
        let (read, write) = tokio::io::split(io);
        let pump = pump::run(
            Arc::clone(&prepared.outbox),
            write,
            #[cfg(feature = "deflate")]
            prepared.extensions.window(),
        );
        let writing = tokio::spawn(pump).abort_handle();
        let reader = Reader::Generic(Box::new(Generic::new(read, writing)));
        Self::assemble(reader, leftover, prepared, permit)
    }

    pub(crate) fn on_tcp(
        stream: TcpStream,
        leftover: &[u8],
        prepared: Prepared,
        permit: Option<Permit>,
    ) -> Self {
        let (read, write) = stream.into_split();
        let writer = TcpWriter::new(write);
        #[cfg(feature = "deflate")]
        let writer = writer.compressing(prepared.extensions.window());
        prepared.outbox.attach(writer);
        Self::assemble(Reader::Tcp(read), leftover, prepared, permit)
    }

    fn assemble(
        reader: Reader,
        leftover: &[u8],
        prepared: Prepared,
        permit: Option<Permit>,
    ) -> Self {
        let Prepared {
            acceptor,
            extensions,
            outbox,
        } = prepared;
        let wire = Wire {
            connection: extensions.connection(acceptor.config.limits),
            reader,
            unread: Unread::of(leftover),
            _permit: permit,
        };
        let heartbeat = match &acceptor.pulse {
            Some(pulse) => Heartbeat::new(&pulse.rhythm, Instant::now()),
            None => Heartbeat::default(),
        };
        let socket = Socket {
            acceptor,
            outbox,
            wire: Some(wire),
            heartbeat,
            alarm: None,
        };
        Self {
            socket: Box::new(socket),
        }
    }

    /// The sending side.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.socket.outbox
    }

    /// The next thing that happens.
    ///
    /// Cancel-safe: dropping the future loses nothing. After [`Event::Closed`] it is given again.
    /// Pings are answered, violations are told to the peer, and silent peers are pinged in here, so that
    /// a connection nobody waits on does none of it.
    pub async fn next(&mut self) -> Event {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`WebSocket::next`] for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let next = self.socket.poll_next(cx, None);
        next.map(|event| event.expect("without memory for it, no text is short"))
    }

    /// [`WebSocket::poll_next`] for those who only look at messages: a text that came as a whole and has
    /// up to [`SHORT_TEXT`](crate::SHORT_TEXT) bytes is left in `text`, in place of what that held, and
    /// then there is no event. The bytes are valid UTF-8.
    pub fn poll_next_in(
        &mut self,
        cx: &mut Context<'_>,
        text: &mut Vec<u8>,
    ) -> Poll<Option<Event>> {
        self.socket.poll_next(cx, Some(text))
    }

    /// Closes with a code and a reason: what is queued is delivered first, then the close frame, then the
    /// peer's answer is awaited. Takes at most the close timeout.
    pub async fn close(mut self, code: u16, reason: &str) -> Closed {
        self.socket.outbox.close(Some(Frame::close(code, reason)));
        let closed = self.socket.outbox.closed().unwrap_or_else(Closed::lost);
        if let Some(linger) = self.socket.linger(&closed) {
            linger.run().await;
        }
        closed
    }
}

impl Socket {
    /// No event stands for a short text, which is in `text`.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        mut text: Option<&mut Vec<u8>>,
    ) -> Poll<Option<Event>> {
        loop {
            let Some(wire) = &mut self.wire else {
                return Poll::Ready(Some(self.closed_event()));
            };
            if self.outbox.is_closed() {
                return Poll::Ready(Some(self.outbox_closed()));
            }
            match wire.poll_input(cx, text.as_deref_mut()) {
                Poll::Ready((input, fresh)) => {
                    if fresh && let Some(pulse) = &self.acceptor.pulse {
                        self.heartbeat.heard(&pulse.rhythm, Instant::now());
                    }
                    return Poll::Ready(match input {
                        Input::Part => continue,
                        Input::Short => None,
                        Input::Received(received) => Some(self.handle(received)),
                        Input::Violation(violation) => Some(self.violated(violation)),
                        Input::End => Some(self.lost()),
                    });
                }
                Poll::Pending => {
                    if self.outbox.poll_closed(cx).is_ready() {
                        return Poll::Ready(Some(self.outbox_closed()));
                    }
                    return self.poll_heartbeat().map(Some);
                }
            }
        }
    }

    fn handle(&mut self, received: Received) -> Event {
        match received {
            Received::Text(text) => Event::Text(text),
            Received::Binary(data) => Event::Binary(data),
            Received::Pong(payload) => Event::Pong(payload),
            Received::Ping(payload) => {
                self.outbox.push_control(Frame::pong(&payload));
                Event::Ping(payload)
            }
            Received::Close(said) => self.peer_closed(said),
        }
    }

    /// Echoes the peer's code behind what is still queued (RFC 6455, section 5.5.1).
    fn peer_closed(&mut self, said: Option<(u16, String)>) -> Event {
        let (code, reason) = said.map_or((None, String::new()), |(c, r)| (Some(c), r));
        let answer = code.map_or_else(Frame::close_empty, |code| Frame::close(code, ""));
        let closed = Closed {
            code,
            reason,
            by: ClosedBy::Peer,
        };
        self.end(closed, Some(answer))
    }

    fn violated(&mut self, violation: Violation) -> Event {
        let reason = violation.to_string();
        let frame = Frame::close(violation.code(), &reason);
        let closed = Closed {
            code: Some(violation.code()),
            reason,
            by: ClosedBy::Violation,
        };
        self.end(closed, Some(frame))
    }

    /// Tells the peer, which may be there and only not answer, and drops what waits for it.
    fn timed_out(&mut self) -> Event {
        let reason = "ping timeout";
        let frame = Frame::close(close::POLICY, reason);
        let closed = Closed {
            code: None,
            reason: reason.to_owned(),
            by: ClosedBy::PingTimeout,
        };
        self.outbox.close_now_as(closed, Some(frame));
        self.outbox_closed()
    }

    /// Ends the transport without a word, since nobody is there to hear it.
    fn lost(&mut self) -> Event {
        self.outbox.close_as(Closed::lost(), None);
        self.outbox.kill();
        self.wire = None;
        self.closed_event()
    }

    fn end(&mut self, closed: Closed, frame: Option<Frame>) -> Event {
        self.outbox.close_as(closed, frame);
        self.outbox_closed()
    }

    /// Hands what is left of the connection to a task that closes it in order.
    fn outbox_closed(&mut self) -> Event {
        let closed = self.outbox.closed().unwrap_or_else(Closed::lost);
        if let Some(linger) = self.linger(&closed) {
            tokio::spawn(linger.run());
        }
        Event::Closed(closed)
    }

    fn linger(&mut self, closed: &Closed) -> Option<Linger> {
        self.cancel_alarm();
        let config = &self.acceptor.config;
        Some(Linger {
            wire: self.wire.take()?,
            outbox: Arc::clone(&self.outbox),
            await_close: closed.by == ClosedBy::Server,
            timeout: config.close_timeout,
            drain_bytes: config.drain_bytes,
        })
    }

    fn closed_event(&self) -> Event {
        Event::Closed(self.outbox.closed().unwrap_or_else(Closed::lost))
    }

    /// The outbox knows the task that is to be woken: it was asked before.
    fn poll_heartbeat(&mut self) -> Poll<Event> {
        // Signs of life move the deadline only when it has passed, so that they cost nothing here.
        if self.alarm.is_some() && !self.outbox.take_rung() {
            return Poll::Pending;
        }
        let Some(Pulse { rhythm, clock }) = &self.acceptor.pulse else {
            return Poll::Pending;
        };
        loop {
            match self.heartbeat.check(rhythm, Instant::now()) {
                Beat::Wait(until) => {
                    clock.set(&mut self.alarm, until, &self.outbox);
                    return Poll::Pending;
                }
                Beat::Ping => self.outbox.push_control(Frame::ping(&[])),
                Beat::Dead => return Poll::Ready(self.timed_out()),
            }
        }
    }

    fn cancel_alarm(&mut self) {
        if let Some(pulse) = &self.acceptor.pulse {
            pulse.clock.cancel(&mut self.alarm);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.cancel_alarm();
        if self.wire.is_some() {
            self.outbox.kill();
        }
    }
}

impl Wire {
    /// The next input, and whether bytes came from the network for it. Without `text`, no text is short.
    pub(crate) fn poll_input(
        &mut self,
        cx: &mut Context<'_>,
        mut text: Option<&mut Vec<u8>>,
    ) -> Poll<(Input, bool)> {
        if let Some(unread) = &mut self.unread {
            // Reading from the network counts against tokio's budget by itself; a read of thousands of
            // small messages has to count too, or others would wait for all of them.
            ready!(tokio::task::coop::poll_proceed(cx)).made_progress();
            let mut rest = &unread.bytes[unread.at..];
            let input = receive(&mut self.connection, &mut rest, text.as_deref_mut());
            unread.at = unread.bytes.len() - rest.len();
            if rest.is_empty() {
                self.unread = None;
            }
            if !matches!(input, Input::Part) {
                return Poll::Ready((input, false));
            }
        }
        let Self {
            connection,
            reader,
            unread,
            ..
        } = self;
        let read = reader.poll_read(cx, |mut bytes| {
            if bytes.is_empty() {
                return Input::End;
            }
            let input = receive(connection, &mut bytes, text);
            if !bytes.is_empty() && !matches!(input, Input::Violation(_)) {
                *unread = Unread::of(bytes);
            }
            input
        });
        read.map(|read| match read {
            Ok(input) => (input, true),
            Err(_) => (Input::End, false),
        })
    }
}

/// What is next in `bytes`, of which it is taken off.
fn receive(connection: &mut Connection, bytes: &mut &[u8], text: Option<&mut Vec<u8>>) -> Input {
    let short = match text {
        Some(text) => connection.receive_short(bytes, text),
        None => Ok(false),
    };
    let received = match short {
        Ok(true) => return Input::Short,
        Ok(false) => connection.receive(bytes),
        Err(violation) => Err(violation),
    };
    match received {
        Ok(Some(received)) => Input::Received(received),
        Ok(None) => Input::Part,
        Err(violation) => Input::Violation(violation),
    }
}
