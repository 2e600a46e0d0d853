//! Tests of everything that can go wrong.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt as _};
use nest_gateway::Config;
use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, Wire, assert_exception, assert_push, assert_reply, json};

/// What the gateway asks before it answers.
trait Rates: Send + Sync {
    fn rate(&self, currency: &str) -> Option<f64>;
}

/// Only who names itself may connect.
#[injectable]
struct NamedGuard {}

impl Guard for NamedGuard {
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        Ok(context.handshake().header("x-name").is_some())
    }
}

#[websocket_gateway(namespace = "/bank")]
#[use_guards(NamedGuard)]
struct BankGateway {
    rates: Arc<dyn Rates>,
    server: WebSocketServer,
}

impl OnGatewayDisconnect for BankGateway {
    async fn on_disconnect(&self, client: &Client, _: &DisconnectReason) {
        client.broadcast().emit("left", &());
    }
}

#[subscriptions]
impl BankGateway {
    #[subscribe_message("convert")]
    async fn convert(
        &self,
        MessageBody((amount, currency)): MessageBody<(f64, String)>,
    ) -> Result<f64, WsException> {
        let rate = self.rates.rate(&currency);
        let rate = rate.ok_or_else(|| WsException::new("unknown").with_code("no_rate"))?;
        Ok(amount * rate)
    }

    #[subscribe_message("countdown")]
    async fn countdown(&self, MessageBody(from): MessageBody<u32>) -> impl Stream<Item = u32> {
        stream::iter((0..from).rev()).then(async |n| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            n
        })
    }

    #[subscribe_message("flood")]
    async fn flood(&self, MessageBody(messages): MessageBody<u32>) {
        for _ in 0..messages {
            self.server.emit("rates", &"x".repeat(1_000));
        }
    }

    #[subscribe_message("expel")]
    async fn expel(&self, client: ConnectedSocket) {
        client.disconnect_with(4001, "house rules");
    }
}

/// What the tests put in place of the real one.
struct Fixed;

impl Rates for Fixed {
    fn rate(&self, currency: &str) -> Option<f64> {
        (currency == "EUR").then_some(0.5)
    }
}

fn rates() -> nest_gateway::Provider {
    nest_gateway::Provider::arc::<dyn Rates>(Arc::new(Fixed))
}

async fn bank(wire: Wire, change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::of_gateway::<BankGateway>()
        .provide(rates())
        .provide_value(NamedGuard {});
    app.configure(change).on(wire).start().await
}

async fn customer(app: &TestApp, name: &str) -> nest_gateway_testkit::client::Client {
    app.client("/bank").header("x-name", name).connect().await
}

// ANCHOR: unit
#[tokio::test]
async fn one_handler_with_its_guards_pipes_and_filters() {
    let app = TestApp::of_gateway::<BankGateway>()
        .provide(rates())
        .provide_value(NamedGuard {})
        .start()
        .await;
    let mut ada = app.client("/bank").header("x-name", "Ada").connect().await;
    assert_reply!(ada, "convert", [10, "EUR"] => 5.0);
    assert_exception!(ada, "convert", [10, "XYZ"] => {"code": "no_rate"});
}
// ANCHOR_END: unit

// ANCHOR: stream
#[tokio::test(start_paused = true)]
async fn a_countdown_can_be_stopped() {
    let app = bank(Wire::Memory, |_| ()).await;
    let mut ada = customer(&app, "Ada").await;
    ada.set_patience(Duration::from_mins(10));
    // All of it; with paused time, three seconds take none.
    let all = ada.stream("countdown", json!(3)).await;
    assert_eq!(all.values(), [2, 1, 0]);
    // A part of it.
    let id = ada.ask("countdown", json!(1_000)).await;
    assert_eq!(*ada.reply(&id).await.data(), json!(999));
    ada.cancel(&id).await;
    assert!(ada.rest_of_stream(&id).await.items.len() < 5);
}
// ANCHOR_END: stream

// ANCHOR: refused
#[tokio::test]
async fn strangers_and_the_impolite_are_shown_out() {
    let app = bank(Wire::Native, |_| ()).await;
    let refused = app.client("/bank").expect_refused().await;
    assert_eq!(refused.status, Some(403));

    let mut ada = customer(&app, "Ada").await;
    ada.emit("expel", ()).await;
    let closed = ada.expect_close().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4001, "house rules"));
}
// ANCHOR_END: refused

// ANCHOR: slow
#[tokio::test]
async fn who_does_not_read_is_closed_and_nobody_else_notices() {
    let app = bank(Wire::Native, |config| config.outbox_bytes = 64_000).await;
    let slow = app.client("/bank").header("x-name", "Slow");
    let mut slow = slow.receive_buffer(4_096).connect().await;
    let mut ada = customer(&app, "Ada").await;
    slow.round_trip().await;
    slow.stop_reading().await;
    // Until what waits for `slow` has filled the kernel's buffers and its own.
    while app.server("/bank").sockets().len() > 1 {
        assert_reply!(ada, "flood", 50 => null);
    }
    assert_push!(ada, "left");
    assert_reply!(ada, "convert", [1, "EUR"] => 0.5);
}
// ANCHOR_END: slow

// ANCHOR: cut
#[tokio::test]
async fn a_customer_whose_line_is_cut_comes_back() {
    let app = bank(Wire::Native, |_| ()).await;
    let mut ada = customer(&app, "Ada").await;
    let mut grace = customer(&app, "Grace").await;
    grace.round_trip().await;
    ada.round_trip().await;
    ada.cut().await;
    assert_push!(grace, "left");

    let mut ada = customer(&app, "Ada").await;
    assert_reply!(ada, "convert", [2, "EUR"] => 1.0);
}
// ANCHOR_END: cut
