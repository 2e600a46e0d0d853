use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("a")]
    fn a(&self) {}
}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("b")]
    fn b(&self) {}
}

fn main() {}
