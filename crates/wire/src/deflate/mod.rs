//! permessage-deflate (RFC 7692): compression of messages, one by one.

mod deflater;
mod inflater;
mod negotiation;

pub(crate) use deflater::{Deflater, compressed};
pub(crate) use inflater::Inflater;
pub(crate) use negotiation::{Agreed, agree};

/// What of permessage-deflate is accepted when a client offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateConfig {
    /// Payloads below this many bytes are sent plain; 1,024 by default. Compressing less costs more time
    /// than it saves bytes.
    pub min_bytes: usize,
    /// Compression level, 0 (none) to 9 (best); 1 by default, the fastest.
    pub level: u8,
    /// Keep the server's window from message to message, if the client lets it; off by default.
    ///
    /// It compresses small similar messages better, but each connection then needs a compressor of its
    /// own (about 270 KB with a window of 15 bits), and a broadcast is compressed once for each
    /// receiver. Off, it is compressed once and shared.
    pub server_context_takeover: bool,
    /// Let the client keep its window from message to message; off by default. On, each connection keeps
    /// a decompressor (about 40 KB).
    pub client_context_takeover: bool,
    /// The largest window of the server, 9 to 15 bits; 15 by default.
    pub server_max_window_bits: u8,
    /// The largest window of the client, 9 to 15 bits; 15 by default. Smaller ones can only be asked of
    /// clients that offer it; others are then not compressed with.
    pub client_max_window_bits: u8,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            min_bytes: 1024,
            level: 1,
            server_context_takeover: false,
            client_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}

/// What ends every flushed DEFLATE block, is left out on the wire, and put back before inflation
/// (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The compressor of a connection whose window goes on from message to message.
#[derive(Debug)]
pub(crate) struct Continuous {
    deflater: Deflater,
    min_bytes: usize,
}

impl Continuous {
    /// One for these parameters, if they ask for it.
    pub(crate) fn for_agreed(agreed: Option<&Agreed>) -> Option<Box<Self>> {
        let agreed = agreed.filter(|agreed| agreed.server_context_takeover)?;
        Some(Box::new(Self {
            deflater: Deflater::new(agreed.level, agreed.server_window_bits),
            min_bytes: agreed.min_bytes,
        }))
    }

    /// Compresses a batch that is about to be written; nothing of it may be dropped afterwards.
    pub(crate) fn compress(&mut self, outbox: &crate::Outbox, batch: &mut [crate::piece::Piece]) {
        let change = self.deflater.compress_batch(batch, self.min_bytes);
        if change != 0 {
            outbox.recount(change);
        }
    }
}
