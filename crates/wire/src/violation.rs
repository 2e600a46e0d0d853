//! What a peer can do wrong, and the close code that answers it.

use crate::close;

/// A breach of RFC 6455 or of a limit; the connection is closed with [`Violation::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set that no negotiated extension gives a meaning (section 5.2).
    #[error("reserved bit set")]
    ReservedBit,
    /// Opcodes 3 to 7 and 11 to 15 (section 5.2).
    #[error("reserved opcode {0}")]
    ReservedOpCode(u8),
    /// A frame of a client has to be masked (section 5.1).
    #[error("unmasked frame")]
    Unmasked,
    /// The payload length is not encoded in the fewest bytes, or its highest bit is set (section 5.2).
    #[error("bad payload length")]
    BadLength,
    /// A control frame with FIN clear (section 5.5).
    #[error("fragmented control frame")]
    FragmentedControl,
    /// A control frame of more than 125 bytes (section 5.5).
    #[error("control frame too long")]
    ControlTooLong,
    /// A continuation without a message to continue (section 5.4).
    #[error("continuation without a message")]
    UnexpectedContinuation,
    /// A new message inside a fragmented one (section 5.4).
    #[error("message inside a fragmented message")]
    InterleavedMessage,
    /// A close frame with one byte of payload (section 5.5.1).
    #[error("close frame with half a code")]
    HalfCloseCode,
    /// A close code that may not be sent (section 7.4).
    #[error("close code {0} may not be sent")]
    BadCloseCode(u16),
    /// Text, or the reason of a close frame, that is not UTF-8 (section 8.1).
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A message over [`Limits::max_message`](crate::Limits::max_message).
    #[error("message over {limit} bytes")]
    MessageTooBig {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message of more than [`Limits::max_fragments`](crate::Limits::max_fragments) frames.
    #[error("message of more than {limit} fragments")]
    TooManyFragments {
        /// The limit in frames.
        limit: u32,
    },
    /// A compressed message that does not inflate (RFC 7692, section 7.2.2).
    #[error("message does not inflate")]
    BadDeflate,
}

impl Violation {
    /// The close code that answers it: 1002, 1007, 1008 or 1009.
    pub const fn code(&self) -> u16 {
        match self {
            Self::NotUtf8 => close::INVALID_DATA,
            Self::MessageTooBig { .. } => close::TOO_BIG,
            Self::TooManyFragments { .. } => close::POLICY,
            _ => close::PROTOCOL,
        }
    }
}
