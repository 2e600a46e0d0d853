use nest_gateway::prelude::*;

#[websocket_gateway(3001, "/chat")]
struct AsInNestJs;

#[subscriptions]
impl AsInNestJs {}

#[websocket_gateway(namespace = "chat", port = 70000, adapter = 1)]
struct Values;

#[subscriptions]
impl Values {}

#[websocket_gateway(namespace, port(3001), adapter, emits = Event)]
struct Forms;

#[subscriptions]
impl Forms {}

fn main() {}
