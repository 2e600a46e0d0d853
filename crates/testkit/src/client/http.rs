//! A minimal HTTP/1.1 client: enough for routes, refusals and long polling.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;

use super::remote::Remote;
use super::stream::Stream;

/// Largest head the client reads, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Largest body the client reads, in bytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header lines in the order received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty for a 101.
    pub body: Bytes,
}

impl HttpResponse {
    /// The first header of this name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics with the body when it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body is not json ({error}): {}", self.text()))
    }
}

/// Sends one GET over a connection of its own.
pub async fn get(remote: impl Into<Remote>, path: &str) -> io::Result<HttpResponse> {
    send(remote, "GET", path, &[], b"").await
}

/// Sends one POST over a connection of its own.
pub async fn post(remote: impl Into<Remote>, path: &str, body: &[u8]) -> io::Result<HttpResponse> {
    send(remote, "POST", path, &[], body).await
}

/// Sends one request with further header lines over a connection of its own.
pub async fn send(
    remote: impl Into<Remote>,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<HttpResponse> {
    HttpConnection::new(remote.into())
        .request(method, path, headers, body)
        .await
}

/// A connection that is kept alive between requests.
#[derive(Debug)]
pub(crate) struct HttpConnection {
    remote: Remote,
    stream: Option<Stream>,
    buffer: BytesMut,
}

impl HttpConnection {
    pub(crate) fn new(remote: Remote) -> Self {
        Self {
            remote,
            stream: None,
            buffer: BytesMut::new(),
        }
    }

    /// Sends a request and reads the whole response.
    ///
    /// A server may close an idle connection at any time, so a reused one that
    /// ends before the first byte of the response is opened once more.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> io::Result<HttpResponse> {
        let request = encode(self.remote.addr(), method, path, headers, body);
        if let Some(stream) = self.stream.take()
            && let Ok(response) = self.exchange(stream, method, &request).await
        {
            return Ok(response);
        }
        let stream = self.remote.connect(None).await?;
        self.exchange(stream, method, &request).await
    }

    /// Ends the connection with a reset instead of a goodbye.
    pub(crate) fn reset(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.reset();
        }
    }

    async fn exchange(
        &mut self,
        mut stream: Stream,
        method: &str,
        request: &[u8],
    ) -> io::Result<HttpResponse> {
        self.buffer.clear();
        // A server may refuse a body that is too large before it has read all
        // of it, so a write error does not end the exchange by itself.
        let written = stream.send(request).await;
        let head = match (read_head(&mut stream, &mut self.buffer).await, written) {
            (Ok(head), _) => head,
            (Err(error), Ok(())) | (Err(_), Err(error)) => return Err(error),
        };
        let (body, reusable) =
            read_body(&mut stream, &mut self.buffer, &head, method == "HEAD").await?;
        if reusable {
            self.stream = Some(stream);
        }
        Ok(HttpResponse { body, ..head })
    }
}

/// The bytes of a request; `Content-Length` is added, and `Host` unless it is
/// among the headers.
pub(crate) fn encode(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    if !has_host(headers) {
        out.extend_from_slice(format!("Host: {addr}\r\n").as_bytes());
    }
    for (name, value) in headers {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() || method == "POST" {
        out.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

pub(crate) fn has_host(headers: &[(String, String)]) -> bool {
    headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
}

/// Reads a response up to its blank line; what follows stays in `buffer`.
pub(crate) async fn read_head(
    stream: &mut Stream,
    buffer: &mut BytesMut,
) -> io::Result<HttpResponse> {
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let head = buffer.split_to(end + 4);
            return parse_head(&head);
        }
        if buffer.len() > MAX_HEAD {
            return Err(invalid("the response head is above 64 KiB"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Reads the body that `head` announces, and says whether the connection may
/// carry another request.
pub(crate) async fn read_body(
    stream: &mut Stream,
    buffer: &mut BytesMut,
    head: &HttpResponse,
    head_only: bool,
) -> io::Result<(Bytes, bool)> {
    let close = head
        .header("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("close"));
    if head_only || matches!(head.status, 101 | 204 | 304) {
        return Ok((Bytes::new(), !close));
    }
    if head
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        return Ok((read_chunks(stream, buffer).await?, !close));
    }
    if let Some(length) = head.header("content-length") {
        let length = length
            .parse()
            .map_err(|_| invalid("the content length is not a number"))?;
        fill(stream, buffer, length).await?;
        return Ok((buffer.split_to(length).freeze(), !close));
    }
    while stream.read_buf(buffer).await? > 0 {
        if buffer.len() > MAX_BODY {
            return Err(invalid("the body is above 64 MiB"));
        }
    }
    Ok((buffer.split().freeze(), false))
}

async fn read_chunks(stream: &mut Stream, buffer: &mut BytesMut) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    loop {
        let end = loop {
            if let Some(end) = find(buffer, b"\r\n") {
                break end;
            }
            let more = buffer.len() + 1;
            fill(stream, buffer, more).await?;
        };
        let size = std::str::from_utf8(&buffer[..end])
            .ok()
            .and_then(|line| usize::from_str_radix(line.split(';').next()?.trim(), 16).ok())
            .ok_or_else(|| invalid("a chunk size is not a hexadecimal number"))?;
        buffer.advance(end + 2);
        fill(stream, buffer, size + 2).await?;
        body.extend_from_slice(&buffer[..size]);
        buffer.advance(size + 2);
        if size == 0 {
            return Ok(body.freeze());
        }
        if body.len() > MAX_BODY {
            return Err(invalid("the body is above 64 MiB"));
        }
    }
}

async fn fill(stream: &mut Stream, buffer: &mut BytesMut, length: usize) -> io::Result<()> {
    if length > MAX_BODY {
        return Err(invalid("the body is above 64 MiB"));
    }
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn parse_head(head: &[u8]) -> io::Result<HttpResponse> {
    let head = std::str::from_utf8(head).map_err(|_| invalid("the head is not utf-8"))?;
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let status = lines
        .next()
        .filter(|line| line.starts_with("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| invalid("the status line is not one of http/1"))?;
    let headers = lines
        .map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| invalid("a header line has no colon"))?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect::<io::Result<_>>()?;
    Ok(HttpResponse {
        status,
        headers,
        body: Bytes::new(),
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Percent-encodes a query part: everything but RFC 3986's unreserved set.
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
    out
}

/// `path` with `query` behind it, both parts percent-encoded.
pub(crate) fn with_query(path: &str, query: &[(String, String)]) -> String {
    let mut out = path.to_owned();
    for (index, (key, value)) in query.iter().enumerate() {
        out.push(if index == 0 && !path.contains('?') {
            '?'
        } else {
            '&'
        });
        out.push_str(&percent_encode(key));
        out.push('=');
        out.push_str(&percent_encode(value));
    }
    out
}
