use nest_gateway::prelude::*;

trait Ping {
    async fn ping(&self);
}

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl Ping for ChatGateway {
    #[subscribe_message("ping")]
    async fn ping(&self) {}
}

fn main() {}
