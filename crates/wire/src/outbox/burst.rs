//! Messages that many connections get one behind the other.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::{Class, MutexGuard, Ordering, Outbox, OutboxConfig, State, Writer, lock, wake_all};
use crate::frame::Frame;
use crate::piece::{Kind, Piece};
use crate::queue::Queue;
use crate::writer::TcpWriter;

/// Messages of one class that many connections get, one right behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Burst<'a> {
    whole: Option<&'a [u8]>,
    messages: &'a [Bytes],
    class: Class,
}

impl<'a> Burst<'a> {
    /// A burst of encoded messages, each as [`Frame::from_bytes`] takes it.
    #[must_use]
    pub fn new(messages: &'a [Bytes], class: Class) -> Self {
        Self {
            whole: None,
            messages,
            class,
        }
    }

    /// The same with all messages in one piece, so that one write takes them: `whole` is what
    /// `messages` are one behind the other. That they are made of frames is not looked at again for
    /// each connection, but in debug builds.
    #[must_use]
    pub fn in_one_piece(mut self, whole: &'a [u8]) -> Self {
        debug_assert_eq!(whole, self.messages.concat());
        debug_assert!(self.is_made_of_frames());
        self.whole = Some(whole);
        self
    }

    /// Sends the burst to each of these outboxes. It is written at once where it is in one piece, nothing
    /// stands before it and nobody is writing; what the kernel does not take of it is queued, and goes by
    /// the flusher. Otherwise this is [`Outbox::push_burst`], and `refused` is called with the number of
    /// each outbox that would return `false`, in their order.
    ///
    /// For whoever sends to many connections, behind all tasks that are ready: he writes what the
    /// flusher would write right after him, and touches each connection once. What belongs to a few of
    /// them is read before the first of them is written to, so that the processor fetches it side by side
    /// and does not wait for the memory of one connection after the other.
    pub fn write_to<'o>(
        self,
        outboxes: impl IntoIterator<Item = &'o Arc<Outbox>>,
        mut refused: impl FnMut(usize),
    ) {
        let mut outboxes = outboxes.into_iter().enumerate().fuse();
        loop {
            let few: [_; ABREAST] = std::array::from_fn(|_| outboxes.next());
            if few[0].is_none() {
                return;
            }
            for (_, outbox) in few.iter().flatten() {
                outbox.look_ahead();
            }
            let begun =
                few.map(|next| next.map(|(at, outbox)| (at, outbox, outbox.begin_burst(self))));
            for (.., begun) in begun.iter().flatten() {
                begun.look_ahead();
            }
            for (at, outbox, begun) in begun.into_iter().flatten() {
                match begun {
                    Begun::Writing(writer, whole) => outbox.write_burst(writer, whole, self),
                    Begun::Queued => {}
                    Begun::Refused => refused(at),
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.messages.iter().map(Bytes::len).sum()
    }

    /// How many messages there are, as queues count them.
    fn count(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    fn is_made_of_frames(&self) -> bool {
        let mut messages = self.messages.iter();
        messages.all(|message| Frame::is_made_of(message))
    }

    fn frames(&self) -> impl Iterator<Item = Frame> {
        self.messages.iter().cloned().map(Frame::plain)
    }
}

impl Outbox {
    /// Queues the messages of a burst in one go. `true` when all of them are queued; otherwise none is,
    /// since there is no room for all of them, they are volatile, one of them is not made of frames,
    /// the outbox is closed, or messages are compressed one by one. [`Outbox::push`] then says for each
    /// of them what becomes of it.
    pub fn push_burst(self: &Arc<Self>, burst: Burst<'_>) -> bool {
        !self.compresses() && self.queue_burst(lock(&self.state), burst)
    }

    /// Takes the writer for a burst that is in one piece, if nothing stands before it and nobody is
    /// writing. In all other cases this is [`Outbox::push_burst`].
    fn begin_burst<'a>(self: &Arc<Self>, burst: Burst<'a>) -> Begun<'a> {
        let Some(whole) = burst.whole.filter(|_| !self.compresses()) else {
            return Begun::pushed(self.push_burst(burst));
        };
        let mut state = lock(&self.state);
        if !state.has_room_for(&burst, &self.terms.config) || !state.queue.is_empty() {
            return Begun::pushed(self.queue_burst(state, burst));
        }
        let Some(writer) = state.take_writer() else {
            return Begun::pushed(self.queue_burst(state, burst));
        };
        state.queue.lend(whole.len());
        Begun::Writing(writer, whole)
    }

    /// Writes what [`Outbox::begin_burst`] took the writer for.
    fn write_burst(self: &Arc<Self>, writer: TcpWriter, whole: &[u8], burst: Burst<'_>) {
        match writer.try_write(whole) {
            Ok(written) => self.end_burst(writer, burst, written),
            Err(error) if is_temporary(&error) => self.end_burst(writer, burst, 0),
            Err(_) => {
                drop(writer);
                lock(&self.state).queue.take_back(whole.len());
                self.kill();
            }
        }
    }

    fn queue_burst(self: &Arc<Self>, mut state: MutexGuard<'_, State>, burst: Burst<'_>) -> bool {
        let together = burst.class == Class::Normal && burst.is_made_of_frames();
        if !together || !state.has_room_for(&burst, &self.terms.config) {
            return false;
        }
        for frame in burst.frames() {
            state.queue.append(frame, false);
        }
        self.announce(state);
        true
    }

    /// Reads the memory that [`Outbox::begin_burst`] is going to need, changing nothing.
    fn look_ahead(self: &Arc<Self>) {
        // It shares a line of memory with the lock.
        std::hint::black_box(self.closed.load(Ordering::Relaxed));
    }

    /// Books what was written of a burst, puts the writer to rest, and sees to the rest.
    fn end_burst(self: &Arc<Self>, writer: TcpWriter, burst: Burst<'_>, written: usize) {
        let mut state = lock(&self.state);
        if matches!(state.writer, Writer::Gone) {
            state.queue.take_back(burst.len());
            drop(state);
            drop(writer);
            return;
        }
        state.settle_burst(burst, written);
        let waiters = state.wakeable_room(&self.terms.config);
        if state.queue.is_empty() {
            let done = state.rest_or_end(writer);
            drop(state);
            drop(done);
        } else {
            // The rest of the burst, or what others have queued meanwhile.
            state.writer = Writer::Idle(writer);
            self.announce(state);
        }
        wake_all(waiters);
    }
}

/// How many outboxes are looked at before the first of them is written to: as many misses as a processor
/// has under way at once.
const ABREAST: usize = 8;

/// What became of a burst before anything of it is written.
enum Begun<'a> {
    /// The writer was taken, for these bytes, which are counted as queued.
    Writing(TcpWriter, &'a [u8]),
    Queued,
    Refused,
}

impl Begun<'_> {
    fn pushed(queued: bool) -> Self {
        if queued { Self::Queued } else { Self::Refused }
    }

    /// Reads the memory that writing is going to need, changing nothing.
    fn look_ahead(&self) {
        if let Self::Writing(writer, _) = self {
            writer.look_ahead();
        }
    }
}

impl State {
    fn has_room_for(&self, burst: &Burst<'_>, config: &OutboxConfig) -> bool {
        self.ending.is_none() && self.queue.has_room_for(burst.len(), burst.count(), config)
    }

    fn settle_burst(&mut self, burst: Burst<'_>, written: usize) {
        if written == burst.len() {
            self.queue.take_back(written);
        } else {
            settle_cut(&mut self.queue, burst, written);
        }
    }
}

/// Queues what the kernel did not take, in front of what others have queued meanwhile.
#[cold]
fn settle_cut(queue: &mut Queue, burst: Burst<'_>, written: usize) {
    let kind = match burst.class {
        Class::Normal => Kind::Normal,
        Class::Volatile => Kind::Volatile,
    };
    let pieces = burst.frames().map(|frame| Piece::new(frame, kind));
    let mut pieces = pieces.collect();
    queue.settle(&mut pieces, written);
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
