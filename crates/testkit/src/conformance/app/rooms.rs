//! Rooms, and questions to clients.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use nest_gateway_core::dispatch::{ConnectedSocket, FromMessage as _, MessageBody, Reply, Server};
use nest_gateway_core::gateway::GatewayBuilder;
use nest_gateway_core::session::{AckError, Client};
use serde::Deserialize;
use serde_json::{Value, json};

use super::root::{Root, RootGateway};
use super::{Replied, With, message};

impl Root {
    pub(super) fn rooms(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("join", join::<Root>)
            .on(
                "leave",
                async |_: G, client: ConnectedSocket, body: MessageBody<Room>| {
                    client.leave(&body.0.room).await;
                    Reply::value(&json!({"left": body.0.room}))
                },
            )
            .on("recovered", async |_: G, client: ConnectedSocket| {
                Reply::value(&client.recovered())
            })
            .on("rooms", async |_: G, client: ConnectedSocket| {
                Reply::value(&rooms(&client))
            })
            .on(
                "say",
                async |_: G, client: ConnectedSocket, said: MessageBody<Said>| {
                    let message = json!({"from": client.id(), "text": said.0.text});
                    Reply::value(&client.to(said.0.room).emit("said", &message).receivers())
                },
            )
            .message(message!("shout", |_gateway, context| {
                let server = Server::from_message(context).await?;
                let said = MessageBody::<Said>::from_message(context).await?.0;
                let message = json!({"from": context.client().id(), "text": said.text});
                Reply::value(&server.to(said.room).emit("said", &message).receivers())
            }))
            .on(
                "whisper",
                async |_: G, server: Server, said: MessageBody<Said>| {
                    let emitter = server.to(said.0.room).volatile();
                    Reply::value(&emitter.emit("whispered", &said.0.text).receivers())
                },
            )
            .on(
                "crowd",
                async |_: G, client: ConnectedSocket, server: Server, body: MessageBody<Crowd>| {
                    let Crowd { room, one, from } = body.0;
                    let all = server.to(room.as_str());
                    all.emit("said", &json!(from));
                    server.to(one.as_str()).emit("said", &json!(from + 1));
                    all.emit("said", &json!(from + 2));
                    client.to(room.as_str()).emit("said", &json!(from + 3));
                    client.emit("said", &json!(from + 4));
                    all.except(one.as_str()).emit("said", &json!(from + 5));
                    Ok(Reply::None)
                },
            )
            .on("bcast", bcast::<Root>)
            .on(
                "dm",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let to = body.0["to"].as_str().unwrap_or_default();
                    Reply::value(&server.to(to).emit("dm", &body.0["text"]).receivers())
                },
            )
            .on(
                "sockets",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let names = |key: &str| -> Option<Vec<String>> {
                        serde_json::from_value(body.0[key].clone()).ok()
                    };
                    let clients = match (names("to"), names("except")) {
                        (None, None) => server.sockets(),
                        (to, except) => server
                            .to(to.unwrap_or_default())
                            .except(except.unwrap_or_default())
                            .sockets(),
                    };
                    let mut ids: Vec<_> = clients.iter().map(|c| c.id().to_string()).collect();
                    ids.sort();
                    Reply::value(&ids)
                },
            )
            .on(
                "cast",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let names = |key: &str| -> Vec<String> {
                        serde_json::from_value(body.0[key].clone()).unwrap_or_default()
                    };
                    let emitter = server.to(names("to")).except(names("except"));
                    Reply::value(&emitter.emit("cast", &body.0["data"]).receivers())
                },
            )
    }

    pub(super) fn questions(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on(
                "ask",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    ask(&client, &body.0["q"], Duration::from_secs(5)).await
                },
            )
            .on(
                "ask_briefly",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    ask(&client, &body.0["q"], Duration::from_millis(50)).await
                },
            )
            .message(
                message!("ask_beside", |_gateway, context| {
                    let body: Value = context.data().decode()?;
                    ask(context.client(), &body["q"], Duration::from_secs(5)).await
                })
                .concurrent(),
            )
            .on(
                "ask_room_briefly",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let room = body.0["room"].as_str().unwrap_or_default();
                    let emitter = server.to(room).timeout(Duration::from_millis(100));
                    let answers: Vec<Value> = emitter
                        .emit_with_ack::<Value>("question", &body.0["q"])
                        .map(|(id, answer)| match answer {
                            Ok(answer) => json!({"id": id, "answer": answer}),
                            Err(AckError::Timeout) => json!({"id": id, "timeout": true}),
                            Err(error) => json!({"id": id, "error": error.to_string()}),
                        })
                        .collect()
                        .await;
                    Reply::value(&answers)
                },
            )
            .on(
                "ask_room",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let room = body.0["room"].as_str().unwrap_or_default();
                    let emitter = server.to(room).timeout(Duration::from_secs(5));
                    let answers: Vec<Value> = emitter
                        .emit_with_ack::<Value>("question", &body.0["q"])
                        .filter_map(|(_, answer)| async move { answer.ok() })
                        .collect()
                        .await;
                    Reply::value(&answers)
                },
            )
    }
}

#[derive(Deserialize)]
pub(super) struct Room {
    pub(super) room: String,
}

/// A room, one of its members, and a number to count from.
#[derive(Deserialize)]
pub(super) struct Crowd {
    room: String,
    one: String,
    from: u32,
}

#[derive(Deserialize)]
pub(super) struct Said {
    pub(super) room: String,
    pub(super) text: Value,
}

pub(super) async fn join<G: Send + Sync + 'static>(
    _: Arc<With<G>>,
    client: ConnectedSocket,
    body: MessageBody<Room>,
) -> Replied {
    client.join(body.0.room.as_str()).await?;
    Reply::value(&json!({"joined": body.0.room}))
}

pub(super) async fn bcast<G: Send + Sync + 'static>(
    _: Arc<With<G>>,
    server: Server,
    body: MessageBody<Value>,
) -> Replied {
    Reply::value(&server.emit("bc", &body.0).receivers())
}

/// The rooms of a client, without the one of its own.
pub(super) fn rooms(client: &Client) -> Vec<String> {
    let names = client.rooms();
    let own = client.id();
    let mut rooms: Vec<_> = names
        .iter()
        .filter(|room| ***room != *own.as_str())
        .map(ToString::to_string)
        .collect();
    rooms.sort();
    rooms
}

async fn ask(client: &Client, question: &Value, patience: Duration) -> Replied {
    match client
        .emit_with_ack_in::<Value>(patience, "question", question)
        .await
    {
        Ok(answer) => Reply::value(&answer),
        Err(_) => Reply::value(&json!({"timeout": true})),
    }
}
