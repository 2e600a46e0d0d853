use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("connect")]
    async fn greet(&self) {}

    #[subscribe_message("disconnect")]
    async fn bye(&self) {}

    #[subscribe_message("exception")]
    async fn failed(&self) {}

    #[subscribe_message("")]
    async fn nameless(&self) {}
}

fn main() {}
