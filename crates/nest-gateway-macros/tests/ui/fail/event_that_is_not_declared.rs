use nest_gateway::Event;
use nest_gateway::prelude::*;

#[derive(serde::Serialize, Event)]
#[event("message_sent")]
struct MessageSent;

#[derive(serde::Serialize, Event)]
#[event("left")]
struct Left;

#[websocket_gateway(namespace = "/chat", emits(Left, Left))]
struct ChatGateway {
    server: ServerOf<Self>,
    untyped: WebSocketServer,
}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("say")]
    async fn say(&self, client: ConnectedSocket) {
        self.server.send(&Left);
        self.server.send(&MessageSent);
        self.server.to("lobby").except(&*client).send(&MessageSent);
        client.of::<Self>().send(&MessageSent);
        client.of::<Self>().to("lobby").send(&MessageSent);
    }

    #[subscribe_message("untyped")]
    async fn untyped(&self, client: ConnectedSocket) {
        self.untyped.send(&Left);
        client.send(&Left);
    }
}

fn main() {}
