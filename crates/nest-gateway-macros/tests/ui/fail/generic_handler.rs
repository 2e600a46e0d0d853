use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("any")]
    async fn any<T: Send>(&self, MessageBody(_): MessageBody<T>) {}

    #[subscribe_message("some")]
    async fn some(&self, body: impl std::fmt::Debug) {
        println!("{body:?}");
    }
}

fn main() {}
