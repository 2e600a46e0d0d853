use std::rc::Rc;

use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("local")]
    async fn local(&self) -> u32 {
        let local = Rc::new(1);
        later().await;
        *local
    }
}

async fn later() {}

fn main() {}
