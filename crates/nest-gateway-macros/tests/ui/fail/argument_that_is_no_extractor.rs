use nest_gateway::prelude::*;

#[derive(serde::Deserialize)]
struct SendMessage {
    text: String,
}

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("send_message")]
    async fn send_message(&self, message: SendMessage, client: ConnectedSocket) {
        let _ = (message.text, client);
    }

    #[subscribe_message("count")]
    fn count(&self, n: u32) -> u32 {
        n
    }

    #[subscribe_message("name")]
    fn name(&self, client: &Client) -> String {
        client.id().to_string()
    }
}

fn main() {}
