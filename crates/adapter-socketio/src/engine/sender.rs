//! The sending side of a session, which outlives its transports.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use nest_gateway_wire::{BorrowedFrame, Burst, Class, Frame, Outbox, OutboxClosed, Push, Ring};

use super::close::CloseReason;

/// Sends to one session; cheap to clone. What is sent keeps its order, also across an
/// upgrade.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    /// The outbox of the transport that the session was opened with.
    first: Arc<Outbox>,
    /// The outbox of the WebSocket that took over, once one did.
    upgraded: OnceLock<Arc<Outbox>>,
    /// Held while frames move from the one to the other.
    switching: Mutex<()>,
    may_upgrade: bool,
    stop: OnceLock<CloseReason>,
    /// The clock has woken the session, which has not looked at it yet.
    rung: AtomicBool,
    session: AtomicWaker,
}

/// Wakes the session's own task.
impl Ring for Shared {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.session.wake();
    }
}

impl Sender {
    pub(crate) fn new(first: Arc<Outbox>, may_upgrade: bool) -> Self {
        Self(Arc::new(Shared {
            first,
            upgraded: OnceLock::new(),
            switching: Mutex::new(()),
            may_upgrade,
            stop: OnceLock::new(),
            rung: AtomicBool::new(false),
            session: AtomicWaker::new(),
        }))
    }

    /// Queues a frame, or a group of frames that belong together. Never blocks. A session
    /// whose client takes too little is closed when the policy of its outbox says so.
    pub fn send(&self, frame: Frame, class: Class) -> Push {
        self.push_with(move |outbox| outbox.push(frame, class))
    }

    /// Queues a frame that no other session gets, as [`Sender::send`] does.
    pub fn send_own(&self, frame: BorrowedFrame<'_>) -> Push {
        self.push_with(|outbox| outbox.push_own(frame))
    }

    /// Queues frames that no other session gets, all or none, as [`Outbox::push_run`] does. It
    /// may also refuse them because another transport takes over; [`Sender::send_own`]
    /// then takes them.
    pub fn send_run(&self, frames: &[u8], count: u32) -> bool {
        self.outbox().push_run(frames, count)
    }

    /// Queues messages that other sessions get too, all or none, as [`Outbox::push_burst`]
    /// does. It may also refuse them because another transport takes over;
    /// [`Sender::send`] then takes them.
    pub fn push_burst(&self, burst: Burst<'_>) -> bool {
        self.outbox().push_burst(burst)
    }

    /// Ready while the queue is below half of its bounds. An error means that the session
    /// is over.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), OutboxClosed>> {
        let polled = self.outbox().poll_room(cx, 0);
        if !self.0.may_upgrade || polled != Poll::Ready(Err(OutboxClosed)) {
            return polled;
        }
        // The outbox of polling is also closed while a WebSocket takes over.
        let _switched = self
            .0
            .switching
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.outbox().poll_room(cx, 0)
    }

    /// Asks the session to close. The first reason counts.
    pub fn close(&self, reason: CloseReason) {
        if self.0.stop.set(reason).is_ok() {
            self.0.session.wake();
        }
    }

    /// Runs a part of the task that serves the connection; see [`Outbox::corked`].
    pub fn corked<R>(&self, turn: impl FnOnce() -> R) -> R {
        self.outbox().corked(turn)
    }

    /// The outbox of the present transport.
    pub fn outbox(&self) -> &Arc<Outbox> {
        self.0.upgraded.get().unwrap_or(&self.0.first)
    }

    /// Whether both are the same session's.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn push_with(&self, push: impl FnOnce(&Arc<Outbox>) -> Push + Clone) -> Push {
        let pushed = self.push_to_present(push);
        if pushed == Push::Overflow {
            self.close(CloseReason::SlowConsumer);
        }
        pushed
    }

    fn push_to_present(&self, push: impl FnOnce(&Arc<Outbox>) -> Push + Clone) -> Push {
        if let Some(upgraded) = self.0.upgraded.get() {
            return push(upgraded);
        }
        if !self.0.may_upgrade {
            return push(&self.0.first);
        }
        let pushed = push.clone()(&self.0.first);
        if pushed != Push::Closed {
            return pushed;
        }
        // The first outbox is also closed during a switch; then the frame belongs to
        // the second, behind all that was moved.
        let _switched = self
            .0
            .switching
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.0.upgraded.get().map_or(Push::Closed, push)
    }

    /// Moves what is queued to the outbox of the transport that takes over.
    pub(super) fn switch(&self, outbox: &Arc<Outbox>) {
        let _switching = self
            .0
            .switching
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.0.first.close(None);
        let mut overflow = false;
        self.0.first.drain(usize::MAX, |frame| {
            overflow |= outbox.push(frame, Class::Normal) == Push::Overflow;
        });
        if self.0.upgraded.set(Arc::clone(outbox)).is_err() {
            debug_assert!(false, "a session is upgraded once");
        }
        if overflow {
            self.close(CloseReason::SlowConsumer);
        }
    }

    /// Waits until [`Sender::close`] was called. Only the session's own task may wait.
    pub(super) async fn stopped(&self) -> CloseReason {
        poll_fn(|cx| {
            if let Some(reason) = self.0.stop.get() {
                return Poll::Ready(*reason);
            }
            self.0.session.register(cx.waker());
            self.0
                .stop
                .get()
                .map_or(Poll::Pending, |reason| Poll::Ready(*reason))
        })
        .await
    }

    /// Waits for the clock. To be polled after [`Sender::stopped`], whose task it wakes.
    pub(super) async fn rung(&self) {
        poll_fn(|_| {
            if self.0.rung.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// What the clock wakes.
    pub(super) fn ringer(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(super) fn end(&self) {
        self.0.first.close_now(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nest_gateway_wire::OutboxConfig;

    fn drained(outbox: &Outbox) -> Vec<Frame> {
        let mut frames = Vec::new();
        outbox.drain(usize::MAX, |frame| frames.push(frame));
        frames
    }

    #[test]
    fn frames_keep_their_order_across_an_upgrade() {
        let first = Outbox::new(OutboxConfig::default());
        let second = Outbox::new(OutboxConfig::default());
        let sender = Sender::new(Arc::clone(&first), true);
        let sent = [Frame::text(b"1"), Frame::text(b"2"), Frame::text(b"3")];
        assert_eq!(sender.send(sent[0].clone(), Class::Normal), Push::Queued);
        assert_eq!(sender.send(sent[1].clone(), Class::Normal), Push::Queued);
        sender.switch(&second);
        assert_eq!(sender.send(sent[2].clone(), Class::Normal), Push::Queued);
        assert_eq!(drained(&second), sent);
        assert!(drained(&first).is_empty());
    }

    #[test]
    fn no_frame_is_lost_or_overtaken_while_many_threads_send_into_an_upgrade() {
        const SENDERS: usize = 4;
        const FRAMES: usize = 500;
        let config = OutboxConfig {
            max_messages: SENDERS * FRAMES,
            ..OutboxConfig::default()
        };
        let second = Outbox::new(config);
        let sender = Sender::new(Outbox::new(config), true);
        std::thread::scope(|scope| {
            for number in 0..SENDERS {
                let sender = sender.clone();
                scope.spawn(move || {
                    for count in 0..FRAMES {
                        let text = format!("{number} {count}");
                        let pushed = sender.send(Frame::text(text.as_bytes()), Class::Normal);
                        assert_eq!(pushed, Push::Queued);
                    }
                });
            }
            scope.spawn(|| sender.switch(&second));
        });
        let mut next = [0; SENDERS];
        for frame in drained(&second) {
            let text = String::from_utf8(frame.payload().to_vec()).unwrap();
            let (number, count) = text.split_once(' ').unwrap();
            let expected = &mut next[number.parse::<usize>().unwrap()];
            assert_eq!(count, expected.to_string());
            *expected += 1;
        }
        assert_eq!(next, [FRAMES; SENDERS]);
    }

    #[test]
    fn a_session_that_takes_too_little_is_asked_to_close() {
        let config = OutboxConfig {
            max_messages: 1,
            ..OutboxConfig::default()
        };
        let sender = Sender::new(Outbox::new(config), true);
        let frame = Frame::text(b"x");
        assert_eq!(sender.send(frame.clone(), Class::Normal), Push::Queued);
        assert_eq!(sender.send(frame.clone(), Class::Normal), Push::Overflow);
        assert_eq!(sender.0.stop.get(), Some(&CloseReason::SlowConsumer));
        assert_eq!(sender.send(frame, Class::Normal), Push::Closed);
    }
}
