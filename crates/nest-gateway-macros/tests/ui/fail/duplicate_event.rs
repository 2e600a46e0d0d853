use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("ping")]
    async fn ping(&self) {}

    #[subscribe_message("ping")]
    async fn ping_again(&self) {}

    #[subscribe_binary]
    async fn frame(&self) {}

    #[subscribe_binary]
    async fn other_frame(&self) {}

    #[subscribe_any]
    async fn others(&self) {}

    #[subscribe_any]
    async fn other_others(&self) {}
}

fn main() {}
