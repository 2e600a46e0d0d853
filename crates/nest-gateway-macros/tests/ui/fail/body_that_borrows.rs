use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("name")]
    async fn name(&self, MessageBody(name): MessageBody<&'static str>) -> usize {
        name.len()
    }
}

fn main() {}
