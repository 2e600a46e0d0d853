//! One connection: frames in, the session polled, until either side ends it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use nest_gateway_core::adapter::BoxFuture;
use nest_gateway_core::close::{CloseReason, DisconnectReason};
use nest_gateway_core::message::Incoming;
use nest_gateway_core::payload::Payload;
use nest_gateway_core::recovery::Recoverable;
use nest_gateway_core::session::Session;
use nest_gateway_core::value::Value;
use nest_gateway_wire::{Event, WebSocket};

use crate::close;
use crate::encoding::Encoding;
use crate::envelope::{self, Envelope};

/// Serves an accepted connection to its end.
///
/// A future written by hand, because an idle connection is as large as its
/// task: an async function would keep room for every value that it ever moves.
pub(crate) struct Connection {
    socket: WebSocket,
    state: State,
}

enum State {
    /// Messages come in; `closing` when the close frame is on its way out.
    Serving {
        session: Session,
        /// Set when the client may come back after a loss.
        recovery: Option<Box<Recoverable>>,
        closing: bool,
        encoding: Encoding,
    },
    /// The session ends: hooks and handlers may still run.
    Finishing {
        session: Option<BoxFuture<'static, ()>>,
        /// The wire has ended too.
        closed: bool,
    },
}

enum Step {
    Close(CloseReason),
    Read(Event),
}

/// Where a poll of the connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The task was woken, by whatever.
    Woken,
    /// A message was read and given to the session.
    Read,
    /// The session was polled since.
    Polled,
}

impl Connection {
    pub(crate) fn new(
        socket: WebSocket,
        session: Session,
        recovery: Option<Box<Recoverable>>,
        encoding: Encoding,
    ) -> Self {
        Self {
            socket,
            state: State::Serving {
                session,
                recovery,
                closing: false,
                encoding,
            },
        }
    }

    /// Takes one step of the connection's life.
    fn take(&mut self, step: Step) {
        let State::Serving {
            session,
            closing,
            encoding,
            ..
        } = &mut self.state
        else {
            return;
        };
        match step {
            Step::Close(reason @ CloseReason::Superseded) => {
                // The client waits for its session, so this does not wait for the wire.
                self.socket.outbox().close_now(Some(close::frame(&reason)));
                let code = Some(reason.code());
                let reason = DisconnectReason::by_server(code, reason.text().to_owned());
                self.finish(reason, true, false);
            }
            Step::Close(reason) => {
                // What is queued leaves before the close frame, except towards
                // somebody who does not read.
                let outbox = self.socket.outbox();
                match reason {
                    CloseReason::SlowConsumer => outbox.close_now(Some(close::frame(&reason))),
                    _ => outbox.close(Some(close::frame(&reason))),
                }
                *closing = true;
            }
            Step::Read(Event::Text(text)) => receive(session, &text),
            Step::Read(Event::Binary(bytes)) => receive_binary(session, bytes, *encoding),
            Step::Read(Event::Ping(_) | Event::Pong(_)) => {}
            Step::Read(Event::Closed(closed)) => {
                let may_return = close::is_recoverable(&closed);
                self.finish(close::disconnect_reason(closed), may_return, true);
            }
        }
    }

    /// Ends the session.
    fn finish(&mut self, reason: DisconnectReason, may_return: bool, closed: bool) {
        let ended = State::Finishing {
            session: None,
            closed,
        };
        let former = std::mem::replace(&mut self.state, ended);
        if let (
            State::Serving {
                session, recovery, ..
            },
            State::Finishing { session: ends, .. },
        ) = (former, &mut self.state)
        {
            *ends = Some(match recovery {
                Some(recovery) if may_return => Box::pin(recovery.lose(session, reason)),
                Some(recovery) => Box::pin(recovery.end(session, reason)),
                None => Box::pin(session.finish(reason)),
            });
        }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut at = Place::Woken;
        loop {
            let step = match &mut this.state {
                State::Finishing { session, closed } => {
                    return poll_end(context, session, &mut this.socket, closed);
                }
                State::Serving { closing: true, .. } => {
                    Step::Read(ready!(this.socket.poll_next(context)))
                }
                State::Serving { session, .. } => {
                    ready!(poll_step(context, session, &mut this.socket, &mut at))
                }
            };
            this.take(step);
        }
    }
}

fn poll_end(
    context: &mut Context<'_>,
    session: &mut Option<BoxFuture<'static, ()>>,
    socket: &mut WebSocket,
    closed: &mut bool,
) -> Poll<()> {
    if let Some(ending) = session
        && ending.as_mut().poll(context).is_ready()
    {
        *session = None;
    }
    while !*closed {
        // It is too late for what the client says now.
        *closed = matches!(ready!(socket.poll_next(context)), Event::Closed(_));
    }
    if session.is_none() {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}

/// Reads a message, or lets the session do what it can.
///
/// It is mostly the socket that wakes the task, so that is looked at first. Each message is then handled
/// before the next is read, so that whatever it asks for happens in its order.
fn poll_step(
    context: &mut Context<'_>,
    session: &mut Session,
    socket: &mut WebSocket,
    at: &mut Place,
) -> Poll<Step> {
    loop {
        let readable = *at != Place::Read && session.has_room();
        let read = if readable {
            poll_message(context, session, socket)
        } else {
            Poll::Pending
        };
        match read {
            Poll::Ready(None) => {
                *at = Place::Read;
                continue;
            }
            // The end is told again: what runs may have ended before it.
            Poll::Ready(Some(Event::Closed(_))) if *at == Place::Woken => {}
            Poll::Ready(Some(event)) => {
                *at = Place::Read;
                return Poll::Ready(Step::Read(event));
            }
            Poll::Pending if *at == Place::Polled => return Poll::Pending,
            Poll::Pending => {}
        }
        *at = Place::Polled;
        // Replies leave when the session has done what it can, and not one by one.
        if let Poll::Ready(reason) = socket.outbox().corked(|| session.poll(context)) {
            return Poll::Ready(Step::Close(reason));
        }
        if readable && read.is_pending() {
            return Poll::Pending;
        }
    }
}

thread_local! {
    /// Where short messages are read into, taken out while one is looked at.
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads a message. A short one is given to the session where it is, and is no
/// event any more.
fn poll_message(
    context: &mut Context<'_>,
    session: &mut Session,
    socket: &mut WebSocket,
) -> Poll<Option<Event>> {
    SHORT.with(|kept| {
        let mut text = kept.take();
        let read = socket.poll_next_in(context, &mut text);
        if let Poll::Ready(None) = read {
            receive_short(session, &text);
        }
        kept.set(text);
        read
    })
}

/// [`receive`] of a frame in memory that is used again: of the data, a copy is kept.
fn receive_short(session: &mut Session, frame: &[u8]) {
    match envelope::decode_plain(frame, Payload::copy_from_json) {
        Some(message) => session.receive(message),
        None => receive_any(session, &Bytes::copy_from_slice(frame)),
    }
}

fn receive(session: &mut Session, frame: &Bytes) {
    match envelope::decode_plain(frame, |data| Payload::from_json_in(frame, data)) {
        Some(message) => session.receive(message),
        None => receive_any(session, frame),
    }
}

fn receive_any(session: &mut Session, frame: &Bytes) {
    match envelope::decode(frame) {
        Ok(envelope) => accept(session, envelope, frame.len()),
        Err(unreadable) => session.malformed(unreadable.problem, unreadable.request.as_ref()),
    }
}

/// A binary frame may carry an envelope too; anything else is for the
/// gateway's binary handler.
fn receive_binary(session: &mut Session, bytes: Bytes, encoding: Encoding) {
    #[cfg(feature = "msgpack")]
    if encoding == Encoding::Msgpack {
        match crate::msgpack::decode(&bytes) {
            Ok(envelope) => accept(session, envelope, bytes.len()),
            Err(unreadable) => session.malformed(unreadable.problem, unreadable.request.as_ref()),
        }
        return;
    }
    let _ = encoding;
    if str::from_utf8(&bytes).is_ok()
        && let Ok(envelope) = envelope::decode(&bytes)
    {
        accept(session, envelope, bytes.len());
        return;
    }
    let size = bytes.len();
    session.receive_binary(Payload::from_value(Value::Binary(bytes)), size);
}

fn accept(session: &mut Session, envelope: Envelope<'_>, size: usize) {
    match envelope {
        Envelope::Message {
            event,
            arguments,
            request,
        } => session.receive(Incoming {
            event: &event,
            arguments,
            request,
            size,
        }),
        Envelope::Answer { id, data } => {
            if !session.answer(id, data) {
                tracing::debug!(id, "an answer that nobody waits for");
            }
        }
        Envelope::Cancel(target) => session.cancel(&target),
    }
}
