//! The opening handshake (RFC 6455, section 4.2), under any hyper server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::acceptor::Acceptor;
use crate::outbox::Outbox;
use crate::shared_tcp::SharedTcp;
use crate::socket::{Extensions, Prepared, WebSocket};
use crate::successor::{Next, Relay, Rest, Successor};

/// What the key is joined with before it is hashed (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The only version there is (RFC 6455, section 4.1).
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Why a request is no WebSocket handshake, with the answer it deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// A handshake is a GET; answered with 405.
    #[error("a WebSocket handshake is a GET request")]
    Method,
    /// HTTP/1.0 knows no upgrade, and extended CONNECT of HTTP/2 is not served; answered with 400.
    #[error("a WebSocket handshake is an HTTP/1.1 request")]
    HttpVersion,
    /// An ordinary request; answered with 426.
    #[error("this is a WebSocket endpoint: an upgrade is required")]
    NoUpgrade,
    /// `Host` is missing (RFC 6455, section 4.2.1); answered with 400.
    #[error("the Host header is missing")]
    Host,
    /// `Connection` does not name the upgrade; answered with 400.
    #[error("the Connection header does not contain upgrade")]
    Connection,
    /// Another version than 13, or none; answered with 426.
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    WebSocketVersion,
    /// `Sec-WebSocket-Key` is not 16 bytes in base64, exactly once; answered with 400.
    #[error("the Sec-WebSocket-Key header is not 16 bytes in base64")]
    Key,
    /// `Sec-WebSocket-Protocol` is not a list of tokens; answered with 400.
    #[error("the Sec-WebSocket-Protocol header is not a list of tokens")]
    Protocol,
}

impl UpgradeError {
    /// The status that answers it.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoUpgrade | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::HttpVersion | Self::Host | Self::Connection | Self::Key | Self::Protocol => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// The whole answer: status, the headers that belong to it, and the text as body.
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        match self.status() {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
            }
            _ => {}
        }
        response
    }
}

/// The connection could not be taken over after the handshake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeOverError {
    /// The server does not support upgrades, or the connection ended before the answer was sent.
    #[error("connection ended before the upgrade")]
    Upgrade(#[from] hyper::Error),
    /// The stream could not be taken.
    #[error("stream not available")]
    Stream(#[from] std::io::Error),
}

/// A request that asks for a WebSocket and is right in every respect.
#[derive(Debug)]
pub struct Upgrade {
    accept: HeaderValue,
    protocols: Vec<String>,
    /// The `Sec-WebSocket-Extensions` lines.
    #[cfg(feature = "deflate")]
    extensions: HeaderMap,
    pending: hyper::upgrade::OnUpgrade,
    successor: Option<Successor>,
}

impl Upgrade {
    /// Checks the handshake of a request and takes the upgrade out of it.
    pub fn from_request<B>(request: &mut Request<B>) -> Result<Self, UpgradeError> {
        if request.method() != Method::GET {
            return Err(UpgradeError::Method);
        }
        let headers = request.headers();
        if !has_token(headers, &header::UPGRADE, "websocket") {
            return Err(UpgradeError::NoUpgrade);
        }
        if request.version() != Version::HTTP_11 {
            return Err(UpgradeError::HttpVersion);
        }
        if !headers.contains_key(header::HOST) {
            return Err(UpgradeError::Host);
        }
        if !has_token(headers, &header::CONNECTION, "upgrade") {
            return Err(UpgradeError::Connection);
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
            return Err(UpgradeError::WebSocketVersion);
        }
        let accept = accept_key(headers)?;
        let protocols = offered_protocols(headers)?;
        Ok(Self {
            accept,
            protocols,
            #[cfg(feature = "deflate")]
            extensions: only(headers, &header::SEC_WEBSOCKET_EXTENSIONS),
            pending: hyper::upgrade::on(&mut *request),
            successor: request.extensions_mut().remove(),
        })
    }

    /// Whether a request wants a WebSocket, right or wrong: its `Upgrade` header says so.
    pub fn is_requested<B>(request: &Request<B>) -> bool {
        has_token(request.headers(), &header::UPGRADE, "websocket")
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn protocols(&self) -> &[String] {
        &self.protocols
    }

    /// Accepts: send the response, and await the socket behind it, by [`OnUpgrade::go_on`] or in a task
    /// of its own.
    ///
    /// `protocol` is the subprotocol chosen, which has to be one of those offered; another one is left
    /// out, since the client would have to fail the connection (RFC 6455, section 4.1).
    pub fn accept(
        self,
        acceptor: &Arc<Acceptor>,
        protocol: Option<&str>,
    ) -> (Response<()>, OnUpgrade) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        if let Some(protocol) = protocol.filter(|p| self.protocols.iter().any(|o| o == p))
            && let Ok(value) = HeaderValue::from_str(protocol)
        {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        #[cfg_attr(not(feature = "deflate"), allow(unused_mut))]
        let mut extensions = Extensions::default();
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &acceptor.config.deflate
            && let Some((agreed, answer)) = crate::deflate::agree(&self.extensions, deflate)
        {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, answer);
            extensions.deflate = Some(agreed);
        }
        let pending = Pending {
            inner: self.pending,
            prepared: Prepared::new(acceptor, extensions),
            successor: self.successor,
        };
        let on_upgrade = OnUpgrade {
            pending: Some(Box::new(pending)),
        };
        (response, on_upgrade)
    }
}

/// The socket, once the response has been sent.
#[derive(Debug)]
#[must_use = "the connection waits for somebody to take it"]
pub struct OnUpgrade {
    /// `None` once it has completed, so that nothing of it stays in the future that awaits it.
    pending: Option<Box<Pending>>,
}

#[derive(Debug)]
struct Pending {
    inner: hyper::upgrade::OnUpgrade,
    prepared: Prepared,
    successor: Option<Successor>,
}

impl OnUpgrade {
    /// The sending side of the socket, which takes messages already.
    ///
    /// # Panics
    /// When this was polled to its end.
    pub fn outbox(&self) -> &Arc<Outbox> {
        let pending = self.pending.as_ref();
        &pending.expect("asked before completion").prepared.outbox
    }

    /// Runs what begins with the socket, and then what comes of it: both on the task that served the
    /// handshake where that is one of [`serve`](crate::serve), else on one of its own.
    ///
    /// Each of them is in memory of its own, and what the handshake needed was given back before. When
    /// the handshake fails, what was to begin may be dropped and not run.
    pub fn go_on<B>(mut self, begin: impl FnOnce(Self) -> B)
    where
        B: Future<Output = Option<Rest>> + Send + 'static,
    {
        let pending = self.pending.as_mut();
        let successor = pending.and_then(|pending| pending.successor.take());
        let begin = begin(self);
        let begin = async move { begin.await.map_or(Next::End, Next::Rest) };
        match successor {
            Some(successor) => successor.set(Next::Part(Box::pin(begin))),
            None => drop(tokio::spawn(Relay::new(begin))),
        }
    }
}

impl Future for OnUpgrade {
    type Output = Result<WebSocket, TakeOverError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = self.pending.as_mut().expect("polled before completion");
        let upgraded = ready!(Pin::new(&mut pending.inner).poll(cx));
        let pending = self.pending.take().expect("looked at above");
        Poll::Ready(
            upgraded
                .map_err(TakeOverError::from)
                .and_then(|upgraded| pending.take_over(upgraded)),
        )
    }
}

impl Pending {
    /// Takes the TCP stream out of hyper, with which hyper's buffers go; any other stream is used
    /// through hyper.
    fn take_over(self, upgraded: Upgraded) -> Result<WebSocket, TakeOverError> {
        let prepared = self.prepared;
        let upgraded = match upgraded.downcast::<SharedTcp>() {
            Ok(parts) => {
                let (stream, ahead, permit) = parts.io.into_parts()?;
                let leftover = [parts.read_buf, ahead].concat();
                return Ok(WebSocket::on_tcp(stream, &leftover, prepared, permit));
            }
            Err(upgraded) => upgraded,
        };
        #[cfg(feature = "tls")]
        let upgraded = match upgraded.downcast::<crate::tls::CountedTls>() {
            Ok(parts) => {
                let (stream, permit) = parts.io.into_parts();
                let (io, leftover) = (Box::new(stream), &parts.read_buf);
                return Ok(WebSocket::on_transport(
                    io,
                    leftover,
                    prepared,
                    Some(permit),
                ));
            }
            Err(upgraded) => upgraded,
        };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => {
                let (stream, leftover) = (parts.io.into_inner(), &parts.read_buf);
                Ok(WebSocket::on_tcp(stream, leftover, prepared, None))
            }
            Err(upgraded) => {
                let io = Box::new(TokioIo::new(upgraded));
                Ok(WebSocket::on_transport(io, &[], prepared, None))
            }
        }
    }
}

#[cfg(feature = "deflate")]
fn only(headers: &HeaderMap, name: &HeaderName) -> HeaderMap {
    let values = headers.get_all(name).iter().cloned();
    values.map(|value| (name.clone(), value)).collect()
}

/// Whether a header that is a list of tokens has this one, in any case of letters.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The answer to the key (RFC 6455, section 4.2.2).
fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, UpgradeError> {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(UpgradeError::Key);
    };
    match STANDARD.decode(key.as_bytes()) {
        Ok(nonce) if nonce.len() == 16 => {}
        _ => return Err(UpgradeError::Key),
    }
    let mut sha1 = sha1_smol::Sha1::new();
    sha1.update(key.as_bytes());
    sha1.update(GUID);
    let accept = STANDARD.encode(sha1.digest().bytes());
    Ok(HeaderValue::from_str(&accept).expect("base64 is visible ASCII"))
}

fn offered_protocols(headers: &HeaderMap) -> Result<Vec<String>, UpgradeError> {
    let mut protocols = Vec::new();
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        let value = value.to_str().map_err(|_| UpgradeError::Protocol)?;
        for token in value.split(',').map(str::trim) {
            if !is_token(token) {
                return Err(UpgradeError::Protocol);
            }
            protocols.push(token.to_owned());
        }
    }
    Ok(protocols)
}

/// Whether a text is a token (RFC 9110, section 5.6.2), as the name of a subprotocol has to be.
pub fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake() -> http::request::Builder {
        Request::builder()
            .header("host", "x")
            .header("upgrade", "WebSocket")
            .header("connection", "keep-alive, Upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    fn error(request: http::request::Builder) -> Option<UpgradeError> {
        Upgrade::from_request(&mut request.body(()).unwrap()).err()
    }

    fn without(name: &str) -> http::request::Builder {
        let mut request = handshake();
        request.headers_mut().unwrap().remove(name);
        request
    }

    #[test]
    fn the_key_of_the_rfc_gets_the_answer_of_the_rfc() {
        let upgrade = Upgrade::from_request(&mut handshake().body(()).unwrap()).unwrap();
        assert_eq!(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn each_broken_handshake_is_told_apart() {
        assert_eq!(error(handshake()), None);
        assert_eq!(
            error(handshake().method("POST")),
            Some(UpgradeError::Method)
        );
        assert_eq!(
            error(handshake().version(Version::HTTP_10)),
            Some(UpgradeError::HttpVersion)
        );
        assert_eq!(error(without("upgrade")), Some(UpgradeError::NoUpgrade));
        assert_eq!(error(without("host")), Some(UpgradeError::Host));
        assert_eq!(error(without("connection")), Some(UpgradeError::Connection));
        assert_eq!(
            error(without("sec-websocket-version")),
            Some(UpgradeError::WebSocketVersion)
        );
        assert_eq!(
            error(without("sec-websocket-version").header("sec-websocket-version", "8")),
            Some(UpgradeError::WebSocketVersion)
        );
        assert_eq!(error(without("sec-websocket-key")), Some(UpgradeError::Key));
        assert_eq!(
            error(handshake().header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")),
            Some(UpgradeError::Key),
            "two keys"
        );
        for key in [
            "short",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZSEh",
        ] {
            assert_eq!(
                error(without("sec-websocket-key").header("sec-websocket-key", key)),
                Some(UpgradeError::Key),
                "{key}"
            );
        }
        for protocol in [&b"\xfcber"[..], b"a,,b", b"a b", b""] {
            assert_eq!(
                error(handshake().header("sec-websocket-protocol", protocol)),
                Some(UpgradeError::Protocol),
                "{protocol:?}"
            );
        }
    }

    #[test]
    fn a_wrong_version_is_answered_with_the_right_one() {
        let response = UpgradeError::WebSocketVersion.response();
        assert_eq!(response.status(), 426);
        assert_eq!(response.headers()["sec-websocket-version"], "13");
    }

    #[tokio::test]
    async fn only_an_offered_protocol_is_confirmed() {
        let accept = |protocol| {
            let mut request = handshake()
                .header("sec-websocket-protocol", "chat, msgpack")
                .body(())
                .unwrap();
            let upgrade = Upgrade::from_request(&mut request).unwrap();
            assert_eq!(upgrade.protocols(), ["chat", "msgpack"]);
            let config = crate::WebSocketConfig::default();
            let acceptor = Acceptor::new(config, crate::Flusher::spawn());
            let (response, _) = upgrade.accept(&acceptor, protocol);
            assert_eq!(response.status(), 101);
            response.headers().get("sec-websocket-protocol").cloned()
        };
        assert_eq!(accept(Some("msgpack")).unwrap(), "msgpack");
        assert_eq!(accept(Some("other")), None);
        assert_eq!(accept(None), None);
    }
}
