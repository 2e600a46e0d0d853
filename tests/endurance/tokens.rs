//! A stream of tokens and a reader that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use nest_gateway::{
    ConnectedSocket, EmitError, MessageBody, Payload, Reply, injectable, module, subscriptions,
    websocket_gateway,
};
use nest_gateway_testkit::{TestApp, json};

const TOKENS: usize = 100_000;
/// Messages that wait for one client, at most.
const OUTBOX: usize = 64;
/// What the test's client reads ahead for its test, and the wire in memory,
/// which together are what the kernel's buffers are on a network.
const ON_THE_WAY: usize = 16 * 1024 + 128;
/// Half of the outbox, what a stream may send before it asks for room again,
/// and what is on its way.
const MAX_LEAD: usize = OUTBOX / 2 + OUTBOX / 16 + ON_THE_WAY;

/// How many tokens were made.
#[injectable]
struct Produced {
    #[inject(default)]
    count: AtomicUsize,
}

#[websocket_gateway(namespace = "/tokens")]
struct TokenGateway {
    produced: Arc<Produced>,
}

#[subscriptions]
impl TokenGateway {
    #[subscribe_message("stream")]
    async fn stream(&self, MessageBody(n): MessageBody<usize>) -> Reply<'static> {
        let produced = Arc::clone(&self.produced);
        Reply::stream(stream::iter(0..n).map(move |i| {
            produced.count.fetch_add(1, Ordering::SeqCst);
            Ok(Payload::from_serialize(&i).expect("a number").into())
        }))
    }

    #[subscribe_message("emit")]
    async fn emit(
        &self,
        MessageBody(n): MessageBody<usize>,
        client: ConnectedSocket,
    ) -> Result<&'static str, EmitError> {
        for i in 0..n {
            self.produced.count.fetch_add(1, Ordering::SeqCst);
            client.emit("token", &i).await?;
        }
        Ok("done")
    }
}

#[module(providers(Produced, TokenGateway))]
struct TokenModule;

async fn start() -> TestApp {
    TestApp::new::<TokenModule>()
        .configure(|config| config.outbox_messages = OUTBOX)
        .start()
        .await
}

#[tokio::test]
async fn a_stream_is_never_further_ahead_of_its_reader_than_the_outbox_lets_it() {
    let app = start().await;
    let produced = app.get::<Produced>();
    let mut client = app.client("/tokens").connect().await;
    client.emit("stream", json!(TOKENS)).await;
    for received in 0..TOKENS {
        assert_eq!(client.expect_event("stream").await, json!(received));
        let lead = produced.count.load(Ordering::SeqCst) - received;
        assert!(lead <= MAX_LEAD, "{lead} tokens ahead after {received}");
    }
}

#[tokio::test]
async fn a_loop_of_awaited_emits_keeps_the_readers_pace() {
    let app = start().await;
    let produced = app.get::<Produced>();
    let mut client = app.client("/tokens").connect().await;
    let request = client.ask("emit", json!(TOKENS)).await;
    for received in 0..TOKENS {
        assert_eq!(client.expect_event("token").await, json!(received));
        let lead = produced.count.load(Ordering::SeqCst) - received;
        assert!(lead <= MAX_LEAD, "{lead} tokens ahead after {received}");
    }
    assert_eq!(client.reply(&request).await.data(), &json!("done"));
}
