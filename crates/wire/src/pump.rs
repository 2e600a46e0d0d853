//! The task that writes to a transport that only one task at a time can write to.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt, WriteHalf};

use crate::outbox::{COPY_LIMIT, Outbox, Pump};
use crate::piece::Piece;
use crate::reader::Transport;

/// Writes an outbox to its transport until one of them ends.
pub(crate) async fn run(
    outbox: Arc<Outbox>,
    mut io: WriteHalf<Box<dyn Transport>>,
    #[cfg(feature = "deflate")] mut deflate: Option<Box<crate::deflate::Continuous>>,
) {
    let mut batch = Vec::new();
    let mut written = 0;
    loop {
        match poll_fn(|cx| outbox.poll_pump(cx, &mut batch, written)).await {
            Pump::Write => {
                #[cfg(feature = "deflate")]
                if let Some(deflate) = &mut deflate {
                    deflate.compress(&outbox, &mut batch);
                }
                match write(&mut io, &batch).await {
                    Ok(all) => written = all,
                    Err(_) => break outbox.fail(&mut batch),
                }
            }
            Pump::Shutdown => {
                // The peer may be gone already, which is what a shutdown is for.
                let _ = io.shutdown().await;
                break;
            }
            Pump::End => break,
        }
    }
}

/// Writes a batch, small frames copied together, so that TLS makes one record of them.
async fn write(io: &mut WriteHalf<Box<dyn Transport>>, batch: &[Piece]) -> io::Result<usize> {
    let mut joined = Vec::new();
    let mut written = 0;
    for piece in batch {
        written += piece.bytes.len();
        if piece.bytes.len() <= COPY_LIMIT && batch.len() > 1 {
            joined.extend_from_slice(&piece.bytes);
        } else {
            io.write_all(&joined).await?;
            joined.clear();
            io.write_all(&piece.bytes).await?;
        }
    }
    io.write_all(&joined).await?;
    io.flush().await?;
    Ok(written)
}
