use nest_gateway::prelude::*;

struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("ping")]
    async fn ping(&self) -> &'static str {
        "pong"
    }
}

fn main() {}
