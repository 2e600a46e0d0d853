//! Close codes of RFC 6455, section 7.4, and how a connection came to its end.

use std::fmt;

/// The purpose of the connection is fulfilled.
pub const NORMAL: u16 = 1000;
/// The server shuts down, or the page was left.
pub const GOING_AWAY: u16 = 1001;
/// The peer broke the protocol.
pub const PROTOCOL: u16 = 1002;
/// The peer sent a kind of data that is not accepted here.
pub const UNSUPPORTED: u16 = 1003;
/// No code was in the close frame; never sent.
pub const NO_STATUS: u16 = 1005;
/// The connection ended without a close frame; never sent.
pub const ABNORMAL: u16 = 1006;
/// Text that is not UTF-8.
pub const INVALID_DATA: u16 = 1007;
/// A policy was broken: too slow, too many fragments, not allowed.
pub const POLICY: u16 = 1008;
/// A message over the limit.
pub const TOO_BIG: u16 = 1009;
/// The server failed.
pub const INTERNAL: u16 = 1011;
/// The server restarts.
pub const RESTART: u16 = 1012;
/// Try again later.
pub const TRY_AGAIN: u16 = 1013;

/// Whether a close frame may carry this code (RFC 6455, section 7.4.2, and the IANA registry):
/// 1000 to 1014 without the reserved 1004, 1005 and 1006, and 3000 to 4999.
pub const fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedBy {
    /// The peer sent a close frame first.
    Peer,
    /// This side closed it: [`Outbox::close`](crate::Outbox::close) or
    /// [`WebSocket::close`](crate::WebSocket::close).
    Server,
    /// The peer broke the protocol or a limit, and was told so.
    Violation,
    /// The outbox was full under [`SlowPolicy::Close`](crate::SlowPolicy::Close).
    SlowConsumer,
    /// Nothing was heard from the peer for a ping interval and a ping timeout. It was told 1008, in
    /// case that it can hear.
    PingTimeout,
    /// The transport ended without a close frame.
    Lost,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code of the close frame that was received, or else sent; `None` if the peer's close frame
    /// had none (1005 in the words of the RFC), there was no close frame at all, or nobody seems to have
    /// got the one that was sent after a ping timeout (1006).
    pub code: Option<u16>,
    /// The text that came with the code; empty if there was none.
    pub reason: String,
    /// Who ended it.
    pub by: ClosedBy,
}

impl Closed {
    pub(crate) fn lost() -> Self {
        Self {
            code: None,
            reason: String::new(),
            by: ClosedBy::Lost,
        }
    }

    /// The code to report where one number is wanted: the code of the close frame, 1005 for a close
    /// frame without a code, 1006 for a connection that was lost or timed out.
    pub fn status(&self) -> u16 {
        match (self.code, self.by) {
            (Some(code), _) => code,
            (None, ClosedBy::Lost | ClosedBy::PingTimeout) => ABNORMAL,
            (None, _) => NO_STATUS,
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status())?;
        if self.reason.is_empty() {
            Ok(())
        } else {
            write!(f, " {}", self.reason)
        }
    }
}
