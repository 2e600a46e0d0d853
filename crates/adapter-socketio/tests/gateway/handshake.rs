use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use nest_gateway::SocketIo;
use nest_gateway::rustls::crypto::ring::default_provider;
use nest_gateway::rustls::pki_types::{PrivateKeyDer, ServerName};
use nest_gateway::rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::app::{Poll, TestApp};

const QUERY: &str = "&token=a%20b&t=x";

fn headers() -> [(String, String); 1] {
    [("x-test".to_owned(), "seen".to_owned())]
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_millis()
}

/// Checks everything but the time and what differs between transports, and gives the time.
fn check(mut seen: Value, transport: &str, auth: &Value) -> u128 {
    let time = seen["time"].take().as_u64().expect("a number").into();
    let query = json!({"EIO": "4", "transport": transport, "token": "a b", "t": "x"});
    let expected = json!({
        "header": "seen",
        "kept": null,
        "query": query,
        "auth": auth,
        "address": "127.0.0.1",
        "secure": false,
        "time": null,
    });
    assert_eq!(seen, expected);
    time
}

#[tokio::test]
async fn gateways_know_how_a_websocket_came() {
    let app = TestApp::start().await;
    let before = now();
    let mut wire = app.connect_with(QUERY, &headers()).await;
    let after = now();
    wire.packet(r#"0{"name":"ada"}"#).await;
    wire.json("40").await;
    wire.packet("0/custom,").await;
    wire.json("40/custom,").await;
    wire.packet(r#"27["handshake"]"#).await;
    let seen = wire.json("437").await[0].take();
    let time = check(seen, "websocket", &json!({"name": "ada"}));
    assert!((before..=after).contains(&time), "{before} {time} {after}");
    wire.packet(r#"2/custom,8["handshake"]"#).await;
    let seen = wire.json("43/custom,8").await[0].take();
    let other = check(seen, "websocket", &json!({}));
    assert_eq!(other, time, "the connection came once");
}

#[tokio::test]
async fn gateways_know_how_a_client_that_polls_came() {
    let app = TestApp::start().await;
    let before = now();
    let mut poll = Poll::open_with(&app, QUERY, &headers()).await;
    let after = now();
    poll.post(r#"40{"name":"ada"}"#).await;
    assert!(poll.packet().await.starts_with("40{"));
    // The requests that follow say less, and change nothing.
    poll.post(r#"427["handshake"]"#).await;
    let answer = poll.packet().await;
    let answer = answer.strip_prefix("437").expect("an ack");
    let mut seen: Value = serde_json::from_str(answer).unwrap();
    let time = check(seen[0].take(), "polling", &json!({"name": "ada"}));
    assert!((before..=after).contains(&time), "{before} {time} {after}");
}

#[tokio::test]
async fn gateways_know_that_a_connection_is_encrypted() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let app = TestApp::accepting(
        SocketIo::new(),
        |_| {},
        |accept| accept.tls = Some(Arc::new(server)),
    )
    .await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));

    let path = "/socket.io/?EIO=4&transport=polling";
    let open = exchange(&app, &connector, &format!("GET {path}"), "").await;
    let open: Value = serde_json::from_str(&open[1..]).unwrap();
    let path = format!("{path}&sid={}", open["sid"].as_str().unwrap());
    let post = format!("POST {path}");
    assert_eq!(
        exchange(&app, &connector, &post, "40\u{1e}421[\"handshake\"]").await,
        "ok"
    );
    let mut polled = String::new();
    while !polled.contains("431[") {
        polled += &exchange(&app, &connector, &format!("GET {path}"), "").await;
    }
    assert!(polled.contains(r#""secure":true"#), "{polled}");
}

/// The body that a request over TLS is answered with.
async fn exchange(app: &TestApp, connector: &TlsConnector, request: &str, body: &str) -> String {
    let tcp = TcpStream::connect(app.app.local_addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, tcp).await.unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}
