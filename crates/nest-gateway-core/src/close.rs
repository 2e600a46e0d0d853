//! Why connections end: the one table of close reasons and their codes.

use std::borrow::Cow;
use std::fmt;

/// Why the server ends a client's connection.
///
/// The code is the RFC 6455 section 7.4 status that a WebSocket peer sees;
/// [`CloseReason::text`] goes with it. Adapters without close codes map the
/// reason to what their protocol has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// `client.disconnect(..)`: 1000 and the given text.
    Disconnected(Cow<'static, str>),
    /// `client.disconnect_with(code, ..)`: an application's own code, 3000 to 4999.
    Custom(u16, Cow<'static, str>),
    /// `client.close_connection(..)`: 1000 and the given text. An adapter whose
    /// connections hold several clients ends all of them.
    ConnectionClosed(Cow<'static, str>),
    /// The server shuts down: 1001.
    ShuttingDown,
    /// The client does not read what it is sent: 1008.
    SlowConsumer,
    /// Too many malformed messages: 1008.
    Malformed,
    /// A guard denied a message and the policy is to close: 1008.
    Denied,
    /// An unknown event, and the policy is to close: 1008.
    UnknownEvent,
    /// `on_connection` returned an error: 1008.
    Refused,
    /// `on_connection` panicked, or another fault of ours: 1011.
    Internal,
    /// More messages than the configured rate: 1008.
    RateLimited,
    /// The connection reached the configured maximal age: 1001.
    Expired,
    /// The client came back over another connection, and this one was still there:
    /// 1000.
    Superseded,
}

impl CloseReason {
    /// The RFC 6455 status code.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Disconnected(_) | Self::ConnectionClosed(_) | Self::Superseded => 1000,
            Self::Custom(code, _) => *code,
            Self::ShuttingDown | Self::Expired => 1001,
            Self::Internal => 1011,
            Self::SlowConsumer
            | Self::Malformed
            | Self::Denied
            | Self::UnknownEvent
            | Self::Refused
            | Self::RateLimited => 1008,
        }
    }

    /// The text that goes with the code: at most 123 bytes reach the peer.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Disconnected(text) | Self::Custom(_, text) | Self::ConnectionClosed(text) => text,
            Self::ShuttingDown => "server shutting down",
            Self::SlowConsumer => "slow consumer",
            Self::Malformed => "too many malformed messages",
            Self::Denied => "forbidden resource",
            Self::UnknownEvent => "unknown event",
            Self::Refused => "connection refused",
            Self::Internal => "internal server error",
            Self::RateLimited => "too many messages",
            Self::Expired => "connection too old",
            Self::Superseded => "continued elsewhere",
        }
    }
}

/// Who ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// The client said goodbye.
    Client,
    /// The server ended it.
    Server,
    /// Nobody said anything: the connection broke or fell silent.
    Network,
}

/// Why a client is gone, as `on_disconnect` sees it.
///
/// `Display` gives the text for logs: the code and the peer's text on the
/// native wire (`4001 bye`, `1006`), Socket.IO's own words there (`transport
/// close`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisconnectReason {
    /// Who ended it.
    pub initiator: Initiator,
    /// The wire's close code; `None` on a wire without codes.
    pub code: Option<u16>,
    /// The text that came with it; may be empty.
    pub text: Cow<'static, str>,
}

impl DisconnectReason {
    /// The client ended the connection in an orderly way.
    #[must_use]
    pub fn by_client(code: Option<u16>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Initiator::Client, code, text)
    }

    /// The server ended the connection.
    #[must_use]
    pub fn by_server(code: Option<u16>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Initiator::Server, code, text)
    }

    /// The connection was lost.
    #[must_use]
    pub fn by_network(code: Option<u16>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Initiator::Network, code, text)
    }

    fn new(initiator: Initiator, code: Option<u16>, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            initiator,
            code,
            text: text.into(),
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.text.as_ref()) {
            (Some(code), "") => write!(f, "{code}"),
            (Some(code), text) => write!(f, "{code} {text}"),
            (None, text) => f.write_str(text),
        }
    }
}
