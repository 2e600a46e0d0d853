//! A socketioxide application that gains a gateway.
//!
//! ```sh
//! cargo run --example on_socketioxide --features socketioxide
//! ```
//!
//! The application has a handler of its own in namespace `/`, its own router and its own
//! `axum::serve`; they stay as they are. `SocketIoxide` registers the gateway's namespace,
//! `/chat`, on the same `SocketIo`, so that a client has both over one connection:
//!
//! ```js
//! const own = io("http://127.0.0.1:3000");
//! const chat = io("http://127.0.0.1:3000/chat");
//! console.log(await own.emitWithAck("twice", 21));
//! chat.on("said", console.log);
//! chat.emit("say", { text: "hello" });
//! ```
//!
//! Plain WebSocket clients at `ws://127.0.0.1:3000/chat` are in the same room, because the
//! application's router ends in the gateway's.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use nest_gateway::prelude::*;
use nest_gateway::socketioxide::SocketIo;
use nest_gateway::socketioxide::extract::{AckSender, Data, SocketRef};
use nest_gateway::socketioxide::handler::ConnectHandler as _;
use nest_gateway::{Native, SocketIoxide};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Say {
    text: String,
}

#[derive(Serialize)]
struct Said<'a> {
    via: &'static str,
    text: &'a str,
}

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway {
    server: WebSocketServer,
}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("say")]
    async fn say(&self, MessageBody(say): MessageBody<Say>, client: ConnectedSocket) -> usize {
        let said = Said {
            via: client.adapter(),
            text: &say.text,
        };
        self.server.emit("said", &said).receivers()
    }
}

#[module(providers(ChatGateway))]
struct ChatModule;

/// What the application had before. It is registered by a middleware, since connect
/// handlers may run behind the client's first event.
async fn register(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("twice", async |Data::<i64>(number), ack: AckSender| {
        // A client that has gone does not wait for its answer.
        let _ = ack.send(&(number * 2));
    });
    Ok(())
}

async fn on_connect() {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", on_connect.with(register));

    // ANCHOR: gain
    let app = App::new::<ChatModule>()
        .adapter(SocketIoxide::new(io).close_at_shutdown())
        .adapter(Native::new())
        .build()
        .await?;
    let gateways = app.shutdown_handle();
    let router = Router::new()
        .route("/health", get(async || "well"))
        .merge(app.into_router())
        .layer(layer);
    // ANCHOR_END: gain

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            // Without a signal handler there is nothing to wait for, and ending is right.
            let _ = tokio::signal::ctrl_c().await;
            gateways.shut_down().await;
        })
        .await?;
    Ok(())
}
