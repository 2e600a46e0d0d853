//! Handlers that return all there is to return, or fail.

use std::sync::Arc;

use nest_gateway_core::dispatch::{
    Ack, Binary, ConnectedSocket, Emission, FromMessage as _, MessageBody, RawBody, Reply, State,
    WsResponse,
};
use nest_gateway_core::error::WsException;
use nest_gateway_core::gateway::{GatewayBuilder, Message};
use nest_gateway_core::payload::Payload;
use serde::Deserialize;
use serde_json::{Value, json};

use super::root::{Root, RootGateway};
use super::{Replied, Result, message, text};

impl Root {
    pub(super) fn replies(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        let values = [
            ("ret_str", json!("hello")),
            ("ret_zero", json!(0)),
            ("ret_false", json!(false)),
            ("ret_empty", json!("")),
            ("ret_obj", json!({"a": 1})),
            ("ret_arr", json!([1, 2])),
            ("ret_some", json!(7)),
        ];
        let builder = values.into_iter().fold(builder, |builder, (event, value)| {
            builder.on(event, move |_: G| {
                let value = value.clone();
                async move { Reply::value(&value) }
            })
        });
        builder
            .on("ret_unit", async |_: G| {})
            .on("ret_none", async |_: G| -> Replied { Ok(Reply::None) })
            .on("echo", async |gateway: G, body: RawBody| {
                gateway.log("echo");
                body
            })
            .on("logged_echo", async |gateway: G, body: RawBody| {
                gateway.log(format!("echo {}", text(&body.0)));
                body
            })
            .on("ws", async |_: G, RawBody(data): RawBody| {
                WsResponse::new("resp", data)
            })
            .on("whoami", async |_: G, client: ConnectedSocket| {
                Reply::value(&client.id())
            })
            .on(
                "emit_many",
                async |_: G, client: ConnectedSocket, n: MessageBody<usize>| {
                    for i in 1..=n.0 {
                        client.emit("tick", &i);
                    }
                    Reply::value(&n.0)
                },
            )
            .on("ack_manual", async |_: G, ack: Ack| {
                ack.send(&json!({"manual": 1}))
            })
            .on("ack_and_value", async |_: G, ack: Ack| {
                ack.send("by hand")?;
                Reply::value("not sent")
            })
            .on("ack_and_ws", async |_: G, ack: Ack| {
                ack.send("by hand")?;
                Ok::<_, WsException>(WsResponse::new("resp", "besides"))
            })
            .on("dto", async |_: G, body: MessageBody<Dto>| {
                Reply::value(&json!({"name": body.0.name, "n": body.0.n}))
            })
            .message(message!("prop", |_gateway, context| {
                let field = context.data().field("id");
                let id = Option::<MessageBody<Value>>::from_body(context, Some(field)).await?;
                Reply::value(&json!({"id": id.map(|id| id.0)}))
            }))
            .on("bin_len", async |_: G, bytes: Binary| {
                Reply::value(&bytes.0.len())
            })
            .message(Message::binary("binary", |_, context| {
                Box::pin(async move {
                    let bytes = Binary::from_message(context).await?;
                    let data = Payload::from_serialize(&bytes.0.len());
                    Ok(Reply::Response(Emission {
                        event: Some("bin_len".into()),
                        data: data.map_err(WsException::internal)?,
                    }))
                })
            }))
            .on(
                "set",
                async |_: G, state: State<i64>, body: MessageBody<Value>| {
                    state.set(body.0["v"].as_i64().unwrap_or_default());
                },
            )
            .on("get", async |_: G, state: State<i64>| {
                Reply::value(&state.get())
            })
    }

    pub(super) fn failures(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("fail", async |_: G| -> Result<()> {
                Err(WsException::new("nope"))
            })
            .on("fail_object", async |_: G| -> Result<()> {
                Err(WsException::from(json!({"code": 42, "reason": "x"})))
            })
            .on("fail_typed", async |_: G| -> Result<()> {
                Err(WsException::new("room 7 is full").with_code("room_full"))
            })
            .on("fail_internal", async |_: G| -> Result<()> {
                Err(WsException::internal("secret detail"))
            })
            .on("panic", async |gateway: G| {
                assert!(gateway.backstage.has_flag("never"), "secret panic");
            })
    }
}

#[derive(Deserialize)]
struct Dto {
    name: String,
    n: i32,
}
