//! The smallest gateway: one event, one answer.
//!
//! ```sh
//! cargo run --example hello
//! ```
//!
//! A WebSocket client connects to `ws://127.0.0.1:3000/hello` and sends
//! `{"event": "hello", "data": {"name": "Ada"}, "id": 1}`.
//! A Socket.IO client uses the namespace `/hello` of the same port.

// ANCHOR: all
use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Hello {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    text: String,
}

// ANCHOR: gateway
#[websocket_gateway(namespace = "/hello")]
struct HelloGateway {}

#[subscriptions]
impl HelloGateway {
    #[subscribe_message("hello")]
    async fn hello(&self, MessageBody(hello): MessageBody<Hello>) -> Greeting {
        Greeting {
            text: format!("Hello, {}!", hello.name),
        }
    }
}
// ANCHOR_END: gateway

#[module(providers(HelloGateway))]
struct HelloModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<HelloModule>()
        .listen(("127.0.0.1", port))
        .await?;
    println!("listening on {}", app.url());
    app.until_signal().await;
    Ok(())
}
// ANCHOR_END: all
