//! A session with an agent: steps as they happen, tools on both sides, stop.
//!
//! ```sh
//! cargo run --example agent_session
//! ```
//!
//! The page asks the agent to plan a trip. The agent thinks aloud in tokens,
//! calls a tool on the server (`price`), asks the client for leave to book
//! (`approve`, an event with an answer), and can be stopped at any moment. What
//! was said is remembered for as long as the client is connected.

mod agent;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use futures_util::Stream;
use nest_gateway::prelude::*;
use serde::Deserialize;

use agent::{Agent, History, Step};

#[derive(Deserialize)]
struct Task {
    text: String,
}

// ANCHOR: gateway
#[websocket_gateway(namespace = "/agent")]
struct AgentGateway {
    agent: std::sync::Arc<Agent>,
}

#[subscriptions]
impl AgentGateway {
    /// Works on a task. Each step is an event of its own; a client that
    /// cancels the request, or leaves, drops the stream and with it whatever
    /// the agent awaits.
    #[subscribe_message("run")]
    async fn run(
        &self,
        MessageBody(task): MessageBody<Task>,
        client: ConnectedSocket,
        history: State<History>,
    ) -> impl Stream<Item = Result<WsResponse<Step>, WsException>> {
        history.with(|history| history.add(&task.text));
        self.agent.work(task.text, client.0, history)
    }

    /// What this client asked so far.
    #[subscribe_message("history")]
    async fn history(&self, history: State<History>) -> Vec<String> {
        history.with(|history| history.tasks())
    }
}
// ANCHOR_END: gateway

#[module(providers(Agent, AgentGateway))]
struct AgentModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<AgentModule>()
        .routes(Router::new().route("/", get(Html(include_str!("page.html")))))
        .listen(("127.0.0.1", port))
        .await?;
    println!("open {}", app.url());
    app.until_signal().await;
    Ok(())
}
