//! A chat in 60 lines.

// ANCHOR: all
use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Join {
    room: String,
    name: String,
}

#[derive(Clone, Default)]
struct Person {
    room: String,
    name: String,
}

#[derive(Serialize)]
struct Message<'a> {
    from: &'a str,
    text: &'a str,
}

#[websocket_gateway(namespace = "/chat")]
struct ChatGateway {}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("join")]
    async fn join(
        &self,
        MessageBody(Join { room, name }): MessageBody<Join>,
        client: ConnectedSocket,
        person: State<Person>,
    ) -> Result<usize, WsException> {
        client.join(room.as_str()).await?;
        let before = person.set(Person {
            room: room.clone(),
            name,
        });
        if !before.room.is_empty() && before.room != room {
            client.leave(&before.room).await;
        }
        Ok(client.to(&room).sockets().len())
    }

    #[subscribe_message("say")]
    async fn say(
        &self,
        MessageBody(text): MessageBody<String>,
        client: ConnectedSocket,
        person: State<Person>,
    ) -> Result<usize, WsException> {
        let Person { room, name } = person.get();
        if room.is_empty() {
            return Err(WsException::new("Join a room first"));
        }
        let message = Message {
            from: &name,
            text: &text,
        };
        Ok(client.to(&room).emit("message", &message).receivers())
    }
}

#[module(providers(ChatGateway))]
struct ChatModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new::<ChatModule>().listen("127.0.0.1:3000").await?;
    println!("listening on {}", app.url());
    app.until_signal().await;
    Ok(())
}
// ANCHOR_END: all

// ANCHOR: test
#[cfg(test)]
mod tests {
    use nest_gateway_testkit::{TestApp, assert_push, assert_reply};

    #[tokio::test]
    async fn members_of_a_room_hear_each_other() {
        let app = TestApp::new::<super::ChatModule>().start().await;
        let mut ada = app.client("/chat").connect().await;
        let mut grace = app.client("/chat").connect().await;
        assert_reply!(ada, "join", {"room": "a", "name": "Ada"} => 0);
        assert_reply!(grace, "join", {"room": "a", "name": "Grace"} => 1);
        assert_reply!(ada, "say", "hello" => 1);
        assert_push!(grace, "message", {"from": "Ada", "text": "hello"});
    }
}
// ANCHOR_END: test

#[cfg(test)]
mod attribute {
    // ANCHOR: gateway_test
    use nest_gateway_testkit::{TestApp, Wire, assert_exception, gateway_test};

    use super::ChatModule;

    #[gateway_test(adapters = all)]
    async fn who_is_in_no_room_is_told_so(wire: Wire) {
        let app = TestApp::new::<ChatModule>().on(wire).start().await;
        let mut ada = app.client("/chat").connect().await;
        assert_exception!(ada, "say", "hello" => {"message": "Join a room first"});
    }
    // ANCHOR_END: gateway_test
}
