use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("later")]
    fn later(&self) -> impl Future<Output = u32> {
        async { 1 }
    }
}

fn main() {}
