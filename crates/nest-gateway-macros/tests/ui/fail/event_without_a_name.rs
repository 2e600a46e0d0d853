use nest_gateway::Event;

#[derive(serde::Serialize, Event)]
struct Nameless;

#[derive(serde::Serialize, Event)]
#[event]
struct Empty;

#[derive(serde::Serialize, Event)]
#[event(message_sent)]
struct NoString;

#[derive(Event)]
#[event("not_serialize")]
struct NotSerialize;

fn main() {}
