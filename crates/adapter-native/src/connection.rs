//! One connection: frames in, the session polled, until either side ends it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Admission, Codec};
use nest_gateway_core::close::CloseReason;
use nest_gateway_core::message::Incoming;
use nest_gateway_core::payload::Payload;
use nest_gateway_core::session::Session;
use nest_gateway_core::value::Value;
use nest_gateway_wire::{Event, WebSocket};

use crate::NAME;
use crate::close;
use crate::envelope::{self, Envelope};
use crate::outlet::NativeOutlet;

/// Serves an accepted connection to its end.
pub(crate) async fn run(mut socket: WebSocket, admission: Admission, codec: &'static dyn Codec) {
    let outlet = NativeOutlet::new(Arc::clone(socket.outbox()), codec);
    let mut session = Session::open(NAME, admission, Arc::new(outlet));
    let mut closing = false;
    loop {
        match poll_fn(|cx| poll_step(cx, &mut session, &mut socket, closing)).await {
            Step::Close(reason) => {
                // What is queued leaves before the close frame, except towards
                // somebody who does not read.
                let outbox = socket.outbox();
                match reason {
                    CloseReason::SlowConsumer => outbox.close_now(Some(close::frame(&reason))),
                    _ => outbox.close(Some(close::frame(&reason))),
                }
                closing = true;
            }
            Step::Read(Event::Text(text)) => receive(&mut session, &text),
            Step::Read(Event::Binary(bytes)) => receive_binary(&mut session, bytes, codec),
            Step::Read(Event::Ping(_) | Event::Pong(_)) => {}
            Step::Read(Event::Closed(closed)) => {
                session.finish(close::disconnect_reason(closed)).await;
                return;
            }
        }
    }
}

enum Step {
    Close(CloseReason),
    Read(Event),
}

fn poll_step(
    context: &mut Context<'_>,
    session: &mut Session,
    socket: &mut WebSocket,
    closing: bool,
) -> Poll<Step> {
    if !closing {
        if let Poll::Ready(reason) = session.poll(context) {
            return Poll::Ready(Step::Close(reason));
        }
        if !session.has_room() {
            return Poll::Pending;
        }
    }
    socket.poll_next(context).map(Step::Read)
}

fn receive(session: &mut Session, frame: &Bytes) {
    match envelope::decode(frame) {
        Ok(envelope) => take(session, envelope, frame.len()),
        Err(unreadable) => session.malformed(unreadable.problem, unreadable.request.as_ref()),
    }
}

/// A binary frame may carry an envelope too; anything else is for the
/// gateway's binary handler.
fn receive_binary(session: &mut Session, bytes: Bytes, codec: &dyn Codec) {
    #[cfg(feature = "msgpack")]
    if codec.format() == crate::msgpack::FORMAT {
        match crate::msgpack::decode(&bytes) {
            Ok(envelope) => take(session, envelope, bytes.len()),
            Err(unreadable) => session.malformed(unreadable.problem, unreadable.request.as_ref()),
        }
        return;
    }
    let _ = codec;
    if let Ok(envelope) = envelope::decode(&bytes) {
        take(session, envelope, bytes.len());
        return;
    }
    let size = bytes.len();
    session.receive_binary(Payload::from_value(Value::Binary(bytes)), size);
}

fn take(session: &mut Session, envelope: Envelope<'_>, size: usize) {
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
