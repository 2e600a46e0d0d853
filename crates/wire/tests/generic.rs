//! The path for transports that are not our own TCP stream: the same conversations over a pipe and
//! under a foreign hyper server.

mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nest_gateway_wire::{
    Acceptor, Class, ClosedBy, Event, Flusher, Frame, Push, Upgrade, WebSocket, WebSocketConfig,
};
use support::client::Client;
use support::frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};

fn pair(config: WebSocketConfig) -> (WebSocket, DuplexStream) {
    let (server, client) = tokio::io::duplex(1024);
    let acceptor = Acceptor::new(config, Flusher::spawn());
    (WebSocket::accept_parts(server, b"", &acceptor), client)
}

async fn read(client: &mut DuplexStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    client.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn messages_go_both_ways_over_a_pipe() {
    let (mut socket, mut client) = pair(WebSocketConfig::default());
    client.write_all(&frame(0x81, b"in")).await.unwrap();
    assert_eq!(socket.next().await, Event::Text(Bytes::from_static(b"in")));
    let big = Frame::binary(&[1; 10_000]);
    let outbox = Arc::clone(socket.outbox());
    assert_eq!(
        outbox.push(Frame::text(b"out"), Class::Normal),
        Push::Queued
    );
    assert_eq!(outbox.push(big.clone(), Class::Normal), Push::Queued);
    assert_eq!(read(&mut client, 5).await, b"\x81\x03out");
    assert_eq!(read(&mut client, big.len()).await, &big.bytes()[..]);
}

#[tokio::test]
async fn replies_leave_while_nobody_waits_for_the_next_message() {
    let (socket, mut client) = pair(WebSocketConfig::default());
    let outbox = Arc::clone(socket.outbox());
    for _ in 0..100 {
        let frame = Frame::binary(&vec![0; 50_000]);
        let (room, _) = tokio::join!(outbox.room(frame.len()), read(&mut client, 0));
        room.unwrap();
        assert_eq!(outbox.push(frame.clone(), Class::Normal), Push::Queued);
        assert_eq!(read(&mut client, frame.len()).await, &frame.bytes()[..]);
    }
    drop(socket);
}

#[tokio::test]
async fn a_violation_is_told_then_the_pipe_ends() {
    let (mut socket, mut client) = pair(WebSocketConfig::default());
    client.write_all(b"\x81\x00").await.unwrap();
    let Event::Closed(closed) = socket.next().await else {
        panic!("a violation ends the connection");
    };
    assert_eq!((closed.status(), closed.by), (1002, ClosedBy::Violation));
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest[..4], [0x88, 2 + 14, 0x03, 0xea]);
    assert_eq!(&rest[4..], b"unmasked frame");
}

#[tokio::test]
async fn close_performs_the_handshake() {
    let (socket, mut client) = pair(WebSocketConfig::default());
    let closing = tokio::spawn(socket.close(1001, "bye"));
    assert_eq!(read(&mut client, 7).await, b"\x88\x05\x03\xe9bye");
    client.write_all(&frame(0x88, b"\x03\xe9")).await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
    drop(client);
    assert_eq!(closing.await.unwrap().status(), 1001);
}

#[tokio::test]
async fn a_pipe_that_takes_nothing_ends_with_the_close_timeout() {
    let (socket, client) = pair(WebSocketConfig {
        close_timeout: Duration::from_millis(50),
        ..WebSocketConfig::default()
    });
    let outbox = Arc::clone(socket.outbox());
    assert_eq!(
        outbox.push(Frame::binary(&[0; 10_000]), Class::Normal),
        Push::Queued
    );
    assert_eq!(socket.close(1001, "").await.by, ClosedBy::Server);
    assert!(outbox.is_closed());
    drop(client);
}

#[tokio::test]
async fn a_cancelled_close_ends_the_pipe_though_others_keep_the_outbox() {
    let (socket, mut client) = pair(WebSocketConfig::default());
    let outbox = Arc::clone(socket.outbox());
    let closing = tokio::spawn(socket.close(1001, ""));
    assert_eq!(read(&mut client, 4).await, b"\x88\x02\x03\xe9");
    closing.abort();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
    assert!(outbox.is_closed());
}

#[tokio::test]
async fn dropping_the_socket_ends_the_pipe() {
    let (socket, mut client) = pair(WebSocketConfig::default());
    drop(socket);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}

/// A hyper server that is not ours, on a stream that is or is not the kind we take apart.
async fn foreign(wrapped: bool) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = Arc::clone(&acceptor);
            let service = service_fn(move |request| {
                let response = echo(request, &acceptor);
                async move { Ok::<_, Infallible>(response) }
            });
            let http = hyper::server::conn::http1::Builder::new();
            if wrapped {
                let io = TokioIo::new(Wrapped(stream));
                tokio::spawn(http.serve_connection(io, service).with_upgrades());
            } else {
                let io = TokioIo::new(stream);
                tokio::spawn(http.serve_connection(io, service).with_upgrades());
            }
        }
    });
    address
}

fn echo(mut request: Request<Incoming>, acceptor: &Arc<Acceptor>) -> Response<Full<Bytes>> {
    let upgrade = Upgrade::from_request(&mut request).unwrap();
    let (response, socket) = upgrade.accept(acceptor, None);
    tokio::spawn(async move {
        let mut socket = socket.await.unwrap();
        let outbox = Arc::clone(socket.outbox());
        while let Event::Text(text) = socket.next().await {
            assert_eq!(outbox.push(Frame::text(&text), Class::Normal), Push::Queued);
        }
    });
    response.map(|()| Full::default())
}

/// A stream of a type that nobody knows.
struct Wrapped(TcpStream);

impl tokio::io::AsyncRead for Wrapped {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncWrite for Wrapped {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn foreign_servers_echo_and_close_alike() {
    for wrapped in [false, true] {
        let address = foreign(wrapped).await;
        let mut client = Client::connect(address).await;
        for i in 0..100 {
            client.send(&frame(0x81, format!("{i}").as_bytes())).await;
        }
        for i in 0..100 {
            assert_eq!(
                client.frame().await.unwrap().payload,
                format!("{i}").as_bytes()
            );
        }
        client.send(&frame(0x88, b"\x03\xe8")).await;
        client.closed_with(1000).await;
    }
}
