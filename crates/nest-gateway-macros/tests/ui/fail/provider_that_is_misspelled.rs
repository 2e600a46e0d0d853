use nest_gateway::prelude::*;

#[module(providers(vaule(1)))]
struct ChatModule;

fn main() {}
