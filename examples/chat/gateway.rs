//! The chat itself. Which kind of client is talking is not its business.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::Stream;
use nest_gateway::prelude::*;
use nest_gateway::{ClientId, module, subscriptions, websocket_gateway};
use serde::{Deserialize, Serialize};

use crate::model::{self, Token};

/// Everything that belongs together, for `App::new`.
#[module(providers(ChatGateway))]
pub(crate) struct ChatModule;

/// Rooms full of people, at `/chat`.
#[websocket_gateway(namespace = "/chat")]
pub(crate) struct ChatGateway {
    server: WebSocketServer,
    #[inject(default)]
    last_message: AtomicU64,
}

#[subscriptions]
impl ChatGateway {
    /// Enters a room, leaving the former one; or takes a new name.
    #[subscribe_message("join")]
    async fn join(
        &self,
        MessageBody(join): MessageBody<Join>,
        client: ConnectedSocket,
    ) -> Result<Joined, WsException> {
        let room = within("room", &join.room, 40)?;
        let name = within("name", &join.name, 24)?;
        client.join(room.as_str()).await?;
        let person = Person {
            name,
            room: room.clone(),
        };
        let before = client.data().insert(person);
        if let Some(before) = before.filter(|before| before.room != room) {
            client.leave(&before.room).await;
            self.tell_members(&before.room, &client);
        }
        self.tell_members(&room, &client);
        let members = self.members(&room);
        Ok(Joined { room, members })
    }

    /// Says something to everybody else in the room.
    #[subscribe_message("say")]
    async fn say(
        &self,
        MessageBody(say): MessageBody<Say>,
        client: ConnectedSocket,
    ) -> Result<Said, WsException> {
        let text = within("text", &say.text, 500)?;
        let Some(person) = client.data().get::<Person>() else {
            return Err(WsException::new("join a room first"));
        };
        let id = self.last_message.fetch_add(1, Ordering::Relaxed) + 1;
        let said = Said { id, at: now() };
        let message = Message {
            said,
            from: Sender {
                id: client.id(),
                name: &person.name,
            },
            text: &text,
        };
        client.to(&person.room).emit("message", &message);
        Ok(said)
    }

    /// Answers token by token. Returning a stream is all there is to it.
    #[subscribe_message("prompt")]
    async fn prompt(
        &self,
        MessageBody(prompt): MessageBody<Prompt>,
    ) -> Result<impl Stream<Item = Token> + use<>, WsException> {
        let text = within("text", &prompt.text, 200)?;
        Ok(model::answer(&text))
    }
}

impl OnGatewayDisconnect for ChatGateway {
    async fn on_disconnect(&self, client: &Client, _reason: &DisconnectReason) {
        if let Some(person) = client.data().get::<Person>() {
            client.leave(&person.room).await;
            self.tell_members(&person.room, client);
        }
    }
}

impl ChatGateway {
    /// Tells the room who is in it, all but the one who caused it.
    fn tell_members(&self, room: &str, cause: &Client) {
        let members = self.members(room);
        cause.to(room).emit("members", &Members { members });
    }

    fn members(&self, room: &str) -> Vec<Member> {
        let clients = self.server.to(room).sockets();
        let mut members: Vec<_> = clients.iter().filter_map(Member::of).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }
}

/// What the gateway remembers of a client.
struct Person {
    name: String,
    room: String,
}

#[derive(Deserialize)]
struct Join {
    room: String,
    name: String,
}

#[derive(Serialize)]
struct Joined {
    room: String,
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Members {
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    id: ClientId,
    name: String,
    transport: &'static str,
}

impl Member {
    fn of(client: &Client) -> Option<Self> {
        let person = client.data().get::<Person>()?;
        Some(Self {
            id: client.id(),
            name: person.name.clone(),
            transport: client.adapter(),
        })
    }
}

#[derive(Deserialize)]
struct Say {
    text: String,
}

#[derive(Clone, Copy, Serialize)]
struct Said {
    id: u64,
    /// Milliseconds since 1970, as JavaScript counts.
    at: u64,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(flatten)]
    said: Said,
    from: Sender<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct Sender<'a> {
    id: ClientId,
    name: &'a str,
}

#[derive(Deserialize)]
struct Prompt {
    text: String,
}

/// The text without space around it, if anything is left and it is not too long.
fn within(field: &str, text: &str, most: usize) -> Result<String, WsException> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(WsException::new(format!("{field} is empty"))),
        count if count > most => Err(WsException::new(format!(
            "{field} is longer than {most} characters"
        ))),
        _ => Ok(text.to_owned()),
    }
}

fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
