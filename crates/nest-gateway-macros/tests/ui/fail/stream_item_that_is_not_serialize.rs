use futures_core::Stream;
use nest_gateway::prelude::*;

struct Token;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("prompt")]
    async fn prompt(&self) -> Result<impl Stream<Item = Token>, WsException> {
        Ok(async_stream::stream! { yield Token; })
    }
}

fn main() {}
