use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("whoami")]
    async fn whoami(&self, #[body("id")] client: ConnectedSocket) {
        let _ = client;
    }
}

fn main() {}
