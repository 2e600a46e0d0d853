//! Why a session ended.

/// Why a session ended, with the words of Node's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client said that it closes.
    TransportClose,
    /// The connection ended without a word.
    TransportLost,
    /// The client broke the rules of the transport, or its connection failed.
    TransportError,
    /// The client did not answer a ping.
    PingTimeout,
    /// The client sent something that is no packet.
    ParseError,
    /// The application closed the session.
    ForcedClose,
    /// More was sent to the client than it took.
    SlowConsumer,
    /// The server ends.
    ServerShutdown,
    /// The application closed the session with a code and a text of its own.
    Closed(u16, &'static str),
}

impl CloseReason {
    /// What the application is told, and what a close frame says.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose | Self::TransportLost => "transport close",
            Self::TransportError => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::ForcedClose => "forced close",
            Self::SlowConsumer => "slow consumer",
            Self::ServerShutdown => "server shutting down",
            Self::Closed(_, text) => text,
        }
    }

    /// The code of the close frame (RFC 6455, section 7.4.1).
    pub fn code(self) -> u16 {
        match self {
            Self::TransportClose | Self::TransportLost | Self::ForcedClose => 1000,
            Self::Closed(code, _) => code,
            Self::ServerShutdown => 1001,
            Self::TransportError | Self::PingTimeout | Self::ParseError | Self::SlowConsumer => {
                1008
            }
        }
    }

    /// Whether what is queued is still delivered before the end.
    pub(super) fn is_orderly(self) -> bool {
        matches!(
            self,
            Self::ForcedClose | Self::ServerShutdown | Self::Closed(..)
        )
    }
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
