//! Who may connect: the checks that every adapter shares.

use std::sync::Arc;

use crate::error::WsException;
use crate::gateway::Namespace;
use crate::handshake::Handshake;
use crate::session::ClientData;

/// Permission to open a session: all checks passed, and a place among the
/// counted clients is taken until this, or the session made of it, is dropped.
#[derive(Debug)]
pub struct Admission {
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) path: Arc<str>,
    pub(crate) params: PathParams,
    pub(crate) handshake: Handshake,
    pub(crate) data: ClientData,
    pub(crate) place: super::host::Place,
}

impl Admission {
    /// The handshake that was admitted.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// The path of the namespace as the client asked for it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What connection guards left for the client, such as its identity.
    #[must_use]
    pub fn data(&self) -> &ClientData {
        &self.data
    }
}

/// The parameters of a namespace path (`/room/{id}`).
pub(crate) type PathParams = Box<[(Box<str>, Box<str>)]>;

/// Why a client may not connect. Each adapter answers it in its own terms:
/// [`Refusal::status`] over HTTP, CONNECT_ERROR on Socket.IO.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// A name that is none of the server's
    /// ([`AllowedHosts`](crate::config::AllowedHosts)).
    Host,
    /// A browser page of a foreign origin.
    Origin,
    /// A connection guard said no.
    Guard(WsException),
    /// As many clients as allowed are connected.
    Full,
    /// As many clients of this address as allowed are connected.
    AddressFull,
    /// The server is shutting down.
    ShuttingDown,
}

impl Refusal {
    /// The HTTP status of the refusal.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            // Misdirected Request (RFC 9110, section 15.5.20).
            Self::Host => 421,
            Self::Origin => 403,
            Self::Guard(exception) => exception.status(),
            Self::AddressFull => 429,
            Self::Full | Self::ShuttingDown => 503,
        }
    }

    /// The text for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Host => "host not allowed",
            Self::Origin => "origin not allowed",
            Self::Guard(exception) => exception.message(),
            Self::Full => "too many connections",
            Self::AddressFull => "too many connections from this address",
            Self::ShuttingDown => "server shutting down",
        }
    }

    /// Seconds after which another try makes sense; the `Retry-After` header.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Full | Self::AddressFull | Self::ShuttingDown => Some(5),
            Self::Host | Self::Origin | Self::Guard(_) => None,
        }
    }
}
