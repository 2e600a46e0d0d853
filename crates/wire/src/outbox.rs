//! The outbox of one connection: what others send to it, until it is written.

mod burst;
mod in_place;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use crate::close::{self, Closed, ClosedBy};
use crate::cork;
use crate::few::Few;
use crate::flusher::FlusherHandle;
use crate::frame::{BorrowedFrame, Frame, OpCode};
use crate::piece::Piece;
use crate::queue::{Pushed, Queue};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::writer::{Resume, TcpWriter};

pub use self::burst::Burst;
pub use crate::queue::{Class, OutboxConfig, Push, SlowPolicy};

/// Frames dropped by a policy since the peer was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many.
    pub dropped: u64,
}

/// The outbox is closed and takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("outbox closed")]
pub struct OutboxClosed;

/// The bounded queue between everybody who sends to a connection and the connection.
///
/// Pushing never blocks and never writes: it queues, and puts the outbox on the dirty list of its
/// flusher, which writes all that is queued at once. Shared as `Arc<Outbox>`; it may outlive its socket
/// and then answers [`Push::Closed`].
///
/// The fields are in the order in which they are needed, so that what every message looks at shares a
/// line of memory with the lock.
#[derive(Debug)]
#[repr(C)]
pub struct Outbox {
    terms: Arc<Terms>,
    /// Mirrors `State::ending` for readers without the lock.
    closed: AtomicBool,
    /// Compression was agreed on, of whatever kind.
    #[cfg(feature = "deflate")]
    compressed: bool,
    /// Compression of messages without a window of former ones, as agreed with the peer.
    #[cfg(feature = "deflate")]
    deflate: Option<Box<crate::deflate::Agreed>>,
    state: Mutex<State>,
    /// The clock has woken the task that reads the socket, which has not looked at it yet.
    rung: AtomicBool,
}

/// What many outboxes have in common.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) config: OutboxConfig,
    /// Who writes those that are on a TCP stream.
    pub(crate) flusher: Option<FlusherHandle>,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    writer: Writer,
    /// On the dirty list of the flusher.
    scheduled: bool,
    /// Shut the sending direction of the transport once the queue is empty.
    half_close: bool,
    /// Why nothing more is accepted.
    ending: Option<Box<Closed>>,
    /// The task that reads the socket: woken when the outbox is closed.
    socket: Option<Waker>,
    /// Those who wait for room.
    room: Few<Waker>,
}

/// Where the right to write is.
#[derive(Debug)]
enum Writer {
    /// Nobody writes by himself: a consumer drains the outbox, and is woken when there is something.
    Consumer(Option<Waker>),
    /// At rest, for the flusher to take.
    Idle(TcpWriter),
    /// With the flusher.
    Busy,
    /// With a task of its own, until the kernel has taken what is queued.
    Blocked(Resume),
    /// The sending direction is shut.
    Gone,
}

/// What a writer has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write the batch.
    Write,
    /// Nothing; the writer was given back.
    Done,
}

/// What a pump of a generic transport has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pump {
    Write,
    Shutdown,
    End,
}

/// Waiters for room are woken and forgotten beyond this number; they just ask again.
const MAX_ROOM_WAITERS: usize = 1024;

/// Frames over this are not copied into the buffer of a batch but handed to the kernel where they are.
pub(crate) const COPY_LIMIT: usize = 4096;

/// How much a writer takes at once while it copies small frames together.
const COPIED_BYTES: usize = 64 * 1024;
const COPIED_PIECES: usize = 512;

/// How much a writer takes at once when large frames are among it, which are not copied.
const GATHERED_BYTES: usize = 1024 * 1024;
const GATHERED_PIECES: usize = 64;

impl Outbox {
    /// An outbox without a socket, drained by [`Outbox::drain`].
    pub fn new(config: OutboxConfig) -> Arc<Self> {
        let terms = Terms {
            config,
            flusher: None,
        };
        Arc::new(Self::detached(Arc::new(terms)))
    }

    pub(crate) fn detached(terms: Arc<Terms>) -> Self {
        Self::with_writer(terms, Writer::Consumer(None))
    }

    /// An outbox that the flusher writes to a TCP stream.
    #[cfg(loom)]
    pub(crate) fn on_tcp(terms: Arc<Terms>, writer: TcpWriter) -> Self {
        Self::with_writer(terms, Writer::Idle(writer))
    }

    /// Compresses messages from now on: each for itself, unless the writer does it with a window that
    /// goes on.
    #[cfg(feature = "deflate")]
    pub(crate) fn compressing(mut self, agreed: crate::deflate::Agreed) -> Self {
        self.compressed = true;
        self.deflate = (!agreed.server_context_takeover).then(|| Box::new(agreed));
        self
    }

    fn with_writer(terms: Arc<Terms>, writer: Writer) -> Self {
        Self {
            terms,
            closed: AtomicBool::new(false),
            #[cfg(feature = "deflate")]
            compressed: false,
            #[cfg(feature = "deflate")]
            deflate: None,
            state: Mutex::new(State {
                queue: Queue::default(),
                writer,
                scheduled: false,
                half_close: false,
                ending: None,
                socket: None,
                room: Few::default(),
            }),
            rung: AtomicBool::new(false),
        }
    }

    /// Queues a message. Never blocks, whatever the peer does.
    pub fn push(self: &Arc<Self>, frame: Frame, class: Class) -> Push {
        #[cfg(feature = "deflate")]
        let frame = self.compress(frame);
        let mut state = lock(&self.state);
        if state.ending.is_some() {
            return Push::Closed;
        }
        let stalled = matches!(state.writer, Writer::Blocked(_));
        match state.queue.push(frame, class, &self.terms.config, stalled) {
            Pushed::Queued => {
                self.announce(state);
                Push::Queued
            }
            not_just_queued => self.pushed(state, not_just_queued),
        }
    }

    /// Queues a message that no other connection gets, as [`Outbox::push`] does with
    /// [`Class::Normal`]. The frame is copied behind what is queued, which costs less than memory of
    /// its own where many small messages follow each other.
    pub fn push_own(self: &Arc<Self>, frame: BorrowedFrame<'_>) -> Push {
        if frame.len() > COPY_LIMIT || self.compresses() {
            return self.push(frame.to_frame(), Class::Normal);
        }
        let mut state = lock(&self.state);
        if state.ending.is_some() {
            return Push::Closed;
        }
        let at_once = matches!(state.writer, Writer::Idle(_));
        match state.queue.push_own(frame, &self.terms.config, at_once) {
            Pushed::Queued => {
                self.announce_own(state);
                Push::Queued
            }
            not_just_queued => self.pushed(state, not_just_queued),
        }
    }

    /// Queues `count` messages that no other connection gets, which stand one behind the other in
    /// `frames` as [`Frame::append`] or [`Stencil::append`](crate::Stencil::append) wrote them. `true`
    /// when all of them are queued; otherwise none is, since there is no room for all of them, the
    /// outbox is closed, or messages are compressed one by one. [`Outbox::push_own`] then says for each
    /// of them what becomes of it.
    pub fn push_run(self: &Arc<Self>, frames: &[u8], count: u32) -> bool {
        if self.compresses() {
            return false;
        }
        let mut state = lock(&self.state);
        if state.ending.is_some() || !state.queue.push_run(frames, count, &self.terms.config) {
            return false;
        }
        self.announce_own(state);
        true
    }

    /// Runs a part of the task that serves this connection. What [`Outbox::push_own`] queues meanwhile
    /// is written when it is over, by this task; what others queue goes by the flusher as ever.
    ///
    /// For connections without a flusher, and on a runtime with a single thread, where the flusher
    /// writes all, it only runs the function.
    pub fn corked<R>(self: &Arc<Self>, turn: impl FnOnce() -> R) -> R {
        match &self.terms.flusher {
            Some(flusher) if !flusher.writes_replies() => cork::run(self, turn),
            _ => turn(),
        }
    }

    /// Queues a ping or pong, ahead of messages. At most 64 wait; beyond that the oldest pong is
    /// dropped, since only the last ping has to be answered (RFC 6455, section 5.5.3).
    pub fn push_control(self: &Arc<Self>, frame: Frame) {
        let mut state = lock(&self.state);
        if state.ending.is_none() {
            state.queue.push_control(frame);
            self.announce(state);
        }
    }

    /// Closes the outbox: the frame, if any, leaves behind all that is queued, and nothing more is
    /// accepted. Without a frame the transport just ends after the queue. A second close does nothing.
    pub fn close(self: &Arc<Self>, frame: Option<Frame>) {
        let state = lock(&self.state);
        self.end(state, closed_by_server(frame.as_ref()), frame);
    }

    /// Closes the outbox as [`Outbox::close`] does, but drops what is queued. A frame of which a part
    /// has left already is still completed.
    pub fn close_now(self: &Arc<Self>, frame: Option<Frame>) {
        self.close_now_as(closed_by_server(frame.as_ref()), frame);
    }

    /// Whether the outbox was closed, or its connection is gone.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// How the outbox was closed, once it is.
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.state).ending.as_deref().cloned()
    }

    /// Bytes queued or being written, headers included.
    pub fn queued_bytes(&self) -> usize {
        lock(&self.state).queue.bytes()
    }

    /// Frames dropped so far: by the policy, because they were volatile, or by a close.
    pub fn dropped(&self) -> u64 {
        lock(&self.state).queue.dropped()
    }

    /// Normal frames that a drop policy cost since this was asked last; for adapters that send the
    /// notice themselves instead of setting [`OutboxConfig::gap`].
    pub fn take_gap(&self) -> Option<Gap> {
        let dropped = lock(&self.state).queue.take_gap();
        (dropped > 0).then_some(Gap { dropped })
    }

    /// Ready while `bytes` more leave the outbox at most half full, or when it is empty; for streams,
    /// which wait for their receiver instead of overflowing it.
    pub fn poll_room(&self, cx: &mut Context<'_>, bytes: usize) -> Poll<Result<(), OutboxClosed>> {
        let mut state = lock(&self.state);
        if state.ending.is_some() {
            return Poll::Ready(Err(OutboxClosed));
        }
        if state.queue.is_below_low_water(bytes, &self.terms.config) {
            return Poll::Ready(Ok(()));
        }
        if state.room.iter().any(|w| w.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let crowd = if state.room.len() >= MAX_ROOM_WAITERS {
            state.room.take()
        } else {
            Vec::new()
        };
        state.room.push_back(cx.waker().clone());
        drop(state);
        wake_all(crowd);
        Poll::Pending
    }

    /// Waits until [`Outbox::poll_room`] is ready.
    pub async fn room(&self, bytes: usize) -> Result<(), OutboxClosed> {
        poll_fn(|cx| self.poll_room(cx, bytes)).await
    }

    /// Takes frames in order while their bytes, headers included, stay within `max_bytes`; at least one
    /// if there is one. For transports without a socket of ours; such an outbox has one consumer.
    /// Returns the number of frames taken.
    pub fn drain(&self, max_bytes: usize, mut take: impl FnMut(Frame)) -> usize {
        let mut taken = Vec::new();
        let mut total = 0;
        let mut state = lock(&self.state);
        while let Some(next) = state.queue.peek_len() {
            if !taken.is_empty() && total + next > max_bytes {
                break;
            }
            total += next;
            taken.extend(state.queue.pop_frame(&self.terms.config));
        }
        state.queue.shrink(taken.len() == 1);
        let waiters = state.wakeable_room(&self.terms.config);
        drop(state);
        wake_all(waiters);
        let frames = taken.len();
        taken.into_iter().for_each(&mut take);
        frames
    }

    /// Ready with `Ok` when there is something to [`Outbox::drain`], with `Err` when the outbox is
    /// closed and empty.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<Result<(), OutboxClosed>> {
        let mut state = lock(&self.state);
        if !state.queue.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if state.ending.is_some() {
            return Poll::Ready(Err(OutboxClosed));
        }
        state.remember_consumer(cx);
        Poll::Pending
    }

    /// Waits until [`Outbox::poll_readable`] is ready.
    pub async fn readable(&self) -> Result<(), OutboxClosed> {
        poll_fn(|cx| self.poll_readable(cx)).await
    }
}

/// The side of the socket and of the writers.
impl Outbox {
    /// Gives an outbox that nobody drains a TCP stream, which the flusher writes to from now on.
    #[cfg(not(loom))]
    pub(crate) fn attach(self: &Arc<Self>, writer: TcpWriter) {
        let mut state = lock(&self.state);
        state.writer = Writer::Idle(writer);
        if state.half_close || !state.queue.is_empty() {
            self.announce(state);
        }
    }

    /// Whether messages are compressed on their way, by themselves or with a window that goes on.
    #[cfg(feature = "deflate")]
    fn compresses(&self) -> bool {
        self.compressed
    }

    #[cfg(not(feature = "deflate"))]
    #[allow(
        clippy::unused_self,
        reason = "depends on the connection with the feature"
    )]
    fn compresses(&self) -> bool {
        false
    }

    /// The frame as this peer gets it. Peers that agreed on the same parameters share the work.
    #[cfg(feature = "deflate")]
    fn compress(&self, frame: Frame) -> Frame {
        match &self.deflate {
            Some(agreed) if frame.is_compressible() && frame.len() >= agreed.min_bytes => {
                crate::deflate::compressed(frame, agreed)
            }
            _ => frame,
        }
    }

    /// Corrects the count of queued bytes after a writer has compressed its batch.
    #[cfg(feature = "deflate")]
    pub(crate) fn recount(&self, change: isize) {
        lock(&self.state).queue.recount(change);
    }

    /// Closes with a reason that the socket found out.
    pub(crate) fn close_as(self: &Arc<Self>, closed: Closed, frame: Option<Frame>) {
        let state = lock(&self.state);
        self.end(state, closed, frame);
    }

    /// The same, and drops what is queued.
    pub(crate) fn close_now_as(self: &Arc<Self>, closed: Closed, frame: Option<Frame>) {
        let mut state = lock(&self.state);
        if state.ending.is_none() {
            state.queue.clear();
        }
        self.end(state, closed, frame);
    }

    /// Why the outbox was closed; if it was not, wakes the caller's task when it is.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<Closed> {
        let mut state = lock(&self.state);
        if let Some(closed) = &state.ending {
            return Poll::Ready(Closed::clone(closed));
        }
        remember(&mut state.socket, cx);
        Poll::Pending
    }

    /// Whether the clock has rung since this was asked last. Asked after [`Outbox::poll_closed`], whose
    /// task it wakes.
    #[cfg(not(loom))]
    pub(crate) fn take_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire) && self.rung.swap(false, Ordering::AcqRel)
    }

    /// Shuts the sending direction of the transport as soon as the queue is empty.
    pub(crate) fn half_close(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        state.half_close = true;
        let gone = if state.queue.is_empty() && matches!(state.writer, Writer::Idle(_)) {
            Some(std::mem::replace(&mut state.writer, Writer::Gone))
        } else {
            None
        };
        self.announce(state);
        drop(gone);
    }

    /// Ends at once: drops the queue, the writer, and everybody's hope.
    pub(crate) fn kill(&self) {
        let mut state = lock(&self.state);
        state.ending.get_or_insert_with(|| Box::new(Closed::lost()));
        self.closed.store(true, Ordering::Release);
        state.queue.clear();
        state.queue.forget_rest();
        let wakers = state.wake_everybody();
        let writer = std::mem::replace(&mut state.writer, Writer::Gone);
        drop(state);
        if let Writer::Blocked(resume) = &writer {
            resume.abort();
        }
        drop(writer);
        wake_all(wakers);
    }

    /// Takes the writer for a turn of the flusher, and what there is to write into `batch`, which has
    /// to be empty; `None` if there is no writer at rest.
    pub(crate) fn begin_write(&self, batch: &mut Vec<Piece>) -> Option<TcpWriter> {
        let mut state = lock(&self.state);
        state.scheduled = false;
        let writer = state.take_writer()?;
        state.fill(batch, &self.terms.config);
        Some(writer)
    }

    /// Books what was written of `batch` and fills it anew. When there is nothing left, the writer is
    /// put to rest, or dropped if the sending direction is to be shut.
    pub(crate) fn step(
        &self,
        writer: &mut Option<TcpWriter>,
        batch: &mut Vec<Piece>,
        written: usize,
    ) -> Step {
        let mut state = lock(&self.state);
        if matches!(state.writer, Writer::Gone) {
            state.queue.forget(batch);
            drop(state);
            *writer = None;
            return Step::Done;
        }
        let lone = batch.len() == 1;
        state.queue.settle(batch, written);
        state.fill(batch, &self.terms.config);
        let waiters = state.wakeable_room(&self.terms.config);
        let mut gone = None;
        let step = if batch.is_empty() {
            state.queue.shrink(lone);
            gone = writer.take().and_then(|writer| state.rest_or_end(writer));
            Step::Done
        } else {
            Step::Write
        };
        drop(state);
        drop(gone);
        wake_all(waiters);
        step
    }

    /// Gives up the turn of a writer that has more to write: it rests, and goes to the end of the
    /// dirty list.
    pub(crate) fn pause(self: &Arc<Self>, writer: TcpWriter, batch: &mut Vec<Piece>) {
        let mut state = lock(&self.state);
        if matches!(state.writer, Writer::Gone) {
            state.queue.forget(batch);
            drop(state);
            drop(writer);
            return;
        }
        state.queue.settle(batch, 0);
        state.writer = Writer::Idle(writer);
        self.announce(state);
    }

    /// Leaves a writer that the kernel takes nothing from to a task of its own.
    pub(crate) fn block(
        self: &Arc<Self>,
        writer: TcpWriter,
        batch: &mut Vec<Piece>,
        spawn: impl FnOnce(TcpWriter) -> Resume,
    ) {
        let mut state = lock(&self.state);
        if matches!(state.writer, Writer::Gone) {
            state.queue.forget(batch);
            drop(state);
            drop(writer);
            return;
        }
        state.queue.settle(batch, 0);
        // The task begins by waiting for the socket and takes this lock only after that.
        state.writer = Writer::Blocked(spawn(writer));
    }

    /// Gives back what could not be written while the writer stays where it is.
    pub(crate) fn put_back(&self, batch: &mut Vec<Piece>) {
        lock(&self.state).queue.settle(batch, 0);
    }

    /// Ends a transport that failed with `batch` in the hands of its writer.
    pub(crate) fn fail(&self, batch: &mut Vec<Piece>) {
        lock(&self.state).queue.forget(batch);
        self.kill();
    }

    /// The next batch for the pump of a generic transport; `written` bytes of the former have left.
    pub(crate) fn poll_pump(
        &self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Piece>,
        written: usize,
    ) -> Poll<Pump> {
        let mut state = lock(&self.state);
        if matches!(state.writer, Writer::Gone) {
            state.queue.forget(batch);
            return Poll::Ready(Pump::End);
        }
        let lone = batch.len() == 1;
        state.queue.settle(batch, written);
        state.fill(batch, &self.terms.config);
        if batch.is_empty() {
            state.queue.shrink(lone);
        }
        let waiters = state.wakeable_room(&self.terms.config);
        let next = if !batch.is_empty() {
            Poll::Ready(Pump::Write)
        } else if state.half_close {
            Poll::Ready(Pump::Shutdown)
        } else {
            state.remember_consumer(cx);
            Poll::Pending
        };
        drop(state);
        wake_all(waiters);
        next
    }

    /// Makes the outbox refuse everything from now on, with `frame` as its last one.
    fn end(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        closed: Closed,
        frame: Option<Frame>,
    ) {
        if state.ending.is_some() {
            return;
        }
        state.ending = Some(Box::new(closed));
        self.closed.store(true, Ordering::Release);
        match frame {
            Some(frame) => state.queue.append(frame, false),
            None => state.half_close = true,
        }
        let wakers = state.wake_everybody();
        self.announce(state);
        wake_all(wakers);
    }

    /// Says what became of a frame, and does what follows from it.
    #[cold]
    fn pushed(self: &Arc<Self>, mut state: MutexGuard<'_, State>, pushed: Pushed) -> Push {
        match pushed {
            Pushed::Queued => {
                self.announce(state);
                Push::Queued
            }
            Pushed::Dropped { pushed, frames } => {
                self.announce(state);
                Push::Dropped { pushed, frames }
            }
            Pushed::Overflow => {
                let text = "slow consumer";
                state.queue.clear();
                self.end(
                    state,
                    Closed {
                        code: Some(close::POLICY),
                        reason: text.to_owned(),
                        by: ClosedBy::SlowConsumer,
                    },
                    Some(Frame::close(close::POLICY, text)),
                );
                Push::Overflow
            }
        }
    }

    /// [`Outbox::announce`], unless this is the turn of the outbox's own connection, which writes what
    /// it causes itself when the turn is over.
    #[inline]
    fn announce_own(self: &Arc<Self>, state: MutexGuard<'_, State>) {
        if !(state.is_unannounced() && cork::holds(self)) {
            self.announce(state);
        }
    }

    /// Tells whoever writes this outbox that there is something to write.
    #[inline]
    fn announce(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if let Writer::Consumer(waker) = &mut state.writer {
            let waker = waker.take();
            drop(state);
            wake_all(waker);
        } else if state.is_unannounced() {
            state.scheduled = true;
            drop(state);
            if let Some(flusher) = &self.terms.flusher {
                flusher.mark(Arc::clone(self));
            }
        }
        // Whoever has the writer looks into the queue again before he gives it back.
    }
}

/// Wakes the task that reads the socket.
#[cfg(not(loom))]
impl crate::clock::Ring for Outbox {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        let reader = lock(&self.state).socket.take();
        wake_all(reader);
    }
}

impl State {
    /// The writer, if it is at rest; it is busy from here on.
    fn take_writer(&mut self) -> Option<TcpWriter> {
        match std::mem::replace(&mut self.writer, Writer::Busy) {
            Writer::Idle(writer) => Some(writer),
            other => {
                self.writer = other;
                None
            }
        }
    }

    /// Puts the writer of an empty queue to rest. It is given back to be dropped where the sending
    /// direction is to be shut.
    fn rest_or_end(&mut self, writer: TcpWriter) -> Option<TcpWriter> {
        if self.half_close {
            self.writer = Writer::Gone;
            return Some(writer);
        }
        self.writer = Writer::Idle(writer);
        None
    }

    /// Nobody is about to look into the queue, and somebody has to.
    fn is_unannounced(&self) -> bool {
        matches!(self.writer, Writer::Idle(_)) && !self.scheduled
    }

    fn fill(&mut self, batch: &mut Vec<Piece>, config: &OutboxConfig) {
        let mut total = 0;
        let (mut max_bytes, mut max_pieces) = (COPIED_BYTES, COPIED_PIECES);
        while total < max_bytes && batch.len() < max_pieces && !self.queue.is_empty() {
            let Some(piece) = self.queue.pop(config) else {
                return;
            };
            if piece.bytes.len() > COPY_LIMIT {
                (max_bytes, max_pieces) = (GATHERED_BYTES, GATHERED_PIECES);
            }
            total += piece.bytes.len();
            batch.push(piece);
        }
    }

    /// The waiters for room, if there is some.
    fn wakeable_room(&mut self, config: &OutboxConfig) -> Vec<Waker> {
        if !self.room.is_empty() && self.queue.is_below_low_water(0, config) {
            self.room.take()
        } else {
            Vec::new()
        }
    }

    fn remember_consumer(&mut self, cx: &Context<'_>) {
        if let Writer::Consumer(waker) = &mut self.writer {
            remember(waker, cx);
        }
    }

    fn wake_everybody(&mut self) -> Vec<Waker> {
        let mut wakers = self.room.take();
        wakers.extend(self.socket.take());
        if let Writer::Consumer(waker) = &mut self.writer {
            wakers.extend(waker.take());
        }
        wakers
    }
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// Wakes after the lock was given back, since a waker may run foreign code.
fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

fn closed_by_server(frame: Option<&Frame>) -> Closed {
    let payload = frame
        .filter(|frame| frame.op_code() == OpCode::Close)
        .map(Frame::payload)
        .unwrap_or_default();
    let (code, reason) = match *payload {
        [high, low, ref reason @ ..] => (Some(u16::from_be_bytes([high, low])), reason),
        _ => (None, &[][..]),
    };
    Closed {
        code,
        reason: String::from_utf8_lossy(reason).into_owned(),
        by: ClosedBy::Server,
    }
}
