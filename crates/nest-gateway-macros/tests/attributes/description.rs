//! What is known of a gateway before it is started.

use futures_core::Stream;
use nest_gateway::prelude::*;
use nest_gateway::{Event, Gateway as _, MessageBody};
use nest_gateway_core::gateway::{CANCEL_EVENT, MessageKind, RESERVED_EVENTS};
use serde::Serialize;

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
        ]
    );
    assert_eq!(described.messages()[2].kind(), MessageKind::Binary);
}

#[test]
fn the_macros_and_core_reserve_the_same_names() {
    let core = RESERVED_EVENTS.into_iter().chain([CANCEL_EVENT]);
    assert_eq!(core.collect::<Vec<_>>(), reserved::RESERVED);
    assert!(reserved::is_reserved("gap") && !reserved::is_reserved("message"));
}
