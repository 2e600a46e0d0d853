//! The bounded queue of one connection, and what happens when it is full. No lock, no waker.

use crate::few::Few;
use crate::frame::{BorrowedFrame, Frame, OpCode};
use crate::gap::{GapNotice, Gaps};
use crate::line::Line;
use crate::piece::{Kind, Piece};
use crate::run::{self, Run};

/// What happens to a connection that takes less than is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowPolicy {
    /// It is closed with 1008 "slow consumer".
    #[default]
    Close,
    /// The oldest queued frames make room for new ones.
    DropOldest,
    /// New frames are dropped until there is room.
    DropNewest,
}

/// Whether a frame may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Class {
    /// The frame is delivered, or the policy of the outbox decides.
    #[default]
    Normal,
    /// The frame is the first to go: it is dropped when the connection does not keep up, and makes
    /// room for normal frames.
    Volatile,
}

/// Bounds of an [`Outbox`](crate::Outbox).
#[derive(Clone, Copy, Debug)]
pub struct OutboxConfig {
    /// Bytes that may be queued, headers included; 1 MiB by default. A single frame over it is taken if
    /// nothing else is queued, so that the message limit and this one are independent.
    pub max_bytes: usize,
    /// Frames that may be queued; 4,096 by default.
    pub max_messages: usize,
    /// What happens when a bound is reached; [`SlowPolicy::Close`] by default.
    pub policy: SlowPolicy,
    /// How the peer is told how many frames a drop policy cost it. `None`, the default, sends no
    /// notice; the count can then be had from [`Outbox::take_gap`](crate::Outbox::take_gap).
    pub gap: Option<GapNotice>,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024,
            max_messages: 4096,
            policy: SlowPolicy::default(),
            gap: None,
        }
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Push {
    /// It is queued.
    Queued,
    /// Frames were dropped by the policy, or because they were volatile.
    Dropped {
        /// Whether the frame that was pushed is among them; if not, it is queued.
        pushed: bool,
        /// How many frames were dropped, the pushed one included.
        frames: u64,
    },
    /// The outbox was full under [`SlowPolicy::Close`]; it has just been closed with 1008.
    Overflow,
    /// The outbox was closed before.
    Closed,
}

/// Control frames that wait; a peer that pings without reading gets the last ones answered only, as
/// RFC 6455, section 5.5.3, allows.
const MAX_CONTROL: usize = 64;

/// What stands in the queue.
#[derive(Debug)]
enum Entry {
    /// A frame, or a group of them, that other connections may have too.
    Frame(Queued),
    /// Normal frames of this connection alone.
    Run(Run),
}

/// As a type of its own it is aligned, and what moves an entry moves whole words.
#[derive(Debug)]
struct Queued {
    frame: Frame,
    volatile: bool,
}

impl Entry {
    fn len(&self) -> usize {
        match self {
            Self::Frame(queued) => queued.frame.len(),
            Self::Run(run) => run.len(),
        }
    }

    fn messages(&self) -> u32 {
        match self {
            Self::Frame(_) => 1,
            Self::Run(run) => run.frames(),
        }
    }

    fn is_volatile(&self) -> bool {
        matches!(self, Self::Frame(queued) if queued.volatile)
    }

    fn is_close(&self) -> bool {
        matches!(self, Self::Frame(queued) if queued.frame.op_code() == OpCode::Close)
    }
}

/// What [`Queue::push`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Dropped { pushed: bool, frames: u64 },
    Overflow,
}

/// Frames in the order in which they leave: the rest of a frame that was cut by the kernel, control
/// frames, then messages.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// What goes before messages: the rest of a frame that was cut, frames that have to follow it as
    /// they are, control frames.
    ahead: Few<Piece>,
    frames: Line<Entry>,
    /// Messages in `frames`; a group is one, a run is several.
    messages: u32,
    /// Volatile ones among the messages.
    volatile: u32,
    /// Bytes queued or taken by the writer and not yet confirmed, control frames left out.
    bytes: usize,
    losses: Option<Box<Losses>>,
}

/// What a queue has dropped; most never do.
#[derive(Debug, Default)]
struct Losses {
    dropped: u64,
    gaps: Gaps,
    /// Set by [`Queue::clear`]: messages that a writer gives back are dropped too.
    cleared: bool,
}

impl Queue {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.losses.as_ref().map_or(0, |losses| losses.dropped)
    }

    /// Normal frames that a drop policy cost the peer since this was asked last.
    pub(crate) fn take_gap(&mut self) -> u64 {
        let losses = self.losses.as_mut();
        losses.map_or(0, |losses| losses.gaps.take())
    }

    /// Counts dropped frames that were volatile, or that nobody waits for any more.
    fn drop_silently(&mut self, frames: u32) {
        if frames > 0 {
            self.losses.get_or_insert_default().dropped += u64::from(frames);
        }
    }

    /// Counts a dropped frame that the peer is to be told of.
    fn leave_gap(&mut self, frame: &Frame, config: &OutboxConfig) {
        let losses = self.losses.get_or_insert_default();
        losses.dropped += 1;
        losses.gaps.count(frame, config.gap);
    }

    fn is_cleared(&self) -> bool {
        self.losses.as_ref().is_some_and(|losses| losses.cleared)
    }

    fn has_gap(&self) -> bool {
        let losses = self.losses.as_ref();
        losses.is_some_and(|losses| !losses.gaps.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ahead.is_empty() && self.frames.is_empty()
    }

    /// Queues a frame within the bounds. `stalled` says that the connection takes nothing at present.
    pub(crate) fn push(
        &mut self,
        frame: Frame,
        class: Class,
        config: &OutboxConfig,
        stalled: bool,
    ) -> Pushed {
        let volatile = class == Class::Volatile;
        let room = self.has_room(frame.len(), config);
        if room && !(volatile && stalled) {
            self.append(frame, volatile);
            return Pushed::Queued;
        }
        if volatile {
            self.drop_silently(1);
            return Pushed::Dropped {
                pushed: true,
                frames: 1,
            };
        }
        self.push_full(frame, config)
    }

    /// Queues a normal frame that is for this connection alone: behind the last one of its kind, in the
    /// same memory. `at_once` says that a writer comes for it presently.
    pub(crate) fn push_own(
        &mut self,
        frame: BorrowedFrame<'_>,
        config: &OutboxConfig,
        at_once: bool,
    ) -> Pushed {
        let len = frame.len();
        if !self.has_room(len, config) {
            return self.push_full(frame.to_frame(), config);
        }
        self.bytes += len;
        self.messages += 1;
        if at_once && self.is_empty() {
            // The first thing that the writer takes.
            run::with_chunk(frame.len(), |chunk| {
                self.frames.push_back(Entry::Run(Run::lend(frame, chunk)));
            });
            return Pushed::Queued;
        }
        match self.frames.back_mut() {
            Some(Entry::Run(run)) if run.has_room(len) => run.push(frame),
            _ => self.frames.push_back(Entry::Run(Run::new(frame))),
        }
        Pushed::Queued
    }

    /// Queues normal frames that are for this connection alone, one behind the other in `frames`; all or,
    /// where there is no room for all of them, none.
    pub(crate) fn push_run(&mut self, frames: &[u8], count: u32, config: &OutboxConfig) -> bool {
        if !self.has_room_for(frames.len(), count, config) {
            return false;
        }
        self.bytes += frames.len();
        self.messages += count;
        match self.frames.back_mut() {
            Some(Entry::Run(run)) if run.has_room(frames.len()) => run.extend(frames, count),
            _ => self.frames.push_back(Entry::Run(Run::of(frames, count))),
        }
        true
    }

    /// Whether there is room for so many bytes in so many messages. Only a message that is alone may be
    /// over the bounds.
    pub(crate) fn has_room_for(&self, len: usize, messages: u32, config: &OutboxConfig) -> bool {
        match messages {
            0 | 1 => self.has_room(len, config),
            _ => {
                let messages = self.messages.saturating_add(messages);
                self.bytes + len <= config.max_bytes && messages as usize <= config.max_messages
            }
        }
    }

    /// Counts bytes that were never queued, since a writer has them, as being written: until
    /// [`Queue::take_back`], or until [`Queue::settle`] books them as pieces.
    pub(crate) fn lend(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// They have left, or never will.
    pub(crate) fn take_back(&mut self, bytes: usize) {
        self.bytes -= bytes;
    }

    /// Queues a normal frame into a queue that has no room for it, as the policy says.
    #[cold]
    fn push_full(&mut self, frame: Frame, config: &OutboxConfig) -> Pushed {
        let before = self.dropped();
        self.evict_volatile(frame.len(), config);
        if !self.has_room(frame.len(), config) {
            match config.policy {
                SlowPolicy::Close => return Pushed::Overflow,
                SlowPolicy::DropOldest => self.evict_oldest(frame.len(), config),
                SlowPolicy::DropNewest => {}
            }
        }
        let room = self.has_room(frame.len(), config);
        if room {
            self.append(frame, false);
        } else {
            self.leave_gap(&frame, config);
        }
        match self.dropped() - before {
            0 => Pushed::Queued,
            frames => Pushed::Dropped {
                pushed: !room,
                frames,
            },
        }
    }

    /// Queues a frame whatever the bounds say: a close frame, or the notice of a gap.
    pub(crate) fn append(&mut self, frame: Frame, volatile: bool) {
        self.bytes += frame.len();
        self.messages += 1;
        self.volatile += u32::from(volatile);
        self.frames
            .push_back(Entry::Frame(Queued { frame, volatile }));
    }

    /// Queues a ping or pong; beyond the bound the oldest pong gives way.
    pub(crate) fn push_control(&mut self, frame: Frame) {
        let waiting = self.ahead.iter().filter(|piece| piece.is_whole_control());
        if waiting.count() >= MAX_CONTROL {
            let pong = Some(OpCode::Pong);
            let oldest = self
                .ahead
                .iter()
                .position(|piece| piece.whole_op_code() == pong);
            let oldest = oldest.or_else(|| self.ahead.iter().position(Piece::is_whole_control));
            self.ahead.remove(oldest.expect("many were counted"));
        }
        self.ahead.push_back(Piece::new(frame, Kind::Control));
    }

    /// Drops everything but the rest of a frame that is half sent.
    pub(crate) fn clear(&mut self) {
        let messages = std::mem::take(&mut self.messages);
        self.drop_silently(messages);
        self.bytes -= self.frames.iter().map(Entry::len).sum::<usize>();
        self.frames = Line::default();
        self.volatile = 0;
        if self.bytes > 0 {
            // With a writer, or the rest of what one has begun.
            self.losses.get_or_insert_default().cleared = true;
        }
        let mut pieces = self.ahead.take();
        if pieces.first().is_some_and(Piece::is_rest) {
            self.ahead.push_back(pieces.remove(0));
        }
        self.drop_silently(pieces.iter().map(Piece::messages).sum());
        self.forget(&mut pieces);
    }

    /// The next bytes to write. They count as queued until [`Queue::settle`].
    pub(crate) fn pop(&mut self, config: &OutboxConfig) -> Option<Piece> {
        if let Some(piece) = self.ahead.pop_front() {
            return Some(piece);
        }
        if self.has_gap() {
            self.queue_gap_notices(config);
        }
        let entry = self.frames.pop_front()?;
        self.messages -= entry.messages();
        Some(match entry {
            Entry::Run(run) => Piece::of_run(run),
            Entry::Frame(Queued { frame, volatile }) => {
                self.volatile -= u32::from(volatile);
                let kind = if volatile {
                    Kind::Volatile
                } else {
                    Kind::Normal
                };
                Piece::new(frame, kind)
            }
        })
    }

    /// The next whole frame, for a consumer that takes frames one by one; it stops counting at once.
    pub(crate) fn pop_frame(&mut self, config: &OutboxConfig) -> Option<Frame> {
        if let Some(piece) = self.ahead.pop_front() {
            return Some(piece.into_frame());
        }
        if self.has_gap() {
            self.queue_gap_notices(config);
        }
        self.take_first()
    }

    /// Books the pieces that were popped, of which the first `written` bytes have left, and takes back
    /// the others in their order.
    pub(crate) fn settle(&mut self, pieces: &mut Vec<Piece>, mut written: usize) {
        if let [only] = &pieces[..]
            && only.bytes.len() == written
            && only.kind() != Kind::Control
        {
            // What nearly every write is.
            self.bytes -= written;
            pieces.clear();
            return;
        }
        // A compressor whose window goes on has seen these in their order, so that none may be dropped
        // or overtaken any more.
        let committed = pieces.iter().any(Piece::is_compressed);
        let (mut done, mut behind) = (0, None);
        for piece in pieces.iter_mut() {
            let sent = written.min(piece.bytes.len());
            written -= sent;
            if piece.kind() != Kind::Control {
                self.bytes -= sent;
            }
            if sent < piece.bytes.len() {
                behind = piece.advance(sent);
                break;
            }
            done += 1;
        }
        if let Some(behind) = behind {
            pieces.insert(done + 1, behind);
        }
        for piece in pieces.drain(..).skip(done).rev() {
            if piece.is_rest() || piece.kind() == Kind::Control || (committed && !self.is_cleared())
            {
                self.ahead.push_front(piece);
            } else {
                self.put_back(piece);
            }
        }
    }

    /// The run that is all there is to write.
    pub(crate) fn only_run(&self) -> Option<&Run> {
        match self.frames.only()? {
            Entry::Run(run) if self.ahead.is_empty() && !self.has_gap() => Some(run),
            _ => None,
        }
    }

    /// Books that the first `written` bytes of [`Queue::only_run`] have left; `true` when those are all.
    pub(crate) fn settle_only_run(&mut self, written: usize, config: &OutboxConfig) -> bool {
        if self.only_run().is_some_and(|run| run.len() == written) {
            self.bytes -= written;
            self.messages = 0;
            self.frames = Line::default();
            return true;
        }
        let mut pieces = self.pop(config).into_iter().collect();
        self.settle(&mut pieces, written);
        false
    }

    /// Corrects the count of queued bytes after pieces have changed their size.
    #[cfg(feature = "deflate")]
    pub(crate) fn recount(&mut self, change: isize) {
        self.bytes = self.bytes.saturating_add_signed(change);
    }

    /// Books pieces that will never be written, since the transport is gone.
    pub(crate) fn forget(&mut self, pieces: &mut Vec<Piece>) {
        for piece in pieces.drain(..).filter(|p| p.kind() != Kind::Control) {
            self.bytes -= piece.bytes.len();
        }
    }

    /// Length of what [`Queue::pop_frame`] gives next.
    pub(crate) fn peek_len(&self) -> Option<usize> {
        match self.ahead.front() {
            Some(piece) => Some(piece.bytes.len()),
            None => self.frames.front().map(|entry| match entry {
                Entry::Frame(queued) => queued.frame.len(),
                Entry::Run(run) => run.first_len(),
            }),
        }
    }

    /// Whether `bytes` more leave it at most half full; also when nothing at all is queued.
    pub(crate) fn is_below_low_water(&self, bytes: usize, config: &OutboxConfig) -> bool {
        self.bytes == 0
            || (self.bytes + bytes <= config.max_bytes / 2
                && self.messages as usize <= config.max_messages / 2)
    }

    /// Drops the rest of a half sent frame; the transport is gone.
    pub(crate) fn forget_rest(&mut self) {
        let mut pieces = self.ahead.take();
        self.forget(&mut pieces);
    }

    /// Gives memory of an empty queue back: what a large burst needed at once, and what a small one
    /// needed after a lone frame has shown that it is over.
    pub(crate) fn shrink(&mut self, after_lone_frame: bool) {
        const BURST: usize = 64;
        if self.frames.is_empty() && (after_lone_frame || self.frames.spare() > BURST) {
            self.frames.release();
        }
        if self.ahead.is_empty() {
            self.ahead.release();
        }
    }

    fn put_back(&mut self, piece: Piece) {
        let (kind, messages) = (piece.kind(), piece.messages());
        let entry = if kind == Kind::Run {
            Entry::Run(Run::copy_of(&piece.bytes))
        } else {
            Entry::Frame(Queued {
                frame: piece.into_frame(),
                volatile: kind == Kind::Volatile,
            })
        };
        if self.is_cleared() && !entry.is_close() {
            self.bytes -= entry.len();
            self.drop_silently(messages);
            return;
        }
        self.messages += messages;
        self.volatile += u32::from(entry.is_volatile());
        self.frames.push_front(entry);
    }

    /// Takes the first message out of the queue.
    fn take_first(&mut self) -> Option<Frame> {
        let frame = match self.frames.pop_front()? {
            Entry::Frame(Queued { frame, volatile }) => {
                self.volatile -= u32::from(volatile);
                frame
            }
            Entry::Run(mut run) => match run.split_first() {
                Some(first) => {
                    self.frames.push_front(Entry::Run(run));
                    first
                }
                None => Frame::plain(run.into_bytes()),
            },
        };
        self.messages -= 1;
        self.bytes -= frame.len();
        Some(frame)
    }

    fn has_room(&self, len: usize, config: &OutboxConfig) -> bool {
        fits(self.bytes, self.messages, len, config)
    }

    fn evict_volatile(&mut self, len: usize, config: &OutboxConfig) {
        let (mut bytes, mut queued, mut evicted) = (self.bytes, self.messages, 0);
        if self.volatile == 0 {
            return;
        }
        self.frames.retain(|entry| {
            let keep = !entry.is_volatile() || fits(bytes, queued, len, config);
            if !keep {
                bytes -= entry.len();
                queued -= 1;
                evicted += 1;
            }
            keep
        });
        self.bytes = bytes;
        self.messages = queued;
        self.volatile -= evicted;
        self.drop_silently(evicted);
    }

    fn evict_oldest(&mut self, len: usize, config: &OutboxConfig) {
        while !self.has_room(len, config) {
            let Some(oldest) = self.take_first() else {
                return;
            };
            self.leave_gap(&oldest, config);
        }
    }

    /// Queues the notices where the gap is: in front under `DropOldest`, behind under `DropNewest`.
    #[cold]
    fn queue_gap_notices(&mut self, config: &OutboxConfig) {
        let (Some(notice), Some(losses)) = (config.gap, &mut self.losses) else {
            return;
        };
        let mut notices = losses.gaps.take_notices(notice);
        self.bytes += notices.iter().map(Frame::len).sum::<usize>();
        self.messages += u32::try_from(notices.len()).expect("there are few notices");
        let entry = |frame| {
            Entry::Frame(Queued {
                frame,
                volatile: false,
            })
        };
        let closing = self.frames.back().is_some_and(Entry::is_close);
        if config.policy == SlowPolicy::DropOldest || closing {
            while let Some(frame) = notices.pop() {
                self.frames.push_front(entry(frame));
            }
        } else {
            for frame in notices {
                self.frames.push_back(entry(frame));
            }
        }
    }
}

/// Whether a frame of `len` bytes may join what is queued.
fn fits(bytes: usize, queued: u32, len: usize, config: &OutboxConfig) -> bool {
    bytes == 0 || (bytes + len <= config.max_bytes && (queued as usize) < config.max_messages)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn config(policy: SlowPolicy) -> OutboxConfig {
        OutboxConfig {
            max_bytes: 40,
            max_messages: 4,
            policy,
            gap: None,
        }
    }

    const NOTICE: GapNotice = GapNotice {
        recipient: |_| Some(bytes::Bytes::new()),
        recipients: 1,
        frame: |_, dropped| Frame::text(format!("gap {dropped}").as_bytes()),
    };

    /// A frame of ten bytes.
    fn frame(name: &str) -> Frame {
        Frame::text(format!("{name:8}").as_bytes())
    }

    fn push(queue: &mut Queue, name: &str, config: &OutboxConfig) -> Pushed {
        queue.push(frame(name), Class::Normal, config, false)
    }

    fn volatile(queue: &mut Queue, name: &str, config: &OutboxConfig) -> Pushed {
        queue.push(frame(name), Class::Volatile, config, false)
    }

    fn names(queue: &mut Queue, config: &OutboxConfig) -> Vec<String> {
        std::iter::from_fn(|| queue.pop_frame(config))
            .map(|frame| String::from_utf8_lossy(&frame.payload()).trim().to_owned())
            .collect()
    }

    /// How a frame comes into the queue.
    #[derive(Clone, Copy, Debug)]
    enum How {
        Shared,
        Volatile,
        Own,
        Run,
    }

    fn how() -> impl Strategy<Value = How> {
        let own = prop_oneof![Just(How::Own), Just(How::Run)];
        prop_oneof![1 => Just(How::Shared), 1 => Just(How::Volatile), 2 => own]
    }

    impl How {
        fn push(self, queue: &mut Queue, frame: Frame, config: &OutboxConfig) -> Pushed {
            match self {
                Self::Shared => queue.push(frame, Class::Normal, config, false),
                Self::Volatile => queue.push(frame, Class::Volatile, config, false),
                Self::Run if queue.push_run(frame.bytes(), 1, config) => Pushed::Queued,
                Self::Own | Self::Run => queue.push_own(borrowed(&frame), config, true),
            }
        }
    }

    fn borrowed(frame: &Frame) -> BorrowedFrame<'_> {
        BorrowedFrame::of(frame.bytes()).expect("a whole frame")
    }

    const DROPPED_NEWEST: Pushed = Pushed::Dropped {
        pushed: true,
        frames: 1,
    };
    const DROPPED_OLDER: Pushed = Pushed::Dropped {
        pushed: false,
        frames: 1,
    };

    fn full(config: &OutboxConfig) -> Queue {
        let mut queue = Queue::default();
        for name in ["a", "b", "c", "d"] {
            assert_eq!(push(&mut queue, name, config), Pushed::Queued);
        }
        queue
    }

    #[test]
    fn a_full_queue_overflows_under_close() {
        let config = config(SlowPolicy::Close);
        let mut queue = full(&config);
        assert_eq!(push(&mut queue, "e", &config), Pushed::Overflow);
    }

    #[test]
    fn bytes_are_a_bound_as_well_as_messages() {
        let config = OutboxConfig {
            max_messages: 100,
            ..config(SlowPolicy::Close)
        };
        let mut queue = full(&config);
        assert_eq!(push(&mut queue, "e", &config), Pushed::Overflow);
    }

    #[test]
    fn drop_oldest_keeps_the_newest_and_counts() {
        let config = config(SlowPolicy::DropOldest);
        let mut queue = full(&config);
        assert_eq!(push(&mut queue, "e", &config), DROPPED_OLDER);
        assert_eq!(
            (queue.dropped(), queue.take_gap(), queue.take_gap()),
            (1, 1, 0)
        );
        assert_eq!(names(&mut queue, &config), ["b", "c", "d", "e"]);
    }

    #[test]
    fn drop_newest_keeps_the_oldest_and_counts() {
        let config = config(SlowPolicy::DropNewest);
        let mut queue = full(&config);
        assert_eq!(push(&mut queue, "e", &config), DROPPED_NEWEST);
        assert_eq!((queue.dropped(), queue.take_gap()), (1, 1));
        assert_eq!(names(&mut queue, &config), ["a", "b", "c", "d"]);
    }

    #[test]
    fn volatile_frames_are_the_first_to_go_and_make_no_gap() {
        let config = config(SlowPolicy::Close);
        let mut queue = Queue::default();
        assert_eq!(push(&mut queue, "a", &config), Pushed::Queued);
        assert_eq!(volatile(&mut queue, "v", &config), Pushed::Queued);
        assert_eq!(push(&mut queue, "b", &config), Pushed::Queued);
        assert_eq!(push(&mut queue, "c", &config), Pushed::Queued);
        assert_eq!(volatile(&mut queue, "w", &config), DROPPED_NEWEST);
        assert_eq!(push(&mut queue, "d", &config), DROPPED_OLDER);
        assert_eq!((queue.dropped(), queue.take_gap()), (2, 0));
        assert_eq!(names(&mut queue, &config), ["a", "b", "c", "d"]);
    }

    #[test]
    fn volatile_frames_are_dropped_while_the_connection_is_stalled() {
        let config = config(SlowPolicy::Close);
        let mut queue = Queue::default();
        let pushed = queue.push(frame("v"), Class::Volatile, &config, true);
        assert_eq!(pushed, DROPPED_NEWEST);
    }

    #[test]
    fn a_frame_over_the_bound_is_taken_alone() {
        let config = config(SlowPolicy::Close);
        let mut queue = Queue::default();
        let big = Frame::text(&[b'x'; 100]);
        let taken = queue.push(big.clone(), Class::Normal, &config, false);
        assert_eq!(taken, Pushed::Queued);
        let refused = queue.push(big, Class::Normal, &config, false);
        assert_eq!(refused, Pushed::Overflow);
    }

    #[test]
    fn the_notice_of_a_gap_stands_where_the_gap_is() {
        for (policy, expected) in [
            (SlowPolicy::DropOldest, ["gap 1", "b", "c", "d", "e"]),
            (SlowPolicy::DropNewest, ["a", "b", "c", "d", "gap 1"]),
        ] {
            let config = OutboxConfig {
                gap: Some(NOTICE),
                ..config(policy)
            };
            let mut queue = full(&config);
            assert!(matches!(
                push(&mut queue, "e", &config),
                Pushed::Dropped { .. }
            ));
            assert_eq!(names(&mut queue, &config), expected);
        }
    }

    #[test]
    fn no_notice_follows_a_close_frame() {
        let config = OutboxConfig {
            gap: Some(NOTICE),
            ..config(SlowPolicy::DropNewest)
        };
        let mut queue = full(&config);
        assert_eq!(push(&mut queue, "e", &config), DROPPED_NEWEST);
        queue.append(Frame::close(1000, ""), false);
        let last = std::iter::from_fn(|| queue.pop_frame(&config)).last();
        assert_eq!(last, Some(Frame::close(1000, "")));
    }

    #[test]
    fn control_frames_go_first_and_the_oldest_pongs_give_way() {
        let config = config(SlowPolicy::Close);
        let mut queue = full(&config);
        queue.push_control(Frame::ping(b"ours"));
        for i in 0..1000u32 {
            queue.push_control(Frame::pong(&i.to_be_bytes()));
        }
        assert_eq!(queue.pop_frame(&config), Some(Frame::ping(b"ours")));
        for i in 1000 - u32::try_from(MAX_CONTROL).unwrap() + 1..1000 {
            assert_eq!(
                queue.pop_frame(&config),
                Some(Frame::pong(&i.to_be_bytes()))
            );
        }
        assert_eq!(names(&mut queue, &config), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_cleared_queue_completes_the_cut_frame_and_drops_what_a_writer_gives_back() {
        let config = config(SlowPolicy::Close);
        let mut queue = full(&config);
        let mut batch = vec![queue.pop(&config).unwrap(), queue.pop(&config).unwrap()];
        queue.clear();
        queue.append(Frame::close(1008, ""), false);
        queue.settle(&mut batch, 3);
        assert_eq!(
            queue.pop(&config).unwrap().bytes,
            frame("a").bytes().slice(3..)
        );
        assert_eq!(
            queue.pop(&config).unwrap().bytes,
            Frame::close(1008, "").bytes()
        );
        assert!(queue.pop(&config).is_none());
        assert_eq!(queue.dropped(), 3);
    }

    #[test]
    fn frames_of_one_connection_leave_as_one_piece() {
        let config = OutboxConfig::default();
        let mut queue = Queue::default();
        for name in ["a", "b", "c"] {
            let pushed = queue.push_own(borrowed(&frame(name)), &config, true);
            assert_eq!(pushed, Pushed::Queued);
        }
        let piece = queue.pop(&config).unwrap();
        assert_eq!((piece.bytes.len(), piece.messages()), (30, 3));
        assert!(queue.is_empty());
    }

    #[test]
    fn several_frames_are_queued_together_or_not_at_all() {
        let config = config(SlowPolicy::DropOldest);
        let together = |names: &[&str]| -> Vec<u8> {
            let frames = names.iter().map(|name| frame(name).bytes().to_vec());
            frames.collect::<Vec<_>>().concat()
        };
        let mut queue = Queue::default();
        assert!(queue.push_run(&together(&["a", "b"]), 2, &config));
        assert!(!queue.push_run(&together(&["c", "d", "e"]), 3, &config));
        assert_eq!(queue.dropped(), 0);
        assert!(queue.push_run(&together(&["c", "d"]), 2, &config));
        assert_eq!(names(&mut queue, &config), ["a", "b", "c", "d"]);
    }

    #[test]
    fn the_oldest_of_a_run_gives_way_alone() {
        let config = config(SlowPolicy::DropOldest);
        let mut queue = Queue::default();
        for name in ["a", "b", "c", "d"] {
            let _ = queue.push_own(borrowed(&frame(name)), &config, true);
        }
        assert_eq!(
            queue.push_own(borrowed(&frame("e")), &config, true),
            DROPPED_OLDER
        );
        assert_eq!(names(&mut queue, &config), ["b", "c", "d", "e"]);
    }

    proptest! {
        /// A kernel that takes any number of bytes at a time, nothing included, gets exactly the bytes
        /// that were pushed, and the count of queued bytes is right all the time.
        #[test]
        fn cut_writes_lose_and_reorder_nothing(
            sizes in vec((0usize..50, how()), 1..30),
            writes in vec((1usize..5, 0usize..120), 1..30),
        ) {
            let config = OutboxConfig::default();
            let mut queue = Queue::default();
            let (mut expected, mut written) = (Vec::new(), Vec::new());
            for (i, (size, how)) in sizes.into_iter().enumerate() {
                let frame = Frame::binary(&vec![u8::try_from(i).unwrap(); size]);
                expected.extend_from_slice(frame.bytes());
                assert_eq!(how.push(&mut queue, frame, &config), Pushed::Queued);
            }
            let total = expected.len();
            let unbounded = std::iter::repeat((5, 1000));
            for (pieces, taken) in writes.into_iter().chain(unbounded) {
                let mut batch: Vec<_> = (0..pieces).filter_map(|_| queue.pop(&config)).collect();
                if batch.is_empty() {
                    break;
                }
                let bytes: Vec<u8> = batch.iter().flat_map(|p| p.bytes.to_vec()).collect();
                let taken = taken.min(bytes.len());
                written.extend_from_slice(&bytes[..taken]);
                queue.settle(&mut batch, taken);
                prop_assert_eq!(queue.bytes(), total - written.len());
            }
            prop_assert_eq!(written, expected);
            prop_assert!(queue.is_empty());
        }

        /// Whatever is pushed, the bounds hold and every frame is queued or counted as dropped.
        #[test]
        fn the_bounds_hold_under_every_policy(
            pushes in vec((0usize..60, how(), any::<bool>()), 0..60),
            policy in prop_oneof![Just(SlowPolicy::DropOldest), Just(SlowPolicy::DropNewest)],
        ) {
            let config = config(policy);
            let mut queue = Queue::default();
            let mut pushed = 0;
            for (size, how, pop) in pushes {
                let frame = Frame::binary(&vec![0; size]);
                let _ = how.push(&mut queue, frame, &config);
                pushed += 1;
                let single = queue.messages == 1;
                prop_assert!(queue.bytes() <= config.max_bytes || single);
                prop_assert!(queue.messages as usize <= config.max_messages);
                let messages: u32 = queue.frames.iter().map(Entry::messages).sum();
                prop_assert_eq!(queue.messages, messages);
                let bytes: usize = queue.frames.iter().map(Entry::len).sum();
                prop_assert_eq!(queue.bytes(), bytes);
                if pop && queue.pop_frame(&config).is_some() {
                    pushed -= 1;
                }
            }
            prop_assert_eq!(queue.dropped() + u64::from(queue.messages), pushed);
        }
    }
}
