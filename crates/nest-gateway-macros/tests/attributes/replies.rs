//! What handlers return.
#![expect(
    clippy::unnecessary_wraps,
    reason = "what is wrapped here stands for what can fail or be missing"
)]

use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use nest_gateway::prelude::*;
use nest_gateway::{Binary, Emission, HandlerResult, IntoReply, Payload, RawBody};
use nest_gateway_testkit::client::{Client, Reply as Seen, StreamSeen};
use nest_gateway_testkit::{TestApp, json};
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    n: u32,
}

type Aliased<T> = Result<T, WsException>;
type Maybe<T> = std::option::Option<T>;
type Response = WsResponse<u32>;
type Boxed<'a> = Pin<Box<dyn Stream<Item = u32> + Send + 'a>>;

/// Serialises as a number, but is a reply of its own.
#[derive(Serialize)]
struct Doubled(u32);

impl<'a> IntoReply<'a> for Doubled {
    fn into_reply(self) -> HandlerResult<'a> {
        Reply::value(&(self.0 * 2))
    }
}

#[websocket_gateway]
struct Replies {
    #[inject(value = vec![1, 2, 3])]
    numbers: Vec<u32>,
}

#[subscriptions]
impl Replies {
    #[subscribe_message("nothing")]
    async fn nothing(&self) {}

    #[subscribe_message("value")]
    async fn value(&self) -> Answer {
        Answer { n: 1 }
    }

    #[subscribe_message("sync")]
    fn sync(&self) -> &'static str {
        "hello"
    }

    #[subscribe_message("falsy")]
    fn falsy(&self) -> (u32, bool, String) {
        (0, false, String::new())
    }

    #[subscribe_message("some")]
    fn some(&self) -> Option<u32> {
        Some(0)
    }

    #[subscribe_message("none")]
    fn none(&self) -> Maybe<u32> {
        None
    }

    #[subscribe_message("ok")]
    fn ok(&self) -> Aliased<Answer> {
        Ok(Answer { n: 2 })
    }

    #[subscribe_message("ok nothing")]
    fn ok_nothing(&self) -> Aliased<()> {
        Ok(())
    }

    #[subscribe_message("ok none")]
    fn ok_none(&self) -> Aliased<Maybe<u32>> {
        Ok(None)
    }

    #[subscribe_message("some error")]
    fn some_error(&self) -> Option<Aliased<u32>> {
        Some(Err(WsException::new("inside")))
    }

    #[subscribe_message("result in result")]
    fn result_in_result(&self) -> Result<Result<u32, &'static str>, std::io::Error> {
        Ok(Err("inner"))
    }

    #[subscribe_message("elsewhere")]
    fn elsewhere(&self) -> Response {
        WsResponse::new("other", 4)
    }

    #[subscribe_message("some elsewhere")]
    fn some_elsewhere(&self) -> Aliased<Option<WsResponse<u32>>> {
        Ok(Some(WsResponse::new("other", 5)))
    }

    #[subscribe_message("reply")]
    fn reply(&self) -> Result<Reply<'static>, WsException> {
        Reply::value("by hand")
    }

    #[subscribe_message("own")]
    fn own(&self) -> Doubled {
        Doubled(21)
    }

    #[subscribe_message("raw")]
    fn raw(&self, body: RawBody) -> RawBody {
        body
    }

    #[subscribe_message("stream")]
    async fn stream(&self) -> impl Stream<Item = u32> {
        async_stream::stream! {
            for n in &self.numbers {
                yield *n;
            }
        }
    }

    #[subscribe_message("ok stream")]
    async fn ok_stream(&self) -> Aliased<impl Stream<Item = Response>> {
        Ok(async_stream::stream! {
            yield WsResponse::new("one", 1);
            yield WsResponse::new("two", 2);
        })
    }

    #[subscribe_message("no stream")]
    async fn no_stream(&self) -> Aliased<impl Stream<Item = u32>> {
        if self.numbers.len() < 9 {
            return Err(WsException::new("no stream today"));
        }
        Ok(futures_util::stream::empty())
    }

    #[subscribe_message("failing stream")]
    fn failing_stream(&self) -> impl Stream<Item = Result<Answer, WsException>> {
        futures_util::stream::iter([Ok(Answer { n: 1 }), Err(WsException::new("mid"))])
    }

    #[subscribe_message("boxed stream")]
    fn boxed_stream(&self) -> Boxed<'_> {
        Box::pin(futures_util::stream::iter(self.numbers.iter().copied()))
    }

    #[subscribe_message("emissions")]
    fn emissions(&self) -> impl Stream<Item = Emission> {
        futures_util::stream::iter([Emission {
            event: Some("e".into()),
            data: Payload::empty(),
        }])
    }

    #[subscribe_message("shared")]
    async fn shared(self: Arc<Self>) -> usize {
        tokio::spawn(async move { self.numbers.len() })
            .await
            .unwrap_or_default()
    }

    #[subscribe_binary]
    #[subscribe_message("bytes")]
    fn bytes(&self, Binary(bytes): Binary) -> WsResponse<usize> {
        WsResponse::new("len", bytes.len())
    }
}

#[module(providers(Replies))]
struct RepliesModule;

async fn client() -> (TestApp, Client) {
    let app = TestApp::new::<RepliesModule>().start().await;
    let client = app.client("/").connect().await;
    (app, client)
}

async fn ask(event: &str) -> Seen {
    let (_app, mut client) = client().await;
    client.request(event, ()).await
}

async fn stream(event: &str) -> StreamSeen {
    let (_app, mut client) = client().await;
    client.stream(event, ()).await
}

#[tokio::test]
async fn unit_and_none_are_empty_answers() {
    for event in ["nothing", "none", "ok nothing", "ok none"] {
        let reply = ask(event).await;
        assert!(
            !reply.has_data() && reply.exception().is_none(),
            "{event}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn values_are_serialised_even_when_they_look_like_nothing() {
    for (event, expected) in [
        ("value", json!({"n": 1})),
        ("sync", json!("hello")),
        ("falsy", json!([0, false, ""])),
        ("some", json!(0)),
        ("reply", json!("by hand")),
        ("shared", json!(3)),
    ] {
        assert_eq!(*ask(event).await.data(), expected, "{event}");
    }
}

#[tokio::test]
async fn an_alias_means_what_it_stands_for() {
    assert_eq!(*ask("ok").await.data(), json!({"n": 2}));
    assert_eq!(ask("elsewhere").await.event.as_deref(), Some("other"));
}

#[tokio::test]
async fn results_and_options_are_taken_apart_in_any_order() {
    for (event, message) in [("some error", "inside"), ("result in result", "inner")] {
        let reply = ask(event).await;
        let exception = reply.exception().expect("an exception");
        assert_eq!(exception["message"], message);
    }
    let reply = ask("some elsewhere").await;
    assert_eq!(reply.event.as_deref(), Some("other"));
    assert_eq!(*reply.data(), json!(5));
}

#[tokio::test]
async fn a_type_that_is_a_reply_itself_is_asked_before_its_serialised_form() {
    assert_eq!(*ask("own").await.data(), json!(42));
}

#[tokio::test]
async fn a_raw_body_goes_back_as_it_came() {
    let (_app, mut client) = client().await;
    let reply = client
        .request("raw", json!({"event": "x", "data": [1]}))
        .await;
    assert_eq!(*reply.data(), json!({"event": "x", "data": [1]}));
}

#[tokio::test]
async fn streams_may_borrow_from_the_gateway() {
    assert_eq!(stream("stream").await.values(), [1, 2, 3]);
    assert_eq!(stream("boxed stream").await.values(), [1, 2, 3]);
}

#[tokio::test]
async fn a_stream_of_responses_goes_out_under_their_events() {
    let seen = stream("ok stream").await;
    let expected = [("one".to_owned(), json!(1)), ("two".to_owned(), json!(2))];
    assert_eq!(seen.items, expected);
    assert_eq!(
        stream("emissions").await.items,
        [("e".to_owned(), json!(null))]
    );
}

#[tokio::test]
async fn an_error_before_or_in_a_stream_ends_it() {
    let seen = stream("no stream").await;
    assert!(seen.items.is_empty());
    assert_eq!(
        seen.end.exception().expect("an exception")["message"],
        "no stream today"
    );
    let seen = stream("failing stream").await;
    assert_eq!(seen.values(), [json!({"n": 1})]);
    assert_eq!(
        seen.end.exception().expect("an exception")["message"],
        "mid"
    );
}

#[tokio::test]
async fn a_method_can_handle_an_event_and_binary_messages() {
    let (_app, mut client) = client().await;
    client.send_raw_binary(vec![0xff, 0xfe, 0xfd]).await;
    assert_eq!(client.expect_event("len").await, json!(3));
}
