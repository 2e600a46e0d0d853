//! The way out to a client that may lose its connection and come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::log::Log;
use super::offset::Offset;
use super::store::Room;
use crate::adapter::{Codec, Gone, Outlet, Sent};
use crate::message::Delivery;

/// Sends to the present connection, and keeps what a client may miss. It outlives the
/// connections of its client.
pub struct RecoverableOutlet {
    codec: Arc<dyn Codec>,
    room: Arc<Room>,
    state: Mutex<State>,
}

struct State {
    /// The way out to the present connection; `None` while the client is away.
    link: Option<Arc<dyn Outlet>>,
    log: Log,
}

/// How the events that a client missed went out.
pub(super) enum Resumed {
    /// They are on their way.
    Queued,
    /// The connection did not take them all.
    Overflow,
    /// Some of them are not kept any more.
    Lost,
}

impl RecoverableOutlet {
    pub(super) fn new(codec: Arc<dyn Codec>, room: Arc<Room>, start: Offset) -> Self {
        Self {
            codec,
            room,
            state: Mutex::new(State {
                link: None,
                log: Log::new(start),
            }),
        }
    }

    pub(super) fn attach(&self, link: Arc<dyn Outlet>) {
        self.lock().link = Some(link);
    }

    /// The connection is gone; from here on events are only kept.
    pub(super) fn detach(&self) {
        let link = self.lock().link.take();
        drop(link);
    }

    /// Whether everything behind this offset is still there.
    pub(super) fn can_resume(&self, offset: Offset) -> bool {
        self.lock().log.behind(offset).is_some()
    }

    /// Goes on over another connection: `greeting` first, then what the client missed, then what
    /// is sent from now on.
    pub(super) fn resume(&self, link: Arc<dyn Outlet>, offset: Offset, greeting: Bytes) -> Resumed {
        let mut state = self.lock();
        let Some(missed) = state.log.behind(offset) else {
            return Resumed::Lost;
        };
        let mut sent = link.send(greeting, Delivery::RELIABLE);
        for event in missed {
            if sent != Sent::Queued {
                break;
            }
            sent = link.send(event.clone(), Delivery::RELIABLE);
        }
        state.link = Some(link);
        match sent {
            // One that has gone again is noticed by its task.
            Sent::Queued | Sent::Gone => Resumed::Queued,
            Sent::Displaced(_) | Sent::Dropped | Sent::Overflow => Resumed::Overflow,
        }
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
        let event = self.codec.recoverable(&message);
        let mut state = self.lock();
        let kept = event.is_some();
        if let Some((offset, event)) = event {
            let event = if delivery.is_volatile() {
                Bytes::new()
            } else {
                event
            };
            self.room.keep(&mut state.log, offset, event);
        }
        let sent = match &state.link {
            Some(link) => link.send(message, delivery),
            None => Sent::Gone,
        };
        match sent {
            // The connection is gone, whether its task has noticed yet or not; who comes back
            // gets what was kept.
            Sent::Gone if kept => Sent::Queued,
            sent => sent,
        }
    }

    fn send_run(&self, messages: &[u8], count: usize) -> bool {
        // Items that have a number of their own are not encoded for this, so
        // that nothing of it is to be kept.
        let link = self.lock().link.clone();
        link.is_some_and(|link| link.send_run(messages, count))
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        match &self.lock().link {
            Some(link) => link.poll_room(context),
            None => Poll::Ready(Err(Gone)),
        }
    }

    fn queued_bytes(&self) -> usize {
        let state = self.lock();
        state.link.as_ref().map_or(0, |link| link.queued_bytes())
    }
}

impl Drop for RecoverableOutlet {
    fn drop(&mut self) {
        let cost = self.lock().log.cost();
        self.room.give_back(cost);
    }
}

impl std::fmt::Debug for RecoverableOutlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoverableOutlet").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Format;
    use crate::config::Config;
    use crate::message::{Encoded, Outgoing};
    use crate::payload::EncodeError;
    use crate::recovery::Recovery;
    use crate::recovery::store::RecoveryStore;

    /// Every message but an empty one is an event that can be sent again.
    struct Numbered;

    impl Codec for Numbered {
        fn format(&self) -> Format {
            Format("numbered")
        }

        fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
            (!message.is_empty()).then(|| (Offset(1), message.clone()))
        }

        fn encode(&self, _: &str, _: Outgoing<'_>) -> Result<Encoded, EncodeError> {
            Ok(None)
        }
    }

    /// A connection that is gone, which its task has not noticed yet.
    struct Closed;

    impl Outlet for Closed {
        fn codec(&self) -> &dyn Codec {
            &Numbered
        }

        fn send(&self, _: Bytes, _: Delivery) -> Sent {
            Sent::Gone
        }

        fn poll_room(&self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
            Poll::Ready(Err(Gone))
        }

        fn queued_bytes(&self) -> usize {
            0
        }
    }

    #[test]
    fn what_is_kept_counts_as_queued_before_and_after_the_loss_is_noticed() {
        let store = RecoveryStore::of(Recovery::default(), &Config::default(), Arc::default());
        let room = Arc::clone(&store.room);
        let outlet = RecoverableOutlet::new(Arc::new(Numbered), room, Offset(0));
        let event = Bytes::from_static(b"event");
        outlet.attach(Arc::new(Closed));
        assert_eq!(outlet.send(event.clone(), Delivery::RELIABLE), Sent::Queued);
        outlet.detach();
        assert_eq!(outlet.send(event, Delivery::RELIABLE), Sent::Queued);
        assert_eq!(outlet.send(Bytes::new(), Delivery::RELIABLE), Sent::Gone);
    }
}
