use nest_gateway::prelude::*;

struct SendMessage;

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("send_message")]
    async fn send_message(&self, MessageBody(message): MessageBody<SendMessage>) {
        let SendMessage = message;
    }
}

fn main() {}
