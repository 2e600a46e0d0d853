//! Tokens, as they come into being, to both kinds of clients.
//!
//! ```sh
//! cargo run --example token_streaming
//! ```
//!
//! The page that it prints has a plain `WebSocket` on the left and the stock
//! `socket.io-client` on the right. Both talk to the same handlers: `prompt`
//! returns a stream, `prompt_loop` emits in a loop.

use std::time::Duration;

use async_stream::stream;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use futures_util::{Stream, StreamExt as _};
use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Prompt {
    text: String,
}

#[derive(Serialize)]
struct Token {
    text: String,
}

#[derive(Serialize)]
struct Done {
    tokens: usize,
}

#[websocket_gateway(namespace = "/llm")]
struct LlmGateway {}

#[subscriptions]
impl LlmGateway {
    // ANCHOR: stream
    /// Returns a stream: each item is sent as it comes, under the event's name.
    /// It is polled only while the client keeps up, and dropped when the client
    /// leaves or cancels.
    #[subscribe_message("prompt")]
    async fn prompt(
        &self,
        MessageBody(prompt): MessageBody<Prompt>,
    ) -> Result<impl Stream<Item = Token>, WsException> {
        if prompt.text.trim().is_empty() {
            return Err(WsException::new("Ask me something"));
        }
        Ok(model(&prompt.text))
    }
    // ANCHOR_END: stream

    // ANCHOR: loop
    /// Emits in a loop. Awaiting an emit waits until the client keeps up, and
    /// fails when it is gone. `concurrent`, so that the client's next messages
    /// do not wait for the end of it.
    #[subscribe_message("prompt_loop", concurrent)]
    async fn prompt_loop(
        &self,
        MessageBody(prompt): MessageBody<Prompt>,
        client: ConnectedSocket,
        cancelled: CancellationToken,
    ) -> WsResponse<Done> {
        let mut tokens = Box::pin(model(&prompt.text));
        let mut sent = 0;
        while let Some(Some(token)) = cancelled.run_until_cancelled(tokens.next()).await {
            if client.emit("token", &token).await.is_err() {
                break;
            }
            sent += 1;
        }
        WsResponse::new("done", Done { tokens: sent })
    }
    // ANCHOR_END: loop
}

/// A language model, as far as this example can tell.
fn model(prompt: &str) -> impl Stream<Item = Token> + Send + use<> {
    let answer = format!(
        "You asked “{prompt}”. A stream that a handler returns is polled only while the client \
         keeps up, and dropped when the client leaves or cancels, so that nobody computes the rest."
    );
    stream! {
        for word in answer.split_inclusive(' ') {
            tokio::time::sleep(Duration::from_millis(40)).await;
            yield Token { text: word.to_owned() };
        }
    }
}

#[module(providers(LlmGateway))]
struct LlmModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let javascript = [(CONTENT_TYPE, "text/javascript")];
    let client = include_str!("../chat/page/vendor/socket.io.min.js");
    let page = Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/socket.io.min.js", get((javascript, client)));
    let app = App::new::<LlmModule>()
        .routes(page)
        .listen(("127.0.0.1", port))
        .await?;
    println!("open {}", app.url());
    app.until_signal().await;
    Ok(())
}
