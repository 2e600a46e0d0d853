use nest_gateway_adapter_socketio::engine::{Cors, EngineConfig};
use nest_gateway_testkit::client::http::send as request;

use crate::server::EchoServer;

const PATH: &str = "/engine.io/?EIO=4&transport=polling";

fn from(origin: &str) -> Vec<(String, String)> {
    vec![("origin".to_owned(), origin.to_owned())]
}

#[tokio::test]
async fn other_origins_get_no_permission_unless_configured() {
    let server = EchoServer::default().await;
    let response = request(server.addr, "GET", PATH, &from("https://a.example"), b"")
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-origin"), None);
    let preflight = request(
        server.addr,
        "OPTIONS",
        PATH,
        &from("https://a.example"),
        b"",
    )
    .await
    .unwrap();
    assert_eq!(preflight.status, 400);
}

#[tokio::test]
async fn a_configured_origin_may_poll() {
    let mut config = EngineConfig::default();
    config.cors = Some(Cors::origins(["https://a.example"]));
    let server = EchoServer::start(config).await;
    let allowed = request(server.addr, "GET", PATH, &from("https://a.example"), b"")
        .await
        .unwrap();
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://a.example")
    );
    let preflight = request(
        server.addr,
        "OPTIONS",
        PATH,
        &from("https://a.example"),
        b"",
    )
    .await
    .unwrap();
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("GET,POST")
    );
    let other = request(server.addr, "GET", PATH, &from("https://b.example"), b"")
        .await
        .unwrap();
    assert_eq!(other.header("access-control-allow-origin"), None);
}
