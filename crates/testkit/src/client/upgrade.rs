//! The client's half of the WebSocket handshake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

use super::http::{self, HttpResponse};
use super::message::Refused;
use super::remote::Remote;
use super::stream::Stream;
use super::transcript::Transcript;

/// The key of RFC 6455's own example; a test has no cache to guard against.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// RFC 6455 section 1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// An upgraded connection.
pub(crate) struct Upgraded {
    pub(crate) stream: Stream,
    /// Bytes that came behind the response.
    pub(crate) leftover: BytesMut,
    pub(crate) subprotocol: Option<String>,
}

/// Header lines of a correct upgrade request.
pub(crate) fn headers(
    extra: &[(String, String)],
    subprotocols: &[String],
) -> Vec<(String, String)> {
    let mut headers = vec![
        ("Connection".to_owned(), "Upgrade".to_owned()),
        ("Upgrade".to_owned(), "websocket".to_owned()),
        ("Sec-WebSocket-Version".to_owned(), "13".to_owned()),
        ("Sec-WebSocket-Key".to_owned(), KEY.to_owned()),
    ];
    if !subprotocols.is_empty() {
        headers.push(("Sec-WebSocket-Protocol".to_owned(), subprotocols.join(", ")));
    }
    headers.extend_from_slice(extra);
    headers
}

/// Asks for an upgrade of a new connection at `path` (with its query).
pub(crate) async fn upgrade(
    remote: &Remote,
    path: &str,
    extra: &[(String, String)],
    subprotocols: &[String],
    receive_buffer: Option<u32>,
    transcript: &Transcript,
) -> Result<Upgraded, Refused> {
    let mut stream = remote.connect(receive_buffer).await?;
    let headers = headers(extra, subprotocols);
    transcript.sent(format!("GET {path} (upgrade)"));
    let request = http::encode(remote.addr(), "GET", path, &headers, b"");
    stream.send(&request).await?;
    let mut leftover = BytesMut::new();
    let head = http::read_head(&mut stream, &mut leftover).await?;
    transcript.received(format!("HTTP {}", head.status));
    if head.status != 101 {
        let (body, _) = http::read_body(&mut stream, &mut leftover, &head, false).await?;
        return Err(HttpResponse { body, ..head }.into());
    }
    check(&head, subprotocols)?;
    Ok(Upgraded {
        stream,
        leftover,
        subprotocol: head.header("sec-websocket-protocol").map(str::to_owned),
    })
}

fn check(head: &HttpResponse, subprotocols: &[String]) -> Result<(), Refused> {
    let is = |name: &str, value: &str| {
        head.header(name)
            .is_some_and(|found| found.eq_ignore_ascii_case(value))
    };
    let wrong = |text: &str| Err(Refused::new(format!("the 101 is not correct: {text}")));
    if !is("upgrade", "websocket") || !is("connection", "upgrade") {
        return wrong("upgrade and connection headers");
    }
    if head.header("sec-websocket-accept") != Some(&accept_key(KEY)) {
        return wrong("sec-websocket-accept");
    }
    if head.header("sec-websocket-extensions").is_some() {
        return wrong("an extension that was not offered");
    }
    match head.header("sec-websocket-protocol") {
        Some(chosen) if !subprotocols.iter().any(|offered| offered == chosen) => {
            wrong("a subprotocol that was not offered")
        }
        _ => Ok(()),
    }
}

fn accept_key(key: &str) -> String {
    let mut digest = sha1_smol::Sha1::new();
    digest.update(key.as_bytes());
    digest.update(ACCEPT_GUID.as_bytes());
    STANDARD.encode(digest.digest().bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        assert_eq!(
            super::accept_key(super::KEY),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
