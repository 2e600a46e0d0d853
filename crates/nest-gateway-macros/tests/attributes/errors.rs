//! What clients see of errors.

use std::error::Error;
use std::fmt;

use nest_gateway::prelude::*;
use nest_gateway::{BoxError, Caught};
use nest_gateway_testkit::{TestApp, json};
use serde_json::Value;

#[derive(Debug, thiserror::Error, WsError)]
enum ChatError {
    #[error("no room {0}")]
    #[ws_error(code = "not_found", status = 404)]
    NoRoom(String),
    #[error("muted by {by}")]
    #[ws_error(code = MUTED, message = "{who} is muted {{for now}}")]
    Muted { who: String, by: String },
    #[error("positions")]
    #[ws_error(message = "{1} before {0:?}")]
    Positions(String, u32),
    #[error("plain words")]
    #[ws_error]
    Plain,
    #[error(transparent)]
    #[ws_error(transparent)]
    Inner(#[from] InnerError),
    #[error(transparent)]
    #[ws_error(internal)]
    Io(#[from] std::io::Error),
}

const MUTED: &str = "muted";

#[derive(Debug, thiserror::Error, WsError)]
#[error("inner words")]
#[ws_error(code = "inner")]
struct InnerError;

/// All of one kind, except where it says otherwise.
#[derive(Debug, thiserror::Error, WsError)]
#[ws_error(internal)]
enum Internals {
    #[error("secret one")]
    One,
    #[error("public two")]
    #[ws_error(code = "two")]
    Two,
}

/// What `anyhow::Error` is to the ladders: no error itself, but made into one.
struct Any(BoxError);

impl From<Any> for BoxError {
    fn from(any: Any) -> Self {
        any.0
    }
}

#[derive(Debug)]
struct Plain;

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secret")
    }
}

impl Error for Plain {}

#[websocket_gateway]
struct Errors;

#[subscriptions]
impl Errors {
    #[subscribe_message("chat")]
    async fn chat(&self, MessageBody(which): MessageBody<u32>) -> Result<(), ChatError> {
        Err(match which {
            0 => ChatError::NoRoom("attic".to_owned()),
            1 => ChatError::Muted {
                who: "ada".to_owned(),
                by: "secret".to_owned(),
            },
            2 => ChatError::Positions("x".to_owned(), 7),
            3 => ChatError::Plain,
            4 => InnerError.into(),
            _ => std::io::Error::other("secret").into(),
        })
    }

    #[subscribe_message("internals")]
    fn internals(&self, MessageBody(second): MessageBody<bool>) -> Result<(), Internals> {
        Err(if second {
            Internals::Two
        } else {
            Internals::One
        })
    }

    #[subscribe_message("text")]
    fn text(&self) -> Result<(), &'static str> {
        Err("words")
    }

    #[subscribe_message("object")]
    fn object(&self) -> Result<(), Value> {
        Err(json!({"code": 42}))
    }

    #[subscribe_message("plain")]
    fn plain(&self) -> Result<(), Plain> {
        Err(Plain)
    }

    #[subscribe_message("any")]
    fn any(&self) -> Result<(), Any> {
        Err(Any(Plain.into()))
    }

    #[subscribe_message("boxed")]
    async fn boxed(&self) -> Result<(), BoxError> {
        Err(Plain)?
    }

    #[subscribe_message("not sync")]
    async fn not_sync(&self) -> Result<(), Box<dyn Error>> {
        Err(Plain)?
    }

    #[subscribe_message("exception in a box")]
    async fn exception_in_a_box(&self) -> Result<(), BoxError> {
        Err(WsException::new("meant for you"))?
    }

    #[subscribe_message("exception in a box of this thread")]
    async fn exception_in_a_local_box(&self) -> Result<(), Box<dyn Error>> {
        Err(WsException::new("meant for you"))?
    }

    #[subscribe_message("filtered")]
    #[use_filters(RoomFilter)]
    fn filtered(&self) -> Result<(), ChatError> {
        Err(ChatError::NoRoom("cellar".to_owned()))
    }
}

struct RoomFilter;

impl ExceptionFilter for RoomFilter {
    type Error = ChatError;

    async fn catch(&self, error: &ChatError, _: &ExecutionContext) -> Result<Caught, WsException> {
        Ok(Caught::Exception(WsException::new(format!(
            "caught: {error}"
        ))))
    }
}

#[module(providers(Errors, value(RoomFilter)))]
struct ErrorsModule;

async fn exception(event: &str, data: Value) -> Value {
    let app = TestApp::new::<ErrorsModule>().start().await;
    let mut client = app.client("/").connect().await;
    let reply = client.request(event, data).await;
    reply.exception().expect("an exception").clone()
}

#[tokio::test]
async fn a_ws_error_says_what_its_variant_says() {
    for (which, message, code) in [
        (0, "no room attic", json!("not_found")),
        (1, "ada is muted {for now}", json!("muted")),
        (2, "7 before \"x\"", json!(null)),
        (3, "plain words", json!(null)),
        (4, "inner words", json!("inner")),
        (5, "Internal server error", json!("internal")),
    ] {
        let seen = exception("chat", json!(which)).await;
        assert_eq!((&seen["message"], &seen["code"]), (&json!(message), &code));
        assert!(!seen.to_string().contains("secret"), "{seen}");
    }
}

#[tokio::test]
async fn what_stands_on_the_enum_holds_for_the_other_variants() {
    let seen = exception("internals", json!(false)).await;
    assert_eq!(seen["message"], "Internal server error");
    let seen = exception("internals", json!(true)).await;
    assert_eq!(
        (&seen["message"], &seen["code"]),
        (&json!("public two"), &json!("two"))
    );
}

#[test]
fn a_status_is_kept_for_refused_handshakes() {
    let exception = WsException::from(ChatError::NoRoom(String::new()));
    assert_eq!(exception.status(), 404);
}

#[tokio::test]
async fn what_is_into_an_exception_keeps_its_text() {
    assert_eq!(exception("text", json!(null)).await["message"], "words");
    assert_eq!(exception("object", json!(null)).await, json!({"code": 42}));
}

#[tokio::test]
async fn any_other_error_is_internal() {
    for event in ["plain", "any", "boxed", "not sync"] {
        let seen = exception(event, json!(null)).await;
        assert_eq!(seen["message"], "Internal server error", "{event}");
        assert!(!seen.to_string().contains("secret"), "{event}: {seen}");
    }
}

#[tokio::test]
async fn an_exception_in_a_box_is_still_meant_for_the_client() {
    for event in ["exception in a box", "exception in a box of this thread"] {
        let seen = exception(event, json!(null)).await;
        assert_eq!(seen["message"], "meant for you", "{event}");
    }
}

#[tokio::test]
async fn typed_filters_find_the_original_error() {
    let seen = exception("filtered", json!(null)).await;
    assert_eq!(seen["message"], "caught: no room cellar");
}
