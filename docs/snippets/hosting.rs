//! Shutdown, and hosting in another server.

use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/hosted")]
struct HostedGateway {}

#[subscriptions]
impl HostedGateway {
    #[subscribe_message("ping")]
    async fn ping(&self) -> &'static str {
        "pong"
    }
}

#[module(providers(HostedGateway))]
struct HostedModule;

// ANCHOR: handle
async fn run(seconds: u64) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let app = App::new::<HostedModule>().listen("127.0.0.1:0").await?;
    let handle = app.shutdown_handle();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        handle.trigger();
    });
    // SIGTERM, Ctrl-C, or the handle; true when every client had gone in time.
    Ok(app.until_signal().await)
}
// ANCHOR_END: handle

// ANCHOR: router
async fn in_your_own_axum(
    listener: tokio::net::TcpListener,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let app = App::new::<HostedModule>().build().await?;
    let gateways = app.shutdown_handle();
    let router = axum::Router::new()
        .route("/health", axum::routing::get(|| async { "ok" }))
        .merge(app.into_router())
        .into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            stop.cancelled().await;
            gateways.shut_down().await;
        })
        .await?;
    Ok(())
}
// ANCHOR_END: router

#[tokio::test]
async fn a_handle_ends_the_application() {
    assert!(run(0).await.expect("the application starts"));
}

#[cfg(feature = "native")]
#[tokio::test]
async fn another_axum_serves_the_gateways() {
    use nest_gateway_testkit::assert_reply;
    use nest_gateway_testkit::client::{Client, NativeConnector, http};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let server = tokio::spawn(in_your_own_axum(listener, stop.clone()));
    let client = Client::of(NativeConnector::new(addr)).namespace("/hosted");
    let mut client = client.connect().await;
    assert_reply!(client, "ping" => "pong");
    assert_eq!(
        http::get(addr, "/health").await.expect("an answer").text(),
        "ok"
    );
    stop.cancel();
    assert_eq!(client.expect_close().await.code, 1001);
    let ended = server.await.expect("no panic");
    ended.expect("an orderly end");
}
