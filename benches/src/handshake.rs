//! The opening handshake (RFC 6455, section 4) on both sides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The key every client of the generator sends; the example key of RFC 6455,
/// section 1.3. Servers must not care, and a fixed key makes the expected
/// answer a constant.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What `Sec-WebSocket-Accept` must be for a client's key.
#[must_use]
pub fn accept(key: &str) -> String {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(hash.digest().bytes())
}

/// The upgrade request for `target` at `host`.
#[must_use]
pub fn request(target: &str, host: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

/// The 101 response to an upgrade request with `key`.
#[must_use]
pub fn response(key: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept(key)
    )
}

/// Bytes of the HTTP head at the start of `bytes`, the empty line included.
#[must_use]
pub fn head_len(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4)
}

/// The value of header `name` in an HTTP head.
#[must_use]
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Whether `head` accepts the upgrade of [`request`].
///
/// # Errors
/// The status line or the wrong header, for the report.
pub fn check_response(head: &str) -> Result<(), String> {
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        return Err(format!("the upgrade was answered with {status:?}"));
    }
    let expected = accept(KEY);
    match header(head, "sec-websocket-accept") {
        Some(value) if value == expected => Ok(()),
        other => Err(format!("Sec-WebSocket-Accept is {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_value_is_that_of_the_rfc() {
        assert_eq!(accept(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_response_is_accepted_only_with_status_101_and_the_right_key() {
        assert_eq!(check_response(&response(KEY)), Ok(()));
        assert!(check_response(&response("other")).is_err());
        assert!(check_response("HTTP/1.1 404 Not Found\r\n\r\n").is_err());
    }

    #[test]
    fn a_head_ends_after_the_empty_line() {
        assert_eq!(head_len(b"GET / HTTP/1.1\r\n\r\nrest"), Some(18));
        assert_eq!(head_len(b"GET / HTTP/1.1\r\n"), None);
    }
}
