//! Guards, interceptors, pipes and filters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nest_gateway::guards::ThrottleGuard;
use nest_gateway::interceptors::TimeoutInterceptor;
use nest_gateway::prelude::*;
use nest_gateway::{Caught, FromContext, HandlerResult, IntoReply as _, Payload, Value};
use nest_gateway_testkit::{TestApp, assert_exception, assert_reply, for_each_wire};

// ANCHOR: guard
/// Lets in who brings the key, and remembers who it is.
struct KeyGuard;

struct User(String);

impl Guard for KeyGuard {
    /// Before the connection is accepted.
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        let handshake = context.handshake();
        let key = handshake.header("x-key").map(str::to_owned);
        match key.or_else(|| handshake.bearer_token()).as_deref() {
            Some("secret") => {
                context.data().insert(User("ada".to_owned()));
                Ok(true)
            }
            Some(_) => Ok(false),
            None => Err(WsException::unauthorized("Key missing")),
        }
    }

    /// Before each message. Default: yes.
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        Ok(context.event() != "forbidden")
    }
}
// ANCHOR_END: guard

// ANCHOR: interceptor
/// Measures handlers; it is a provider with a dependency of its own.
#[injectable]
struct Timing {
    stats: Arc<Slowest>,
}

#[injectable]
struct Slowest {
    #[inject(default)]
    micros: AtomicU64,
}

impl Interceptor for Timing {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        let started = Instant::now();
        let result = next.run().await;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.stats.micros.fetch_max(micros, Ordering::Relaxed);
        result
    }
}
// ANCHOR_END: interceptor

// ANCHOR: map
/// Wraps every reply, and every item of a stream, as `{"data": ..}`.
struct Wrap;

impl Interceptor for Wrap {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        next.run().await?.try_map(|data| {
            let wrapped = serde_json::json!({ "data": data });
            Payload::from_serialize(&wrapped).map_err(WsException::internal)
        })
    }
}
// ANCHOR_END: map

// ANCHOR: pipe
/// Refuses bodies that are not text, and trims the others.
struct Trim;

impl Pipe for Trim {
    async fn transform(&self, body: Payload, _: &ExecutionContext) -> Result<Payload, WsException> {
        let text: String = body.decode()?;
        Ok(Payload::from_value(Value::String(text.trim().to_owned())))
    }
}
// ANCHOR_END: pipe

// ANCHOR: filter
#[derive(Debug, thiserror::Error)]
#[error("the disk is full")]
struct DiskFull;

/// Turns one type of error into an answer.
struct DiskFullFilter;

impl ExceptionFilter for DiskFullFilter {
    type Error = DiskFull;

    async fn catch(&self, _: &DiskFull, _: &ExecutionContext) -> Result<Caught, WsException> {
        Ok(Caught::Answer(WsResponse::new("retry", 60).into_reply()?))
    }
}
// ANCHOR_END: filter

// ANCHOR: extractor
/// An extractor of your own: the language that the client prefers.
struct Language(String);

impl FromContext for Language {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        let header = context.client().handshake().header("accept-language");
        Ok(Self(header.unwrap_or("en").to_owned()))
    }
}
// ANCHOR_END: extractor

// ANCHOR: gateway
#[websocket_gateway(namespace = "/pipeline")]
#[use_guards(KeyGuard {}, ThrottleGuard::per_second(100))]
#[use_interceptors(Timing)]
struct PipelineGateway {}

#[subscriptions]
impl PipelineGateway {
    #[subscribe_message("trim")]
    #[use_pipes(Trim {})]
    async fn trim(&self, MessageBody(text): MessageBody<String>) -> String {
        text
    }

    #[subscribe_message("whoami")]
    #[use_interceptors(Wrap {})]
    async fn whoami(&self, user: Auth<User>, language: Language) -> (String, String) {
        (user.0.0.clone(), language.0)
    }

    #[subscribe_message("slow")]
    #[use_interceptors(TimeoutInterceptor::new(Duration::from_millis(20)))]
    async fn slow(&self) {
        std::future::pending::<()>().await;
    }

    #[subscribe_message("save")]
    #[use_filters(DiskFullFilter {})]
    async fn save(&self) -> Result<(), DiskFull> {
        Err(DiskFull)
    }

    #[subscribe_message("forbidden")]
    async fn forbidden(&self) {}
}
// ANCHOR_END: gateway

// ANCHOR: global
#[module(providers(Slowest, Timing, PipelineGateway))]
struct PipelineModule;

fn app() -> nest_gateway::AppBuilder {
    App::new::<PipelineModule>()
        .use_guard_value(KeyGuard)
        .use_interceptor::<Timing>()
}
// ANCHOR_END: global

for_each_wire! {
    async fn each_part_does_its_part(wire) {
        let app = TestApp::new::<PipelineModule>().on(wire).start().await;
        let client = || app.client("/pipeline");
        client().expect_refused().await;
        let client = client().header("x-key", "secret").header("accept-language", "de");
        let mut client = client.connect().await;
        assert_reply!(client, "trim", "  hi " => "hi");
        assert_exception!(client, "trim", 7 => {"code": "bad_request"});
        assert_reply!(client, "whoami" => {"data": ["ada", "de"]});
        assert_exception!(client, "slow" => {"code": "timeout"});
        assert_exception!(client, "forbidden" => {"message": "Forbidden resource"});
        client.emit("save", 1).await;
        assert_eq!(client.expect_event("retry").await, 60);
        assert!(app.get::<Slowest>().micros.load(Ordering::Relaxed) > 0);
    }
}

#[tokio::test]
async fn global_ones_are_added_to_the_application() {
    app().build().await.expect("the application starts");
}
