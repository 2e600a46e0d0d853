//! The way out to a client that may lose its connection and come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Gone, Outlet, Sent};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::Frame;

use super::Limits;
use super::log::Log;
use super::offset::Offset;
use crate::engine::Sender;
use crate::engine::payload::split_frames;
use crate::outlet::push;
use crate::parser::Parser;

/// Sends to the present connection, and keeps what a client may miss.
pub(crate) struct RecoverableOutlet {
    codec: Arc<Parser>,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    /// `None` while the client is away.
    sender: Option<Sender>,
    log: Log,
}

impl RecoverableOutlet {
    pub(crate) fn new(sender: Sender, codec: Arc<Parser>, limits: Limits) -> Self {
        let state = State {
            sender: Some(sender),
            log: Log::default(),
        };
        Self {
            codec,
            limits,
            state: Mutex::new(state),
        }
    }

    /// The connection is gone; from here on events are only kept.
    pub(crate) fn detach(&self) {
        self.lock().sender = None;
    }

    /// Whether everything behind this offset is still there.
    pub(crate) fn can_resume(&self, offset: &str) -> bool {
        let offset = Offset::parse(offset.as_bytes());
        offset.is_some_and(|offset| self.lock().log.behind(offset).is_some())
    }

    /// Goes on over another connection: `greeting` first, then what the client missed,
    /// then what is sent from now on. `false` when something of it is lost.
    pub(crate) fn resume(&self, sender: Sender, offset: &str, greeting: Frame) -> bool {
        let mut state = self.lock();
        let Some(missed) = Offset::parse(offset.as_bytes()).and_then(|o| state.log.behind(o))
        else {
            return false;
        };
        // A client that is too slow for what it missed is closed by its transport.
        let _ = sender.send(greeting, nest_gateway_wire::Class::Normal);
        for event in missed {
            push(&sender, event.clone(), Delivery::RELIABLE);
        }
        state.sender = Some(sender);
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for RecoverableOutlet {
    fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        let event = event_of(&message);
        let mut state = self.lock();
        let kept = event.is_some();
        if let Some((offset, event)) = event {
            let event = if delivery.is_volatile() {
                Bytes::new()
            } else {
                event
            };
            state.log.push(offset, event, &self.limits);
        }
        match &state.sender {
            Some(sender) => push(sender, message, delivery),
            None if kept => Sent::Queued,
            None => Sent::Gone,
        }
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        match &self.lock().sender {
            Some(sender) => sender.poll_room(context).map_err(|_| Gone),
            None => Poll::Ready(Err(Gone)),
        }
    }

    fn queued_bytes(&self) -> usize {
        let state = self.lock();
        state
            .sender
            .as_ref()
            .map_or(0, |sender| sender.outbox().queued_bytes())
    }
}

/// The event in an encoded message: a frame with an offset, and the attachments behind a
/// text frame. An ack that leaves together with it is not part of it.
fn event_of(message: &Bytes) -> Option<(Offset, Bytes)> {
    let frames = split_frames(message);
    let first = frames.first()?;
    if !first.is_text() {
        let offset = Offset::of_msgpack(&first.payload())?;
        return Some((offset, first.bytes().clone()));
    }
    let offset = Offset::of_message(&first.payload())?;
    let attachments = frames.iter().skip(1).take_while(|frame| !frame.is_text());
    let length = first.len() + attachments.map(Frame::len).sum::<usize>();
    Some((offset, message.slice(..length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_kept_with_its_attachments_and_without_an_ack() {
        let text = Frame::text(br#"451-["e",{"_placeholder":true,"num":0},"0000000000000abc"]"#);
        let attachment = Frame::binary(b"bytes");
        let ack = Frame::text(b"430[]");
        let event = [&text.bytes()[..], &attachment.bytes()[..]].concat();
        let message = Bytes::from([&event[..], &ack.bytes()[..]].concat());
        let (offset, kept) = event_of(&message).unwrap();
        assert_eq!(offset.as_str(), "0000000000000abc");
        assert_eq!(kept, event);
        assert!(event_of(ack.bytes()).is_none());
        assert!(event_of(&Bytes::new()).is_none());
    }
}
