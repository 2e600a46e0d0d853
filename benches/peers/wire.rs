//! Our own wire crate without a gateway around it: what is left between this
//! and the floor is the wire's to save, and between this and `native` the
//! core's and the adapter's.

#[path = "messages.rs"]
mod messages;

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use messages::{Envelope, Join, Joined, Stream, Token};
use nest_gateway_benches::peer::{self, PeerArgs};
use nest_gateway_wire::{
    AcceptConfig, Acceptor, BorrowedFrame, Class, Event, Flusher, Frame, OpCode, Outbox, Push,
    Upgrade, WebSocket, WebSocketConfig, serve,
};
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

/// Who is in which room. Outboxes are told apart by their address.
type Rooms = Mutex<HashMap<String, HashMap<usize, Arc<Outbox>>>>;

struct Server {
    rooms: Rooms,
    acceptor: Arc<Acceptor>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = PeerArgs::of_process()?;
    args.runtime()?.block_on(async {
        let listener = TcpListener::bind(args.address()).await?;
        peer::announce(listener.local_addr()?)?;
        let server = Arc::new(Server {
            rooms: Mutex::default(),
            acceptor: Acceptor::new(WebSocketConfig::default(), Flusher::spawn()),
        });
        let service =
            tower::service_fn(move |request| ready(Ok::<_, Infallible>(answer(request, &server))));
        let never = std::future::pending();
        serve(listener, service, AcceptConfig::default(), never).await;
        Ok(())
    })
}

fn answer(mut request: Request<Incoming>, server: &Arc<Server>) -> Response<Full<Bytes>> {
    let upgrade = match Upgrade::from_request(&mut request) {
        Ok(upgrade) => upgrade,
        Err(error) => return error.response().map(Full::new),
    };
    let (response, socket) = upgrade.accept(&server.acceptor, None);
    let server = Arc::clone(server);
    tokio::spawn(async move {
        if let Ok(socket) = socket.await {
            // A task of its own is as large as what it needs, while this one is
            // as large as the upgrade.
            tokio::spawn(serve_client(socket, server));
        }
    });
    response.map(|()| Full::default())
}

async fn serve_client(mut socket: WebSocket, server: Arc<Server>) {
    let outbox = Arc::clone(socket.outbox());
    let mut joined = Vec::new();
    // A client that does not read or has left is no concern of the others.
    let _: Result<(), Failure> = converse(&mut socket, &outbox, &server, &mut joined).await;
    leave(&server.rooms, &outbox, &joined);
}

async fn converse(
    socket: &mut WebSocket,
    outbox: &Arc<Outbox>,
    server: &Server,
    joined: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut buffer = Vec::new();
    loop {
        let text = match socket.next().await {
            Event::Text(text) => text,
            Event::Closed(_) => return Ok(()),
            _ => continue,
        };
        let Envelope { event, data } = serde_json::from_slice(&text)?;
        match event {
            "echo" => reply(outbox, &mut buffer, event, data)?,
            "join" => {
                let Join { room } = serde_json::from_str(data.get())?;
                join(&server.rooms, outbox, &room);
                reply(outbox, &mut buffer, event, Joined { joined: &room })?;
                joined.push(room);
            }
            "bcast" => broadcast(&server.rooms, &frame("msg", data)?),
            "stream" => {
                let Stream { n } = serde_json::from_str(data.get())?;
                for i in 0..n {
                    if i % TOKENS_AT_ONCE == 0 {
                        outbox.room(0).await?;
                    }
                    reply(outbox, &mut buffer, "token", Token { i, t: "hello" })?;
                }
            }
            _ => {}
        }
    }
}

/// Tokens that are queued before the client is asked for room again.
const TOKENS_AT_ONCE: u64 = 32;

/// Sends an event to the connection alone, by way of a buffer that serves for all of them.
fn reply<T: serde::Serialize>(
    outbox: &Arc<Outbox>,
    buffer: &mut Vec<u8>,
    event: &str,
    data: T,
) -> Result<(), Failure> {
    buffer.clear();
    let mut result = Ok(());
    Frame::append(buffer, OpCode::Text, 192, |buffer| {
        result = serde_json::to_writer(buffer, &messages::Event { event, data });
    });
    result?;
    let frame = BorrowedFrame::of(buffer).ok_or("not one frame")?;
    match outbox.push_own(frame) {
        Push::Queued | Push::Dropped { .. } => Ok(()),
        Push::Overflow | Push::Closed => Err("the client does not read".into()),
    }
}

/// An event for many, written once where it stays.
fn frame<T: serde::Serialize>(event: &str, data: T) -> Result<Frame, Failure> {
    let mut result = Ok(());
    let frame = Frame::build(OpCode::Text, 192, |buffer| {
        result = serde_json::to_writer(buffer, &messages::Event { event, data });
    });
    result?;
    Ok(frame)
}

fn key(outbox: &Arc<Outbox>) -> usize {
    Arc::as_ptr(outbox).addr()
}

fn join(rooms: &Rooms, outbox: &Arc<Outbox>, room: &str) {
    let mut rooms = rooms.lock().expect("no panic under the lock");
    let members = rooms.entry(room.to_owned()).or_default();
    members.insert(key(outbox), Arc::clone(outbox));
}

fn leave(rooms: &Rooms, outbox: &Arc<Outbox>, joined: &[String]) {
    let mut rooms = rooms.lock().expect("no panic under the lock");
    for name in joined {
        if let Some(members) = rooms.get_mut(name) {
            members.remove(&key(outbox));
            if members.is_empty() {
                rooms.remove(name);
            }
        }
    }
}

fn broadcast(rooms: &Rooms, frame: &Frame) {
    let rooms = rooms.lock().expect("no panic under the lock");
    for outbox in rooms.get("r").into_iter().flat_map(HashMap::values) {
        // The outbox closes itself when it overflows; its task then leaves.
        let _ = outbox.push(frame.clone(), Class::Normal);
    }
}
