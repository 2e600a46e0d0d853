use nest_gateway::prelude::*;

struct NoProvider;

struct NoModule;

trait Store: Send + Sync {}

#[injectable]
struct RedisStore;

#[module(
    providers(NoProvider, RedisStore as dyn Store),
    imports(NoModule)
)]
struct ChatModule;

fn main() {}
