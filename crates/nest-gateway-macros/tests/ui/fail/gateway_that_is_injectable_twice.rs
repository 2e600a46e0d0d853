use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/a")]
#[injectable]
struct Below;

#[subscriptions]
impl Below {}

#[injectable]
#[websocket_gateway(namespace = "/b")]
struct Above;

#[subscriptions]
impl Above {}

fn main() {}
