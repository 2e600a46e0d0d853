use nest_gateway::prelude::*;

struct MyGuard;

impl Guard for MyGuard {}

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
#[use_guards(MyGuard)]
impl ChatGateway {
    #[use_guards(MyGuard)]
    async fn no_handler(&self, #[body("x")] x: u32) {
        let _ = x;
    }

    #[subscribe_message("empty")]
    #[use_guards()]
    async fn empty(&self, #[body] MessageBody(_): MessageBody<u32>) {}
}

fn main() {}
