//! The sending half of a TCP stream, written to without waiting.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::AbortHandle;

use crate::outbox::{COPY_LIMIT, Outbox, Step};
use crate::piece::Piece;

/// The most slices in one vectored write.
const MAX_SLICES: usize = 64;

/// What one outbox may write before others get their turn.
const TURN_BYTES: usize = 1024 * 1024;

/// The sending half of a TCP stream; dropping it shuts that direction.
#[derive(Debug)]
pub(crate) struct TcpWriter {
    half: OwnedWriteHalf,
    #[cfg(feature = "deflate")]
    deflate: Option<Box<crate::deflate::Continuous>>,
}

impl TcpWriter {
    pub(crate) fn new(half: OwnedWriteHalf) -> Self {
        Self {
            half,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Writes as much as the kernel takes at once.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.half.try_write(bytes)
    }

    /// Reads the memory that [`TcpWriter::try_write`] is going to need: the stream, and what the runtime
    /// knows of its readiness.
    pub(crate) fn look_ahead(&self) {
        let stream: &TcpStream = self.half.as_ref();
        // Asks whether it is ready, and does nothing with it.
        let _ = std::hint::black_box(stream.try_io(Interest::WRITABLE, || Ok(())));
    }

    /// Compresses messages on their way out.
    #[cfg(feature = "deflate")]
    pub(crate) fn compressing(mut self, deflate: Option<Box<crate::deflate::Continuous>>) -> Self {
        self.deflate = deflate;
        self
    }
}

/// A task that waits for a blocked writer.
#[derive(Debug)]
pub(crate) struct Resume(AbortHandle);

impl Resume {
    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

/// What became of a turn of writing.
enum Turn {
    /// All is written, or the transport is gone.
    Done,
    /// There is more, and others wait.
    More,
    /// The kernel takes nothing at present.
    Blocked,
}

/// Memory for building batches, one per thread.
#[derive(Default)]
struct Scratch {
    batch: Vec<Piece>,
    buffer: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Writes what is queued in `outbox`, as far as the kernel takes it.
pub(crate) fn flush(outbox: &Arc<Outbox>) {
    if outbox.write_in_place() {
        return;
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let Some(writer) = outbox.begin_write(&mut scratch.batch) else {
            return;
        };
        let mut slot = Some(writer);
        let turn = write_turn(outbox, &mut slot, scratch);
        let Some(writer) = slot else { return };
        match turn {
            Turn::Done => {}
            Turn::More => outbox.pause(writer, &mut scratch.batch),
            Turn::Blocked => outbox.block(writer, &mut scratch.batch, |writer| {
                let task = tokio::spawn(resume(Arc::clone(outbox), writer));
                Resume(task.abort_handle())
            }),
        }
    });
}

/// Goes on with a writer that was blocked until its outbox is empty.
async fn resume(outbox: Arc<Outbox>, writer: TcpWriter) {
    let mut slot = Some(writer);
    while let Some(writer) = &slot {
        if writer.half.writable().await.is_err() {
            outbox.kill();
            return;
        }
        let turn = SCRATCH.with_borrow_mut(|scratch| {
            let turn = write_turn(&outbox, &mut slot, scratch);
            outbox.put_back(&mut scratch.batch);
            turn
        });
        if matches!(turn, Turn::More) {
            tokio::task::yield_now().await;
        }
    }
}

/// Writes `scratch.batch` and then batch after batch; the writer is taken from `slot` when it is done.
/// What is in `scratch.batch` afterwards was not written.
fn write_turn(outbox: &Outbox, slot: &mut Option<TcpWriter>, scratch: &mut Scratch) -> Turn {
    let mut written = 0;
    let mut total = 0;
    loop {
        // The flusher took the first batch together with the writer.
        let at_hand = total == 0 && !scratch.batch.is_empty();
        if !at_hand && outbox.step(slot, &mut scratch.batch, written) == Step::Done {
            return Turn::Done;
        }
        let Some(writer) = slot else {
            return Turn::Done;
        };
        if total >= TURN_BYTES {
            return Turn::More;
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut writer.deflate {
            deflate.compress(outbox, &mut scratch.batch);
        }
        written = match write(writer, scratch) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::Blocked,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) => {
                *slot = None;
                outbox.fail(&mut scratch.batch);
                return Turn::Done;
            }
        };
        total += written;
    }
}

/// One system call: small frames copied together, large ones where they are.
fn write(writer: &TcpWriter, scratch: &mut Scratch) -> io::Result<usize> {
    let Scratch { batch, buffer } = scratch;
    if let [only] = &batch[..] {
        return writer.try_write(&only.bytes);
    }
    if batch.iter().all(|piece| piece.bytes.len() <= COPY_LIMIT) {
        buffer.clear();
        for piece in batch.iter() {
            buffer.extend_from_slice(&piece.bytes);
        }
        return writer.try_write(buffer);
    }
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    for (slice, piece) in slices.iter_mut().zip(batch.iter()) {
        *slice = IoSlice::new(&piece.bytes);
    }
    let used = batch.len().min(MAX_SLICES);
    writer.half.try_write_vectored(&slices[..used])
}
