use nest_gateway::prelude::*;

struct NoGuard;

#[websocket_gateway(namespace = "/chat")]
#[use_guards(NoGuard)]
#[use_filters(NoGuard)]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("ping")]
    #[use_guards(NoGuard, NoGuard::new())]
    #[use_interceptors(NoGuard)]
    #[use_pipes(NoGuard)]
    async fn ping(&self) {}
}

impl NoGuard {
    fn new() -> Self {
        Self
    }
}

fn main() {}
