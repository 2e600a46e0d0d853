use std::sync::Mutex;

use nest_gateway::prelude::*;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway {
    seen: Mutex<u32>,
    name: String,
}

#[subscriptions]
impl ChatGateway {}

#[injectable]
struct ChatService {
    #[inject]
    a: u32,
    #[inject(defualt)]
    b: u32,
    #[inject(default, value = 1)]
    c: u32,
}

#[injectable]
impl Store {
    fn new(name: String) -> Self {
        let _ = name;
        Self
    }
}

struct Store;

fn main() {}
