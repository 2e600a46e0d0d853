//! The program of the README.

// ANCHOR: all
use nest_gateway::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Say {
    text: String,
}

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway {}

impl OnGatewayConnection for ChatGateway {
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        client.join("lobby").await
    }
}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("say")]
    async fn say(&self, MessageBody(say): MessageBody<Say>, client: ConnectedSocket) -> usize {
        client.to("lobby").emit("message", &say.text).receivers()
    }
}

#[module(providers(ChatGateway))]
struct ChatModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new::<ChatModule>().listen("127.0.0.1:3000").await?;
    println!("listening on {}", app.url());
    app.until_signal().await;
    Ok(())
}
// ANCHOR_END: all

#[cfg(test)]
mod tests {
    use nest_gateway_testkit::{TestApp, assert_push, assert_reply, for_each_wire};

    use super::ChatModule;

    for_each_wire! {
        async fn who_is_in_the_lobby_hears_the_others(wire) {
            let app = TestApp::new::<ChatModule>().on(wire).start().await;
            let mut ada = app.client("/chat").connect().await;
            let mut grace = app.client("/chat").connect().await;
            grace.round_trip().await;
            assert_reply!(ada, "say", {"text": "hi"} => 1);
            assert_push!(grace, "message", "hi");
        }
    }
}
