//! The bounded queue of one connection, and what happens when it is full. No lock, no waker.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::frame::{Frame, OpCode};

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
    /// Makes the notice that tells the peer how many frames a drop policy cost it. `None`, the default,
    /// sends no notice; the count can then be had from [`Outbox::take_gap`](crate::Outbox::take_gap).
    pub gap_frame: Option<fn(u64) -> Frame>,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024,
            max_messages: 4096,
            policy: SlowPolicy::default(),
            gap_frame: None,
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

#[derive(Debug)]
struct Entry {
    frame: Frame,
    volatile: bool,
}

/// What [`Queue::push`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    Dropped { pushed: bool, frames: u64 },
    Overflow,
}

/// Frames in the order in which they leave: the rest of a frame that was cut by the kernel, control
/// frames, then messages.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    partial: Option<Piece>,
    control: VecDeque<Frame>,
    frames: VecDeque<Entry>,
    volatile: usize,
    /// Bytes queued or taken by the writer and not yet confirmed, control frames left out.
    bytes: usize,
    dropped: u64,
    gap: u64,
    /// Set by [`Queue::clear`]: messages that a writer gives back are dropped too.
    cleared: bool,
}

impl Queue {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Normal frames that a drop policy cost the peer since this was asked last.
    pub(crate) fn take_gap(&mut self) -> u64 {
        std::mem::take(&mut self.gap)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.partial.is_none() && self.control.is_empty() && self.frames.is_empty()
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
        if volatile && (stalled || !self.has_room(frame.len(), config)) {
            self.dropped += 1;
            return Pushed::Dropped {
                pushed: true,
                frames: 1,
            };
        }
        let before = self.dropped;
        if !self.has_room(frame.len(), config) {
            self.evict_volatile(frame.len(), config);
        }
        if !self.has_room(frame.len(), config) {
            match config.policy {
                SlowPolicy::Close => return Pushed::Overflow,
                SlowPolicy::DropOldest => self.evict_oldest(frame.len(), config),
                SlowPolicy::DropNewest => {}
            }
        }
        let room = self.has_room(frame.len(), config);
        if room {
            self.append(frame, volatile);
        } else {
            self.dropped += 1;
            self.gap += 1;
        }
        match self.dropped - before {
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
        self.volatile += usize::from(volatile);
        self.frames.push_back(Entry { frame, volatile });
    }

    /// Queues a ping or pong; beyond the bound the oldest pong gives way.
    pub(crate) fn push_control(&mut self, frame: Frame) {
        if self.control.len() >= MAX_CONTROL {
            let oldest = self
                .control
                .iter()
                .position(|f| f.op_code() == OpCode::Pong);
            self.control.remove(oldest.unwrap_or(0));
        }
        self.control.push_back(frame);
    }

    /// Drops everything but the rest of a frame that is half sent.
    pub(crate) fn clear(&mut self) {
        self.dropped += self.frames.len() as u64;
        self.bytes -= self.frames.iter().map(|e| e.frame.len()).sum::<usize>();
        self.frames = VecDeque::new();
        self.control = VecDeque::new();
        self.volatile = 0;
        self.cleared = true;
    }

    /// The next bytes to write. They count as queued until [`Queue::settle`].
    pub(crate) fn pop(&mut self, config: &OutboxConfig) -> Option<Piece> {
        if let Some(rest) = self.partial.take() {
            return Some(rest);
        }
        if let Some(frame) = self.control.pop_front() {
            return Some(Piece {
                bytes: frame.into_bytes(),
                kind: Kind::Control,
                rest: false,
            });
        }
        self.queue_gap_notice(config);
        let entry = self.frames.pop_front()?;
        self.volatile -= usize::from(entry.volatile);
        Some(Piece {
            bytes: entry.frame.into_bytes(),
            kind: if entry.volatile {
                Kind::Volatile
            } else {
                Kind::Normal
            },
            rest: false,
        })
    }

    /// The next whole frame, for a consumer that takes frames one by one; it stops counting at once.
    pub(crate) fn pop_frame(&mut self, config: &OutboxConfig) -> Option<Frame> {
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        self.queue_gap_notice(config);
        let entry = self.frames.pop_front()?;
        self.volatile -= usize::from(entry.volatile);
        self.bytes -= entry.frame.len();
        Some(entry.frame)
    }

    /// Books the pieces that were popped, of which the first `written` bytes have left, and takes back
    /// the others in their order.
    pub(crate) fn settle(&mut self, pieces: &mut Vec<Piece>, mut written: usize) {
        let mut left = 0;
        for piece in pieces.iter_mut() {
            let sent = written.min(piece.bytes.len());
            written -= sent;
            if piece.kind != Kind::Control {
                self.bytes -= sent;
            }
            if sent < piece.bytes.len() {
                if sent > 0 || piece.rest {
                    self.partial = Some(Piece {
                        bytes: piece.bytes.slice(sent..),
                        kind: piece.kind,
                        rest: true,
                    });
                    left += 1;
                }
                break;
            }
            left += 1;
        }
        for piece in pieces.drain(..).skip(left).rev() {
            self.put_back(piece);
        }
    }

    /// Length of what [`Queue::pop_frame`] gives next.
    pub(crate) fn peek_len(&self) -> Option<usize> {
        let next = self
            .control
            .front()
            .or(self.frames.front().map(|e| &e.frame));
        next.map(Frame::len)
    }

    /// Whether `bytes` more leave it at most half full; also when nothing at all is queued.
    pub(crate) fn is_below_low_water(&self, bytes: usize, config: &OutboxConfig) -> bool {
        self.bytes == 0
            || (self.bytes + bytes <= config.max_bytes / 2
                && self.frames.len() <= config.max_messages / 2)
    }

    /// Drops the rest of a half sent frame; the transport is gone.
    pub(crate) fn forget_partial(&mut self) {
        if let Some(rest) = self.partial.take()
            && rest.kind != Kind::Control
        {
            self.bytes -= rest.bytes.len();
        }
    }

    /// Gives memory back after a burst.
    pub(crate) fn shrink(&mut self) {
        if self.frames.is_empty() && self.frames.capacity() > 16 {
            self.frames = VecDeque::new();
        }
        if self.control.is_empty() && self.control.capacity() > 4 {
            self.control = VecDeque::new();
        }
    }

    fn put_back(&mut self, piece: Piece) {
        let frame =
            Frame::from_bytes(piece.bytes).expect("a piece of which nothing has left is a frame");
        if piece.kind == Kind::Control {
            self.control.push_front(frame);
            return;
        }
        if self.cleared && frame.op_code() != OpCode::Close {
            self.bytes -= frame.len();
            self.dropped += 1;
            return;
        }
        let volatile = piece.kind == Kind::Volatile;
        self.volatile += usize::from(volatile);
        self.frames.push_front(Entry { frame, volatile });
    }

    fn has_room(&self, len: usize, config: &OutboxConfig) -> bool {
        self.bytes == 0
            || (self.bytes + len <= config.max_bytes && self.frames.len() < config.max_messages)
    }

    fn evict_volatile(&mut self, len: usize, config: &OutboxConfig) {
        let mut at = 0;
        while self.volatile > 0 && at < self.frames.len() && !self.has_room(len, config) {
            if self.frames[at].volatile {
                let entry = self
                    .frames
                    .remove(at)
                    .expect("the index was compared with the length");
                self.volatile -= 1;
                self.bytes -= entry.frame.len();
                self.dropped += 1;
            } else {
                at += 1;
            }
        }
    }

    fn evict_oldest(&mut self, len: usize, config: &OutboxConfig) {
        while !self.has_room(len, config) {
            let Some(entry) = self.frames.pop_front() else {
                return;
            };
            self.volatile -= usize::from(entry.volatile);
            self.bytes -= entry.frame.len();
            self.dropped += 1;
            self.gap += 1;
        }
    }

    /// Queues the notice where the gap is: in front under `DropOldest`, behind under `DropNewest`.
    fn queue_gap_notice(&mut self, config: &OutboxConfig) {
        let Some(make) = config.gap_frame else { return };
        if self.gap == 0 {
            return;
        }
        let frame = make(self.take_gap());
        self.bytes += frame.len();
        let entry = Entry {
            frame,
            volatile: false,
        };
        let closing = self
            .frames
            .back()
            .is_some_and(|e| e.frame.op_code() == OpCode::Close);
        if config.policy == SlowPolicy::DropOldest || closing {
            self.frames.push_front(entry);
        } else {
            self.frames.push_back(entry);
        }
    }
}

/// Bytes taken by a writer: a whole frame, or the rest of one.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    kind: Kind,
    /// A part of the frame has left before, so that the rest has to follow whatever happens.
    rest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Control,
    Normal,
    Volatile,
}
