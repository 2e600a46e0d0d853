use nest_gateway::prelude::*;

struct Oops;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("fail")]
    async fn fail(&self) -> Result<(), Oops> {
        Err(Oops)
    }
}

fn main() {}
