use nest_gateway::prelude::*;

#[derive(serde::Serialize)]
struct MessageSent;

#[websocket_gateway(namespace = "/chat", emits(MessageSent))]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {}

fn main() {}
