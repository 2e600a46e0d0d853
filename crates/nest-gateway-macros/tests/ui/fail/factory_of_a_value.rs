use nest_gateway::prelude::*;

#[module(providers(factory(|n: u32| async move { Ok::<_, WsException>(n) })))]
struct ChatModule;

fn main() {}
