//! Errors on the wire.

use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, assert_exception, for_each_wire};
use serde_json::json;

// ANCHOR: enum
/// What clients may see of it is said once, here.
#[derive(Debug, thiserror::Error, WsError)]
enum RoomError {
    #[error("there is no room {0}")]
    #[ws_error(code = "not_found", status = 404)]
    NoRoom(String),

    #[error("muted until {until}")]
    #[ws_error(code = "muted", message = "You are muted")]
    Muted { until: u64 },

    /// Clients get "Internal server error"; the log gets the rest.
    #[error("the database does not answer: {0}")]
    #[ws_error(internal)]
    Database(#[from] std::io::Error),
}
// ANCHOR_END: enum

#[websocket_gateway(namespace = "/errors")]
struct ErrorsGateway {}

#[subscriptions]
impl ErrorsGateway {
    // ANCHOR: handlers
    #[subscribe_message("open")]
    async fn open(&self, MessageBody(room): MessageBody<String>) -> Result<(), RoomError> {
        match room.as_str() {
            "db" => Err(std::io::Error::other("connection refused by 10.0.0.7"))?,
            "muted" => Err(RoomError::Muted { until: 99 }),
            _ => Err(RoomError::NoRoom(room)),
        }
    }

    #[subscribe_message("by_hand")]
    async fn by_hand(&self) -> Result<(), WsException> {
        Err(WsException::new("Too fast")
            .with_code("rate_limited")
            .with_details(&json!({"retry_after_ms": 500})))
    }

    #[subscribe_message("object")]
    async fn object(&self) -> Result<(), WsException> {
        Err(WsException::from(json!({"code": 42})))
    }

    #[subscribe_message("panics")]
    async fn panics(&self) {
        panic!("nobody but the log hears this");
    }
    // ANCHOR_END: handlers
}

#[module(providers(ErrorsGateway))]
struct ErrorsModule;

for_each_wire! {
    async fn errors_are_what_they_say(wire) {
        let app = TestApp::new::<ErrorsModule>().on(wire).start().await;
        let mut client = app.client("/errors").connect().await;
        let error = assert_exception!(client, "open", "x" => {"code": "not_found"});
        assert_eq!(error["message"], "there is no room x");
        assert_exception!(client, "open", "muted" => {"code": "muted", "message": "You are muted"});
        let error = assert_exception!(client, "open", "db" => {"message": "Internal server error"});
        assert!(error["details"]["id"].is_string() && !error.to_string().contains("10.0.0.7"));
        assert_exception!(client, "by_hand" => {"details": {"retry_after_ms": 500}});
        assert_exception!(client, "panics" => {"code": "internal"});
    }
}

#[cfg(feature = "native")]
#[tokio::test]
async fn the_native_frames_are_those_of_the_book() {
    let app = TestApp::new::<ErrorsModule>()
        .on(nest_gateway_testkit::Wire::Native)
        .start()
        .await;
    let mut client = app.client("/errors").connect().await;
    let reply = client.request("open", "lobby").await;
    let frame: serde_json::Value = serde_json::from_str(&reply.raw).expect("JSON");
    let book = include_str!("../src/errors.md");
    let shown = book
        .split("```json\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let mut shown: serde_json::Value =
        serde_json::from_str(shown.expect("a frame in the chapter")).expect("JSON");
    shown["id"] = frame["id"].clone();
    assert_eq!(frame, shown);
    let reply = client.request("object", "x").await;
    assert_eq!(reply.exception(), Some(&json!({"code": 42})));
}
