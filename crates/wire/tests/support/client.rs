//! A raw client.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const HANDSHAKE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// No step of a test may take longer; a test that hangs fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// A frame of the server, checked for what every server frame has to be.
#[derive(Debug, PartialEq, Eq)]
pub struct ServerFrame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl ServerFrame {
    /// The code of a close frame.
    pub fn close_code(&self) -> Option<u16> {
        assert_eq!(self.first, 0x88, "a close frame was expected: {self:?}");
        Some(u16::from_be_bytes(
            self.payload.get(..2)?.try_into().unwrap(),
        ))
    }
}

impl Client {
    /// A TCP connection and nothing more.
    pub async fn tcp(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// A WebSocket.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::tcp(address).await;
        client.upgrade("").await;
        client
    }

    /// Does the handshake, with `more` header lines; gives the head of the answer.
    pub async fn upgrade(&mut self, more: &str) -> String {
        self.send(format!("{HANDSHAKE}{more}\r\n").as_bytes()).await;
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        head
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        let sent = tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await;
        sent.expect("the server takes bytes in time").unwrap();
    }

    /// Sends as far as the server lets it.
    pub async fn try_send(&mut self, bytes: &[u8]) {
        let sent = tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await;
        // A server that had enough may reset the connection.
        let _ = sent.expect("the server takes bytes or ends in time");
    }

    /// The head of an HTTP response.
    pub async fn head(&mut self) -> String {
        self.head_or_end()
            .await
            .expect("a response before the end of TCP")
    }

    /// The head of an HTTP response, or `None` if TCP ended instead.
    pub async fn head_or_end(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                return Some(String::from_utf8(head).unwrap());
            }
            if !self.fill().await {
                assert_eq!(self.buffer, b"", "ended inside a response head");
                return None;
            }
        }
    }

    /// Passes over the body of an HTTP response.
    pub async fn skip(&mut self, body: &[u8]) {
        while self.buffer.len() < body.len() {
            assert!(self.fill().await, "ended inside a body");
        }
        assert_eq!(self.buffer.drain(..body.len()).collect::<Vec<_>>(), body);
    }

    /// Ends TCP with a reset.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The next frame; `None` when the server ended TCP in order. A reset fails the test.
    pub async fn frame(&mut self) -> Option<ServerFrame> {
        loop {
            if let Some((frame, size)) = parse(&self.buffer) {
                self.buffer.drain(..size);
                return Some(frame);
            }
            if !self.fill().await {
                assert_eq!(self.buffer, b"", "ended inside a frame");
                return None;
            }
        }
    }

    /// The next message or close frame, pings and pongs passed over.
    pub async fn data(&mut self) -> Option<ServerFrame> {
        loop {
            let frame = self.frame().await?;
            if !matches!(frame.first, 0x89 | 0x8a) {
                return Some(frame);
            }
        }
    }

    /// Expects a close frame with this code next, then the end of TCP.
    pub async fn closed_with(&mut self, code: u16) {
        let frame = self
            .data()
            .await
            .expect("a close frame before the end of TCP");
        assert_eq!(frame.close_code(), Some(code), "{frame:?}");
        self.ended().await;
    }

    /// Expects the server to end TCP in order.
    pub async fn ended(&mut self) {
        assert_eq!(self.frame().await, None);
    }

    async fn fill(&mut self) -> bool {
        self.buffer.reserve(64 * 1024);
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        let read = read.expect("the server answers in time").unwrap();
        read > 0
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn parse(bytes: &[u8]) -> Option<(ServerFrame, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "server frames are not masked");
    let (len, at) = match second {
        126 => (
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())),
            4,
        ),
        127 => (
            u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()),
            10,
        ),
        short => (u64::from(short), 2),
    };
    let end = at + usize::try_from(len).unwrap();
    let payload = bytes.get(at..end)?.to_vec();
    Some((ServerFrame { first, payload }, end))
}
