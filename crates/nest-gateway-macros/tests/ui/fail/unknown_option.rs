use nest_gateway::prelude::*;

#[websocket_gateway(namespce = "/chat", cors = true, port = 3001, port = 3002)]
struct ChatGateway;

#[subscriptions(namespace = "/chat")]
impl ChatGateway {
    #[subscribe_message("ping", concurent)]
    async fn ping(&self) {}

    #[subscribe_message("pong", concurrent = true)]
    async fn pong(&self) {}

    #[subscribe_message(event = "pang")]
    async fn pang(&self) {}

    #[subscribe_message]
    async fn peng(&self) {}
}

#[module(provider(ChatGateway), export(ChatGateway))]
struct ChatModule;

fn main() {}
