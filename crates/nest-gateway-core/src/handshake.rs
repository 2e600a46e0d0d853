//! What a client said when it connected.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::header;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::payload::{BodyError, Payload};

/// Headers that only served the handshake itself; they are not kept, so that
/// an idle connection stays small.
const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "upgrade",
    "keep-alive",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "content-length",
];

/// The request with which a client connected, on whatever transport. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// Shared by all clients of a connection.
    request: Arc<Request>,
    auth: Option<Arc<Payload>>,
}

/// The credentials of clients that have none to show, which all of them share.
static NOBODY: LazyLock<Arc<Payload>> =
    LazyLock::new(|| Arc::new(Payload::from_json(Bytes::from_static(b"{}"))));

/// Kept small, since every connection has one.
#[derive(Debug)]
struct Request {
    headers: Headers,
    peer: Option<Peer>,
    time: SystemTime,
    secure: bool,
    http: bool,
}

/// An address, without the room for one of IPv6 (28 bytes) where it is of IPv4.
#[derive(Clone, Debug)]
enum Peer {
    V4(SocketAddrV4),
    V6(Box<SocketAddrV6>),
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(address),
            SocketAddr::V6(address) => Self::V6(Box::new(address)),
        }
    }
}

impl From<&Peer> for SocketAddr {
    fn from(peer: &Peer) -> Self {
        match peer {
            Peer::V4(address) => Self::V4(*address),
            Peer::V6(address) => Self::V6(**address),
        }
    }
}

impl From<Request> for Handshake {
    fn from(request: Request) -> Self {
        Self {
            request: Arc::new(request),
            auth: None,
        }
    }
}

impl Handshake {
    /// Takes what is worth keeping from the head of the HTTP request.
    #[must_use]
    pub fn from_http(head: &Parts) -> Self {
        Self::from(Request {
            headers: Headers::from_http(head),
            peer: head.extensions.get::<PeerAddr>().map(|peer| peer.0.into()),
            secure: head.extensions.get::<Secure>().is_some(),
            http: true,
            time: SystemTime::now(),
        })
    }

    /// A handshake of a transport without HTTP: no headers, no query.
    #[must_use]
    pub fn bare(peer: Option<SocketAddr>) -> Self {
        Self::from(Request {
            headers: Headers(Box::default()),
            peer: peer.map(Peer::from),
            secure: false,
            http: false,
            time: SystemTime::now(),
        })
    }

    /// The same handshake with credentials that came outside of the HTTP
    /// request: Socket.IO's `auth`.
    #[must_use]
    pub fn with_auth(&self, auth: Payload) -> Self {
        let nobody = auth.as_json() == Some(b"{}");
        Self {
            request: Arc::clone(&self.request),
            auth: if nobody {
                Some(Arc::clone(&NOBODY))
            } else {
                (!auth.is_empty()).then(|| Arc::new(auth))
            },
        }
    }

    /// The headers, without those that only served the handshake itself.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.request.headers
    }

    /// One header, by its case-insensitive name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers.get(name)
    }

    /// The host and port that the client called: the authority of the request's
    /// target (HTTP/2's `:authority`), else the `Host` header. `None` when there
    /// is none, or more than one. The header `host` says the same.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.header("host")
    }

    /// The raw query string, without the question mark.
    #[must_use]
    pub fn query_string(&self) -> &str {
        self.request.headers.query()
    }

    /// The query's pairs, decoded.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        crate::query::pairs(self.query_string())
    }

    /// The last value of one query parameter.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_pairs()
            .filter_map(|(key, value)| (key == name).then_some(value))
            .last()
    }

    /// Credentials that came outside of the HTTP request (Socket.IO's `auth`);
    /// empty on other transports.
    #[must_use]
    pub fn auth(&self) -> &Payload {
        static NONE: Payload = Payload::empty();
        self.auth.as_deref().unwrap_or(&NONE)
    }

    /// Those credentials as a type.
    pub fn auth_as<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        self.auth().decode()
    }

    /// The token that the client presented, wherever it may stand:
    /// `Authorization: Bearer`, the query parameter `token`, or `auth.token`.
    #[must_use]
    pub fn bearer_token(&self) -> Option<String> {
        let header = self.header("authorization").and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| token.trim().to_owned())
        });
        header
            .or_else(|| self.query("token"))
            .or_else(|| self.auth().field("token").decode().ok())
    }

    /// The address of the peer, where the transport knows it.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.request.peer.as_ref().map(SocketAddr::from)
    }

    /// Whether the connection is encrypted up to this process.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.request.secure
    }

    /// Whether the client came by an HTTP request.
    pub(crate) fn is_http(&self) -> bool {
        self.request.http
    }

    /// When the client connected.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.request.time
    }
}

/// Request headers in one small block.
///
/// A `HeaderMap` costs several KiB, which an idle connection would keep; this
/// costs the bytes of its lines. The first of them is the query of the request,
/// which mostly is empty and should have no place of its own.
#[derive(Clone, Debug)]
pub struct Headers(Box<str>);

impl Headers {
    fn from_http(head: &Parts) -> Self {
        let mut block = head.uri.query().unwrap_or_default().to_owned();
        block.push('\n');
        let mut push = |name: &str, value: &str| {
            block.push_str(name);
            block.push(':');
            block.push_str(value);
            block.push('\n');
        };
        if let Some(host) = host_of(head) {
            push("host", host);
        }
        for (name, value) in &head.headers {
            let Ok(value) = value.to_str() else { continue };
            if name != header::HOST && !HOP_BY_HOP.contains(&name.as_str()) {
                push(name.as_str(), value);
            }
        }
        Self(block.into_boxed_str())
    }

    /// The first value under this case-insensitive name. Values that are not
    /// visible ASCII are not kept.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// All headers; names are in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.0.lines().skip(1);
        lines.filter_map(|line| line.split_once(':'))
    }

    fn query(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }
}

/// The host that a request was sent to. The authority of its target stands in
/// place of the `Host` header (RFC 9112, section 3.2.2).
pub(crate) fn host_of(head: &Parts) -> Option<&str> {
    if let Some(authority) = head.uri.authority() {
        return Some(authority.as_str());
    }
    let mut lines = head.headers.get_all(header::HOST).iter();
    let host = lines.next()?.to_str().ok()?;
    lines.next().is_none().then_some(host)
}

/// Request extension in which an accept loop tells the peer's address.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddr(pub SocketAddr);

/// Request extension in which an accept loop tells that the connection is
/// encrypted.
#[derive(Clone, Copy, Debug)]
pub struct Secure;

#[cfg(test)]
mod tests {
    use super::*;

    fn host(target: &str, lines: &[&str]) -> Option<String> {
        let mut request = http::Request::get(target);
        for line in lines {
            request = request.header("Host", *line);
        }
        let head = request.body(()).expect("a request").into_parts().0;
        Handshake::from_http(&head).host().map(str::to_owned)
    }

    #[test]
    fn the_host_is_the_one_that_the_client_called() {
        assert_eq!(
            host("/", &["a.example:80"]).as_deref(),
            Some("a.example:80")
        );
        assert_eq!(host("/", &[]), None);
        assert_eq!(host("/", &["a.example", "b.example"]), None);
        assert_eq!(Handshake::bare(None).host(), None);
    }

    #[test]
    fn the_authority_of_the_target_goes_before_the_host_header() {
        let target = "http://a.example:80/chat";
        for lines in [&[][..], &["b.example"], &["b.example", "c.example"]] {
            assert_eq!(host(target, lines).as_deref(), Some("a.example:80"));
        }
    }
}
