use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway<S> {
    store: std::sync::Arc<S>,
}

#[subscriptions]
impl<S> ChatGateway<S> {
    #[subscribe_message("ping")]
    async fn ping(&self) {}
}

#[injectable]
struct Cache<T> {
    store: std::sync::Arc<T>,
}

fn main() {}
