//! The accept loop over TLS: handshake, echo, closing, caps and hostile bytes.

mod support;

use std::sync::Arc;
use std::time::Duration;

use nest_gateway_wire::{AcceptConfig, ClosedBy, WebSocketConfig};
use support::client::{Client, HANDSHAKE};
use support::frame;
use support::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

async fn server(accept: AcceptConfig) -> (Server, TlsConnector) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let tls = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let accept = AcceptConfig {
        tls: Some(Arc::new(tls)),
        ..accept
    };
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = Server::with(WebSocketConfig::default(), accept).await;
    (server, TlsConnector::from(Arc::new(client)))
}

async fn connect(server: &Server, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    connector.connect(name, tcp).await.unwrap()
}

async fn read(stream: &mut TlsStream<TcpStream>, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

async fn head(stream: &mut TlsStream<TcpStream>) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn messages_large_and_small_are_echoed_and_the_close_is_in_order() {
    let (mut server, connector) = server(AcceptConfig::default()).await;
    let mut stream = connect(&server, &connector).await;
    let mut bytes = format!("{HANDSHAKE}\r\n").into_bytes();
    bytes.extend(frame(0x81, b"early"));
    stream.write_all(&bytes).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 101 "));
    assert_eq!(read(&mut stream, 7).await, b"\x81\x05early");
    stream
        .write_all(&frame(0x82, &vec![7; 60_000]))
        .await
        .unwrap();
    assert_eq!(read(&mut stream, 60_004).await[4..], vec![7; 60_000]);
    stream.write_all(&frame(0x88, b"\x0f\xa0")).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\x88\x02\x0f\xa0");
    let closed = server.next_closed().await;
    assert_eq!((closed.status(), closed.by), (4000, ClosedBy::Peer));
}

#[tokio::test]
async fn the_cap_counts_upgraded_connections() {
    let (mut server, connector) = server(AcceptConfig {
        max_connections: Some(1),
        ..AcceptConfig::default()
    })
    .await;
    let mut first = connect(&server, &connector).await;
    first
        .write_all(format!("{HANDSHAKE}\r\n").as_bytes())
        .await
        .unwrap();
    assert!(head(&mut first).await.starts_with("HTTP/1.1 101 "));
    server.next_outbox().await;
    let mut second = connect(&server, &connector).await;
    second
        .write_all(format!("{HANDSHAKE}\r\n").as_bytes())
        .await
        .unwrap();
    assert!(head(&mut second).await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn one_who_does_not_speak_tls_or_says_nothing_is_cut_off() {
    let (server, _) = server(AcceptConfig {
        head_timeout: Duration::from_millis(100),
        ..AcceptConfig::default()
    })
    .await;
    let silent = Client::tcp(server.address).await;
    let mut rude = Client::tcp(server.address).await;
    rude.try_send(b"GET / HTTP/1.1\r\n\r\n").await;
    for mut client in [silent, rude] {
        let mut rest = Vec::new();
        let ended = client.stream.read_to_end(&mut rest);
        let ended = tokio::time::timeout(support::client::PATIENCE, ended).await;
        assert!(ended.is_ok(), "cut off in time");
        assert!(!rest.starts_with(b"HTTP"));
    }
}
