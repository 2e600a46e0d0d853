//! Hostile and honest opening handshakes over real sockets, and the limits of the accept loop.

mod support;

use std::time::Duration;

use nest_gateway_wire::{AcceptConfig, WebSocketConfig, close};
use support::client::{Client, HANDSHAKE};
use support::frame;
use support::server::Server;

async fn server(accept: AcceptConfig) -> Server {
    Server::with(WebSocketConfig::default(), accept).await
}

/// The head of the answer to these bytes, and then the end of TCP.
async fn answer(server: &Server, request: &[u8]) -> String {
    let mut client = Client::tcp(server.address).await;
    client.try_send(request).await;
    client.head().await
}

fn handshake_with(from: &str, to: &str) -> Vec<u8> {
    assert!(HANDSHAKE.contains(from));
    format!("{}\r\n", HANDSHAKE.replace(from, to)).into_bytes()
}

#[tokio::test]
async fn a_correct_handshake_gets_a_socket_that_echoes() {
    let server = Server::start().await;
    let mut client = Client::tcp(server.address).await;
    let head = client.upgrade("").await;
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    client.send(&frame(0x81, b"hello")).await;
    assert_eq!(client.frame().await.unwrap().payload, b"hello");
}

#[tokio::test]
async fn a_frame_sent_with_the_handshake_is_not_lost() {
    let server = Server::start().await;
    let mut client = Client::tcp(server.address).await;
    let mut bytes = format!("{HANDSHAKE}\r\n").into_bytes();
    bytes.extend(frame(0x81, b"early"));
    bytes.extend(&frame(0x81, b"cut here")[..5]);
    client.send(&bytes).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.send(&frame(0x81, b"cut here")[5..]).await;
    assert_eq!(client.frame().await.unwrap().payload, b"early");
    assert_eq!(client.frame().await.unwrap().payload, b"cut here");
}

#[tokio::test]
async fn wrong_handshakes_get_the_status_they_deserve() {
    let server = Server::start().await;
    let cases: [(&str, &str, &str); 7] = [
        ("version: 13", "version: 12", "426"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "tooshort", "400"),
        ("connection: Upgrade", "connection: keep-alive", "400"),
        ("upgrade: websocket", "x-upgrade: no", "426"),
        ("GET / HTTP/1.1", "POST / HTTP/1.1", "405"),
        (
            "host: localhost",
            "host: localhost\r\nsec-websocket-protocol: \u{e9}t\u{e9}",
            "400",
        ),
        ("host: localhost", "x-host: localhost", "400"),
    ];
    for (from, to, status) in cases {
        let head = answer(&server, &handshake_with(from, to)).await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{to}: {head}"
        );
        assert!(
            status != "426" || head.contains("sec-websocket-version: 13"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn too_many_header_lines_are_answered_with_431() {
    let server = Server::start().await;
    let request = handshake_with("host: localhost", "x: y\r\n".repeat(2000).trim_end());
    let head = answer(&server, &request).await;
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
}

#[tokio::test]
async fn a_header_of_a_mebibyte_is_answered_with_431_and_not_with_a_reset() {
    let server = Server::start().await;
    let request = handshake_with("localhost", &"x".repeat(1 << 20));
    let mut client = Client::tcp(server.address).await;
    client.send(&request).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    client.ended().await;
}

#[tokio::test]
async fn a_head_that_trickles_in_is_answered_with_408() {
    let server = server(AcceptConfig {
        head_timeout: Duration::from_millis(100),
        ..AcceptConfig::default()
    })
    .await;
    let mut client = Client::tcp(server.address).await;
    client.send(b"GET / HTTP/1.1\r\nho").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    client.ended().await;
}

#[tokio::test]
async fn who_says_nothing_at_all_is_answered_with_408() {
    let server = server(AcceptConfig {
        head_timeout: Duration::from_millis(100),
        ..AcceptConfig::default()
    })
    .await;
    let mut client = Client::tcp(server.address).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    client.ended().await;
}

#[tokio::test]
async fn an_idle_keep_alive_connection_is_closed_in_silence() {
    let server = server(AcceptConfig {
        head_timeout: Duration::from_millis(100),
        ..AcceptConfig::default()
    })
    .await;
    let mut client = Client::tcp(server.address).await;
    for _ in 0..2 {
        client.send(b"GET /http HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.skip(b"hello").await;
    }
    client.ended().await;
}

#[tokio::test]
async fn a_connection_over_the_cap_gets_503_until_another_one_ends() {
    let mut server = server(AcceptConfig {
        max_connections: Some(1),
        ..AcceptConfig::default()
    })
    .await;
    let mut first = Client::connect(server.address).await;
    let head = answer(&server, format!("{HANDSHAKE}\r\n").as_bytes()).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("retry-after: 5"), "{head}");
    first.send(&frame(0x88, &1000u16.to_be_bytes())).await;
    first.closed_with(1000).await;
    drop(first);
    server.next_closed().await;
    // The connection counts until TCP has ended on the server's side too, which nothing tells.
    let mut client = Client::tcp(server.address).await;
    loop {
        client.send(format!("{HANDSHAKE}\r\n").as_bytes()).await;
        if client.head().await.starts_with("HTTP/1.1 101 ") {
            break;
        }
        client = Client::tcp(server.address).await;
    }
}

#[tokio::test]
async fn an_address_over_its_cap_gets_503() {
    let server = server(AcceptConfig {
        max_connections_per_address: Some(1),
        ..AcceptConfig::default()
    })
    .await;
    let _first = Client::connect(server.address).await;
    let head = answer(&server, format!("{HANDSHAKE}\r\n").as_bytes()).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
}

#[tokio::test]
async fn a_stopping_server_refuses_newcomers_and_waits_for_the_others() {
    let mut server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let idle = Client::tcp(server.address).await;
    server.signal();
    // The signal is handled at some time; a connection that arrives in that moment may just be closed.
    loop {
        let mut newcomer = Client::tcp(server.address).await;
        newcomer
            .try_send(b"GET /http HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await;
        match newcomer.head_or_end().await {
            Some(head) if head.starts_with("HTTP/1.1 503 ") => break,
            _ => {}
        }
    }
    client.send(&frame(0x81, b"still served")).await;
    assert_eq!(client.frame().await.unwrap().payload, b"still served");
    outbox.close(Some(nest_gateway_wire::Frame::close(close::GOING_AWAY, "")));
    let goodbye = client.frame().await.unwrap();
    assert_eq!(goodbye.close_code(), Some(1001));
    client.send(&frame(0x88, &goodbye.payload)).await;
    client.ended().await;
    drop((client, idle));
    assert_eq!(server.stopped().await.remaining, 0);
}

#[tokio::test]
async fn a_stopping_server_does_not_wait_longer_than_the_drain_timeout() {
    let mut server = server(AcceptConfig {
        drain_timeout: Duration::from_millis(50),
        ..AcceptConfig::default()
    })
    .await;
    let _client = Client::connect(server.address).await;
    server.signal();
    assert_eq!(server.stopped().await.remaining, 1);
}
