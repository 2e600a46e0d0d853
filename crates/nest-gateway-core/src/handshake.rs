//! What a client said when it connected.

mod peer;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// In nanoseconds since 1970.
    time: u64,
}

/// How a client came.
#[derive(Clone, Copy)]
struct Way {
    scheme: Scheme,
    peer: Option<SocketAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    /// A transport without HTTP.
    Other,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::Http, Self::Https, Self::Other];

    /// What it is in a block of [`Headers`]: a character, so that it takes no room.
    const fn letter(self) -> char {
        match self {
            Self::Http => 'h',
            Self::Https => 's',
            Self::Other => 'o',
        }
    }
}

impl From<Headers> for Handshake {
    fn from(headers: Headers) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since_1970.unwrap_or_default().as_nanos();
        Self {
            request: Arc::new(Request {
                headers,
                // Enough until 2554.
                time: u64::try_from(nanos).unwrap_or(u64::MAX),
            }),
            auth: None,
        }
    }
}

impl Handshake {
    /// Takes what is worth keeping from the head of the HTTP request.
    #[must_use]
    pub fn from_http(head: &Parts) -> Self {
        let secure = head.extensions.get::<Secure>().is_some();
        let way = Way {
            scheme: if secure { Scheme::Https } else { Scheme::Http },
            peer: head.extensions.get::<PeerAddr>().map(|peer| peer.0),
        };
        Self::from(Headers::from_http(way, head))
    }

    /// A handshake of a transport without HTTP: no headers, no query.
    #[must_use]
    pub fn bare(peer: Option<SocketAddr>) -> Self {
        let way = Way {
            scheme: Scheme::Other,
            peer,
        };
        Self::from(Headers::of(&Headers::begin(way, "")))
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
        self.request.headers.peer()
    }

    /// Whether the connection is encrypted up to this process.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.request.headers.scheme() == Scheme::Https
    }

    /// Whether the client came by an HTTP request.
    pub(crate) fn is_http(&self) -> bool {
        self.request.headers.scheme() != Scheme::Other
    }

    /// When the client connected.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.request.time)
    }
}

/// Request headers in one small block.
///
/// A `HeaderMap` costs several KiB, which an idle connection would keep; this
/// costs the bytes of its lines. Before them stand two more, so that what is in
/// them needs no place of its own: the scheme with the peer's address, and the
/// query of the request, which mostly is empty.
#[derive(Clone, Debug)]
pub struct Headers(Box<str>);

/// Lines of a block of [`Headers`] before the first header.
const LINES_BEFORE: usize = 2;

/// What most blocks have room in while they are made.
const USUAL_BYTES: usize = 256;

impl Headers {
    /// Copies the block, since to cut its spare room off would leave a hole
    /// beside what stays.
    fn of(block: &str) -> Self {
        Self(block.into())
    }

    fn begin(way: Way, query: &str) -> String {
        let mut block = String::with_capacity(USUAL_BYTES);
        block.push(way.scheme.letter());
        if let Some(address) = way.peer {
            peer::append(&mut block, address);
        }
        block.push('\n');
        block.push_str(query);
        block.push('\n');
        block
    }

    fn from_http(way: Way, head: &Parts) -> Self {
        let mut block = Self::begin(way, head.uri.query().unwrap_or_default());
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
        Self::of(&block)
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
        let lines = self.0.lines().skip(LINES_BEFORE);
        lines.filter_map(|line| line.split_once(':'))
    }

    fn query(&self) -> &str {
        self.0.lines().nth(1).unwrap_or_default()
    }

    fn scheme(&self) -> Scheme {
        let is_it = |scheme: &Scheme| self.0.starts_with(scheme.letter());
        Scheme::ALL.into_iter().find(is_it).unwrap_or(Scheme::Other)
    }

    fn peer(&self) -> Option<SocketAddr> {
        peer::read(self.0.lines().next()?.get(1..)?)
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
    fn what_is_told_of_the_connection_is_kept_beside_the_headers() {
        let mut request = http::Request::get("/?a=1").header("Accept", "*/*");
        let peer: SocketAddr = "[fe80::1%3]:80".parse().expect("an address");
        let extensions = request.extensions_mut().expect("a right request");
        extensions.insert(PeerAddr(peer));
        extensions.insert(Secure);
        let head = request.body(()).expect("a request").into_parts().0;
        let before = SystemTime::now();
        let handshake = Handshake::from_http(&head);
        assert_eq!(handshake.peer(), Some(peer));
        assert!(handshake.is_secure() && handshake.is_http());
        assert_eq!(handshake.query_string(), "a=1");
        assert!(handshake.headers().iter().eq([("accept", "*/*")]));
        assert!((before..=SystemTime::now()).contains(&handshake.time()));

        let peer = "127.0.0.1:80".parse().expect("an address");
        let bare = Handshake::bare(Some(peer));
        assert_eq!(bare.peer(), Some(peer));
        assert!(!bare.is_secure() && !bare.is_http());
        assert_eq!(bare.headers().iter().count(), 0);
        assert_eq!(Handshake::bare(None).peer(), None);
    }

    #[test]
    fn the_authority_of_the_target_goes_before_the_host_header() {
        let target = "http://a.example:80/chat";
        for lines in [&[][..], &["b.example"], &["b.example", "c.example"]] {
            assert_eq!(host(target, lines).as_deref(), Some("a.example:80"));
        }
    }
}
