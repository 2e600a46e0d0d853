//! Streams, and handlers that wait.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use nest_gateway_core::dispatch::{
    ConnectedSocket, ExecutionContext, HandlerResult, MessageBody, Reply, Server,
};
use nest_gateway_core::error::WsException;
use nest_gateway_core::gateway::GatewayBuilder;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::backstage::Backstage;
use super::super::enhancers::Gatekeeper;
use super::root::{Root, RootGateway};
use super::{With, guard, item, message, text, three};

impl Root {
    pub(super) fn streams(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("stream_plain", async |_: G| three(None))
            .on("stream", async |_: G| three(Some("tok")))
            .on("stream_err", async |_: G| {
                let items = [item(Some("tok"), &1), item(Some("tok"), &2)];
                let mid = std::iter::once(Err(WsException::new("mid")));
                Reply::stream(futures_util::stream::iter(items.into_iter().chain(mid)))
            })
            .on("stream_gated", async |gateway: G| {
                gateway.log("streaming");
                let dropped = gateway.on_drop("stream dropped");
                let opened = async move {
                    let _dropped = dropped;
                    gateway.pass("stream").await;
                    item(None, "opened")
                };
                Reply::stream(opened.into_stream())
            })
            .on("tokens", async |gateway: G, body: MessageBody<Value>| {
                let number = |key: &str| body.0[key].as_u64().unwrap_or(0);
                let (n, size) = (number("n"), number("size"));
                let fill = "x".repeat(usize::try_from(size).unwrap_or(0));
                let items = futures_util::stream::iter(0..n).map(move |i| {
                    let produced = gateway.backstage.produce();
                    if produced.is_multiple_of(100) {
                        gateway.log(format!("produced {produced}"));
                    }
                    item(None, format!("t{i}{fill}").as_str())
                });
                Reply::stream(items)
            })
    }

    /// A stream whose producer sends something itself before most of its items.
    pub(super) fn asides(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        builder.on(
            "stream_with_asides",
            async |_: Arc<RootGateway>,
                   client: ConnectedSocket,
                   server: Server,
                   n: MessageBody<u64>| {
                let items = futures_util::stream::iter(0..n.0).map(move |i| {
                    match i % 3 {
                        0 => drop(client.emit("aside", &i)),
                        1 => drop(server.to(client.id()).emit("aside", &i)),
                        _ => {}
                    }
                    item(Some("tok"), &i)
                });
                Reply::stream(items)
            },
        )
    }

    pub(super) fn flow(
        builder: GatewayBuilder<RootGateway>,
        backstage: &Arc<Backstage>,
    ) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("yielding", async |gateway: G, i: MessageBody<u64>| {
                gateway.log(format!("start {}", i.0));
                for _ in 0..i.0 % 4 {
                    tokio::task::yield_now().await;
                }
                gateway.log(format!("end {}", i.0));
            })
            .message(message!("gated", |gateway, context| gated(
                gateway, context
            )
            .await))
            .message(
                message!("gated_concurrent", |gateway, context| gated(
                    gateway, context
                )
                .await)
                .concurrent(),
            )
            .message(
                message!("g_gated", |gateway, context| {
                    gateway.log(format!("handler {}", text(&context.data())));
                    Ok(Reply::None)
                })
                .enhancers(guard(Gatekeeper(Arc::clone(backstage)))),
            )
            .on(
                "until_cancelled",
                async |gateway: G, token: CancellationToken| {
                    gateway.log("waiting for the token");
                    token.cancelled().await;
                    gateway.log("token fired");
                },
            )
            .on(
                "stay_behind",
                async |gateway: G, token: CancellationToken| {
                    gateway.log("waiting for the end");
                    token.cancelled().await;
                    gateway.log("client is gone");
                    gateway.pass("a").await;
                    gateway.log("stayed behind");
                },
            )
            .on("kick", async |_: G, client: ConnectedSocket| {
                client.disconnect("kicked");
            })
            .on("close_connection", async |_: G, client: ConnectedSocket| {
                client.close_connection("closed");
            })
            .on(
                "close_room",
                async |_: G, server: Server, room: MessageBody<String>| {
                    server.to(room.0).close_connections("closed");
                },
            )
            .on(
                "emit_and_kick",
                async |_: G, client: ConnectedSocket, n: MessageBody<u64>| {
                    for i in 1..=n.0 {
                        client.emit("tick", &i);
                    }
                    client.disconnect("kicked");
                },
            )
            .on(
                "kick_with",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    let code = body.0["code"].as_u64().unwrap_or(0);
                    let reason = body.0["reason"].as_str().unwrap_or_default().to_owned();
                    client.disconnect_with(u16::try_from(code).unwrap_or(0), reason);
                },
            )
            .on(
                "flood_room",
                async |_: G, server: Server, flood: MessageBody<Flood>| {
                    let Flood {
                        room,
                        n,
                        size,
                        from,
                        volatile,
                    } = flood.0;
                    let fill = "x".repeat(size);
                    let mut receivers = 0;
                    for n in from..from + n {
                        let mut emitter = server.to(room.as_str());
                        if volatile {
                            emitter = emitter.volatile();
                        }
                        receivers = emitter
                            .emit("flood", &json!({"n": n, "fill": fill}))
                            .receivers();
                        // Others of the server have a turn, as in an application.
                        tokio::task::yield_now().await;
                    }
                    Reply::value(&receivers)
                },
            )
    }
}

#[derive(Deserialize)]
struct Flood {
    room: String,
    n: usize,
    size: usize,
    #[serde(default = "one")]
    from: usize,
    #[serde(default)]
    volatile: bool,
}

fn one() -> usize {
    1
}

/// Waits at the gate that the body names, then emits `done`.
async fn gated<'a, G>(gateway: &With<G>, context: &'a ExecutionContext) -> HandlerResult<'a> {
    let gate: String = context.data().decode()?;
    gateway.log(format!("start {gate}"));
    gateway.pass(&gate).await;
    gateway.log(format!("end {gate}"));
    context.client().emit("done", &gate);
    Ok(Reply::None)
}
