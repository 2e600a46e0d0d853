//! A third adapter: a line protocol over TCP, beside the WebSocket adapters.
//!
//! ```sh
//! cargo run --example third_adapter
//! nc 127.0.0.1 4000
//! ```
//!
//! Type `join /chat`, then `say {"text": "hello"}`. The gateway below serves
//! WebSocket clients at `ws://127.0.0.1:3000/chat` too, in the same room. All
//! that a transport takes is in `lines.rs`.

mod lines;

use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};

use lines::LineAdapter;

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
    async fn say(&self, MessageBody(say): MessageBody<Say>, client: ConnectedSocket) {
        let said = Said {
            via: client.adapter(),
            text: &say.text,
        };
        self.server.emit("said", &said);
    }
}

#[module(providers(ChatGateway))]
struct ChatModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let line_port = std::env::var("LINE_PORT").map_or(Ok(4000), |port| port.parse::<u16>())?;
    // ANCHOR: choose
    let lines = std::net::TcpListener::bind(("127.0.0.1", line_port))?;
    lines.set_nonblocking(true)?;
    let line_addr = lines.local_addr()?;
    let mut app = App::new::<ChatModule>().adapter(LineAdapter(lines));
    // ANCHOR_END: choose
    #[cfg(feature = "native")]
    {
        app = app.adapter(nest_gateway::Native::new());
    }
    #[cfg(feature = "socketio")]
    {
        app = app.adapter(nest_gateway::SocketIo::new());
    }
    let app = app.listen(("127.0.0.1", port)).await?;
    println!("listening on {}, lines on {line_addr}", app.url());
    app.until_signal().await;
    Ok(())
}
