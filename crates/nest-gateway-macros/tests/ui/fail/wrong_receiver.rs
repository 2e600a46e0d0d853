use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("by_value")]
    async fn by_value(self) {}

    #[subscribe_message("mutable")]
    async fn mutable(&mut self) {}

    #[subscribe_message("none")]
    async fn none(client: ConnectedSocket) {
        let _ = client;
    }

    #[subscribe_message("boxed")]
    async fn boxed(self: Box<Self>) {}
}

fn main() {}
