use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
enum NoStruct {}

#[subscriptions]
struct NoImpl;

#[websocket_gateway(namespace = "/chat")]
impl NoImpl {}

#[use_guards(Guard)]
struct NoGateway;

#[subscribe_message("ping")]
struct NoMethod;

#[subscribe_message("ping")]
async fn no_method() {}

#[injectable]
enum NoInjectable {}

#[injectable]
impl NoImpl {
    fn create() -> Self {
        Self
    }
}

#[module(global)]
struct NoModule {
    state: u32,
}

#[module(global)]
fn no_module() {}

fn main() {}
