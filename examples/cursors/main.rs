//! Collaborative cursors: everybody sees where the others point.
//!
//! ```sh
//! cargo run --example cursors
//! ```
//!
//! Open the page twice. Positions are volatile: when a client cannot keep up,
//! old positions are dropped before anything else, since only the last one
//! matters. The board is a path parameter: `/board/7` is not `/board/8`.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use nest_gateway::prelude::*;
use nest_gateway::{ClientId, Path};
use serde::{Deserialize, Serialize};

// ANCHOR: gateway
/// A position in the page, each coordinate from 0 to 1.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
struct Position {
    x: f32,
    y: f32,
}

#[derive(Serialize)]
struct Moved {
    id: ClientId,
    #[serde(flatten)]
    to: Position,
}

#[websocket_gateway(namespace = "/board/{id}")]
struct BoardGateway {}

impl OnGatewayConnection for BoardGateway {
    /// All boards share this gateway; each is a room.
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        client.join(client.path()).await
    }
}

impl OnGatewayDisconnect for BoardGateway {
    async fn on_disconnect(&self, client: &Client, _: &DisconnectReason) {
        client.to(client.path()).emit("left", &client.id());
    }
}

#[subscriptions]
impl BoardGateway {
    #[subscribe_message("move")]
    async fn moved(&self, MessageBody(to): MessageBody<Position>, client: ConnectedSocket) {
        let moved = Moved {
            id: client.id(),
            to,
        };
        client.to(client.path()).volatile().emit("moved", &moved);
    }

    #[subscribe_message("board")]
    async fn board(&self, Path(id): Path<String>) -> String {
        id
    }
}
// ANCHOR_END: gateway

#[module(providers(BoardGateway))]
struct BoardModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<BoardModule>()
        .routes(Router::new().route("/", get(Html(include_str!("page.html")))))
        .listen(("127.0.0.1", port))
        .await?;
    println!("open {} in two windows", app.url());
    app.until_signal().await;
    Ok(())
}
