//! What is known of a gateway before it is started.

use std::sync::Arc;

use futures_core::Stream;
use nest_gateway::prelude::*;
use nest_gateway::{Event, EventName, Gateway as _, MessageBody};
use nest_gateway_core::gateway::{CANCEL_EVENT, MessageDescriptor, MessageKind, RESERVED_EVENTS};
use nest_gateway_testkit::json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[path = "../../src/check/reserved.rs"]
mod reserved;

#[derive(Serialize, Event)]
#[event("message_sent")]
struct MessageSent<T: Serialize> {
    body: T,
}

#[websocket_gateway(
    namespace = "/room/{id}",
    port = 3001,
    adapter = [Native, nest_gateway::SocketIo],
    adapter = "sse",
    emits(MessageSent<String>)
)]
struct Described;

#[subscriptions(crate = nest_gateway)]
impl Described {
    #[subscribe_message("say", concurrent)]
    async fn say(
        &self,
        _: ConnectedSocket,
        MessageBody(_): MessageBody<std::vec::Vec<(u8, String)>>,
    ) -> Result<Option<&'static [u8]>, WsException> {
        Ok(None)
    }

    #[subscribe_message("maybe")]
    fn maybe(&self, _: Option<MessageBody<String>>) -> impl Stream<Item = u32> {
        futures_util::stream::empty()
    }

    #[subscribe_binary(concurrent)]
    fn binary(&self) {}

    #[subscribe_any]
    fn any(&self, EventName(_): EventName, MessageBody(_): MessageBody<bool>) {}

    /// No handler.
    #[expect(dead_code, clippy::unused_self)]
    fn helper(&self) {}
}

#[test]
fn a_gateway_is_described_as_its_attributes_say() {
    let described = Described::describe();
    assert_eq!(described.name(), "Described");
    assert_eq!(described.namespace(), "/room/{id}");
    assert_eq!(described.port(), Some(3001));
    assert_eq!(described.adapters(), ["native", "socketio", "sse"]);
    let emits = described.emits();
    assert_eq!(
        (emits[0].event, emits[0].body),
        ("message_sent", "MessageSent<String>")
    );
}

#[test]
fn handlers_are_described_in_written_order_with_their_types() {
    let described = Described::describe();
    let messages: Vec<_> = described
        .messages()
        .iter()
        .map(|it| {
            (
                it.event(),
                it.method(),
                it.is_concurrent(),
                it.body(),
                it.reply(),
            )
        })
        .collect();
    assert_eq!(
        messages,
        [
            (
                "say",
                "say",
                true,
                Some("std::vec::Vec<(u8, String)>"),
                Some("Result<Option<&'static [u8]>, WsException>")
            ),
            (
                "maybe",
                "maybe",
                false,
                Some("String"),
                Some("impl Stream<Item = u32>")
            ),
            ("", "binary", true, None, None),
            ("*", "any", false, Some("bool"), None),
        ]
    );
    assert_eq!(described.messages()[2].kind(), MessageKind::Binary);
    assert_eq!(described.messages()[3].kind(), MessageKind::Any);
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema matters")]
struct Say {
    text: String,
    #[serde(default)]
    mentions: Vec<Mention>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Mention {
    name: String,
}

#[derive(Serialize, JsonSchema, Event)]
#[event("mentioned")]
struct Mentioned {
    by: Mention,
}

#[websocket_gateway(emits(Mentioned, MessageSent<u8>))]
struct WithSchemas {
    #[inject(default)]
    mentions: Vec<String>,
}

#[subscriptions]
impl WithSchemas {
    #[subscribe_message("say")]
    async fn say(
        &self,
        _: ConnectedSocket,
        _: MessageBody<Say>,
    ) -> Result<Option<Mention>, BoxError> {
        Ok(None)
    }

    #[subscribe_message("fields")]
    fn fields(
        &self,
        #[body("to")] _: MessageBody<Mention>,
        #[body("at")] _: Option<MessageBody<Option<u8>>>,
    ) -> WsResponse<u8> {
        WsResponse::new("seen", 1)
    }

    #[subscribe_message("stream")]
    async fn stream(&self) -> Result<impl Stream<Item = Result<Mention, WsException>>, BoxError> {
        Ok(async_stream::stream! {
            for name in &self.mentions {
                yield Ok(Mention { name: name.clone() });
            }
        })
    }

    #[subscribe_message("shared")]
    async fn shared(self: Arc<Self>, _: MessageBody<Unschematic>) -> Unschematic {
        Unschematic
    }

    #[subscribe_binary]
    fn nothing(&self) {}
}

/// Has no schema.
#[derive(Serialize, Deserialize)]
struct Unschematic;

#[test]
fn schemas_are_found_where_types_have_them() {
    let described = WithSchemas::describe();
    let [say, fields, stream, shared, nothing] = described.messages() else {
        panic!("five handlers: {:?}", described.messages())
    };
    let body = |message: &MessageDescriptor| message.body_schema().map(|schema| schema());
    let reply = |message: &MessageDescriptor| message.reply_schema().map(|schema| schema());
    let said = body(say).expect("a schema");
    assert_eq!(said["required"], json!(["text"]));
    assert_eq!(said["$defs"]["Mention"]["required"], json!(["name"]));
    assert_eq!(reply(say).expect("a schema")["title"], "Mention");
    assert_eq!(reply(stream).expect("a schema")["title"], "Mention");
    assert_eq!(reply(fields).expect("a schema")["title"], "uint8");
    assert_eq!(fields.body(), Some("{ to: Mention, at: Option<u8> }"));
    let taken = body(fields).expect("a schema");
    assert_eq!(taken["required"], json!(["to"]));
    assert_eq!(taken["properties"]["to"]["required"], json!(["name"]));
    assert!(body(shared).is_none() && reply(shared).is_none());
    assert!(body(nothing).is_none());
    let emits: Vec<_> = described
        .emits()
        .iter()
        .map(|it| it.schema.is_some())
        .collect();
    assert_eq!(emits, [true, false]);
}

#[test]
fn the_macros_and_core_reserve_the_same_names() {
    let core = RESERVED_EVENTS.into_iter().chain([CANCEL_EVENT]);
    assert_eq!(core.collect::<Vec<_>>(), reserved::RESERVED);
    assert!(reserved::is_reserved("gap") && !reserved::is_reserved("message"));
}
