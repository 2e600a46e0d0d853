//! The gateway of a pattern.

use std::sync::Arc;

use nest_gateway_core::broadcast::EmitContext;
use nest_gateway_core::dispatch::{ConnectedSocket, MessageBody, Reply, Server};
use nest_gateway_core::error::WsException;
use nest_gateway_core::gateway::{
    GatewayBuilder, GatewayDescriptor, OnGatewayConnection, OnGatewayEmit,
};
use nest_gateway_core::session::Client;
use serde_json::{Value, json};

use super::super::enhancers::Closed;
use super::rooms::{Room, Said, bcast, join};
use super::{Result, With, guard};

/// A namespace with a parameter. Nobody gets in at `closed`, and nobody stays
/// at `refused`.
#[derive(Clone, Copy)]
pub(super) struct RoomById;

impl RoomById {
    pub(super) fn describe() -> GatewayDescriptor {
        type G = Arc<With<RoomById>>;
        GatewayBuilder::<With<Self>>::new("/room/{id}")
            .enhancers(guard(Closed))
            .on_connection()
            .on_emit()
            .on("whoami", async |_: G, client: ConnectedSocket| {
                Reply::value(&json!({"id": client.path_param("id")}))
            })
            .on("me", async |_: G, client: ConnectedSocket| {
                Reply::value(&client.id())
            })
            .on("recovered", async |_: G, client: ConnectedSocket| {
                Reply::value(&client.recovered())
            })
            .on("join", join::<Self>)
            .on(
                "leave",
                async |_: G, client: ConnectedSocket, body: MessageBody<Room>| {
                    client.leave(&body.0.room).await;
                    Reply::value(&json!({"left": body.0.room}))
                },
            )
            .on(
                "say",
                async |_: G, client: ConnectedSocket, said: MessageBody<Said>| {
                    let sent = client.to(said.0.room).emit("said", &said.0.text);
                    Reply::value(&sent.receivers())
                },
            )
            .on(
                "others",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    Reply::value(&client.broadcast().emit("bc", &body.0).receivers())
                },
            )
            .on(
                "shout",
                async |_: G, server: Server, said: MessageBody<Said>| {
                    let sent = server.to(said.0.room).emit("said", &said.0.text);
                    Reply::value(&sent.receivers())
                },
            )
            .on("bcast", bcast::<Self>)
            .on("here", async |_: G, server: Server| {
                let clients = server.sockets().len();
                Reply::value(&json!({"namespace": server.namespace(), "clients": clients}))
            })
            .build()
    }
}

impl OnGatewayConnection for With<RoomById> {
    async fn on_connection(&self, client: &Client) -> Result<()> {
        match client.path_param("id") {
            Some("refused") => Err(WsException::new("no")),
            _ => Ok(()),
        }
    }
}

impl OnGatewayEmit for With<RoomById> {
    fn on_emit(&self, emit: &EmitContext<'_>) {
        let (kind, event, namespace) = (emit.kind(), emit.event(), emit.namespace());
        self.log(format!("sent {kind:?} {event} at {namespace}"));
    }
}
