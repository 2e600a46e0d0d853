//! tokio-tungstenite by somebody who knows it: one task and one bounded queue
//! per client, a message encoded once, all that waits fed and flushed once.

#[path = "rooms.rs"]
mod rooms;

use std::error::Error;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use nest_gateway_benches::peer::{self, PeerArgs};
use rooms::{Envelope, Join, Joined, QUEUE, Rooms, Stream, Token, event};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Box<dyn Error>> {
    let args = PeerArgs::of_process()?;
    args.runtime()?.block_on(async {
        let listener = TcpListener::bind(args.address()).await?;
        peer::announce(listener.local_addr()?)?;
        let rooms = Arc::new(Rooms::new());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let rooms = Arc::clone(&rooms);
            tokio::spawn(async move {
                let mut joined = Vec::new();
                let id = rooms.next_id();
                // A dropped connection is how every client of the generator leaves.
                let _: Result<(), Failure> = serve(stream, &rooms, id, &mut joined).await;
                rooms.leave(&joined, id);
            });
        }
    })
}

async fn serve(
    stream: TcpStream,
    rooms: &Rooms<Utf8Bytes>,
    id: u64,
    joined: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let (queue, mut waiting) = mpsc::channel(QUEUE);
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                let Message::Text(text) = message? else { continue };
                let Envelope { event: name, data } = serde_json::from_str(&text)?;
                match name {
                    "echo" => socket.send(Message::text(event("echo", data)?)).await?,
                    "join" => {
                        let Join { room } = serde_json::from_str(data.get())?;
                        rooms.join(&room, id, queue.clone());
                        let reply = event("join", Joined { joined: &room })?;
                        joined.push(room);
                        socket.send(Message::text(reply)).await?;
                    }
                    "bcast" => rooms.send("r", &event("msg", data)?.into()),
                    "stream" => stream_tokens(&mut socket, data.get()).await?,
                    _ => {}
                }
            }
            Some(text) = waiting.recv() => {
                socket.feed(Message::Text(text)).await?;
                while let Ok(text) = waiting.try_recv() {
                    socket.feed(Message::Text(text)).await?;
                }
                socket.flush().await?;
            }
        }
    }
}

async fn stream_tokens(
    socket: &mut WebSocketStream<TcpStream>,
    request: &str,
) -> Result<(), Failure> {
    let Stream { n } = serde_json::from_str(request)?;
    for i in 0..n {
        let token = event("token", Token { i, t: "hello" })?;
        socket.feed(Message::text(token)).await?;
    }
    Ok(socket.flush().await?)
}
