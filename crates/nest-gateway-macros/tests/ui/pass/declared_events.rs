use std::sync::Arc;

use nest_gateway::Event;
use nest_gateway::prelude::*;
use serde::Serialize;

#[derive(Serialize, Event)]
#[event("message_sent")]
struct MessageSent<T: Serialize> {
    body: T,
}

#[derive(Serialize, Event)]
#[event("left")]
struct Left;

type Sent = MessageSent<String>;

/// Named at the gateway by an alias, and sent under the type's own name.
#[websocket_gateway(namespace = "/chat", emits(Sent, Left))]
struct ChatGateway {
    server: ServerOf<Self>,
    audit: Arc<Audit>,
}

/// A provider that holds the server of another gateway.
#[injectable]
struct Audit {
    server: ServerOf<ChatGateway>,
    elsewhere: ServerOf<OtherGateway>,
}

impl Audit {
    fn left(&self) {
        self.server.volatile().to(["a", "b"]).local().send(&Left);
        self.elsewhere.send(&Left);
    }
}

/// Two gateways may emit the same event.
#[websocket_gateway(namespace = "/other", emits(Left))]
struct OtherGateway;

#[subscriptions]
impl OtherGateway {}

impl OnGatewayInit for ChatGateway {
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        server.of::<Self>().send(&Left);
        Ok(())
    }
}

impl OnGatewayDisconnect for ChatGateway {
    async fn on_disconnect(&self, client: &Client, _: &DisconnectReason) {
        client.of::<Self>().broadcast().send(&Left);
    }
}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("say")]
    async fn say(&self, client: ConnectedSocket, MessageBody(body): MessageBody<String>) {
        self.server.to("lobby").except(&*client).send(&MessageSent { body });
        // What is no part of the contract is still emitted by its name.
        self.server.emit("anything", &1);
        self.server.to("lobby").emit("anything", &1);
        self.audit.left();
    }

    #[subscribe_message("leave")]
    async fn leave(&self, client: ConnectedSocket, server: Server) {
        let _ = client.of::<Self>().send(&Left).await;
        client.of::<Self>().send_volatile(&Left);
        server.of::<Self>().send(&Left);
    }
}

fn main() {}
