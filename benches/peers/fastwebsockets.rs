//! fastwebsockets with a reading and a writing task per client. The crate has
//! no way to feed several messages and flush once: each is one write.

#[path = "rooms.rs"]
mod rooms;

use std::error::Error;
use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use fastwebsockets::upgrade::{self, UpgradeFut};
use fastwebsockets::{FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use nest_gateway_benches::peer::{self, PeerArgs};
use rooms::{Envelope, Join, Joined, QUEUE, Rooms, Stream, Token, event};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

type Failure = Box<dyn Error + Send + Sync>;

/// A frame for the writing task: its type and payload.
type Outgoing = (OpCode, Bytes);

/// [`OpCode`] is not `Clone`, but rooms only carry text.
#[derive(Clone)]
enum Queued {
    Text(Bytes),
    Pong(Bytes),
}

impl From<Queued> for Outgoing {
    fn from(queued: Queued) -> Self {
        match queued {
            Queued::Text(bytes) => (OpCode::Text, bytes),
            Queued::Pong(bytes) => (OpCode::Pong, bytes),
        }
    }
}

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
                let service = service_fn(move |request| ready(answer(request, Arc::clone(&rooms))));
                let connection = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades();
                // A dropped connection is how every client of the generator leaves.
                let _ = connection.await;
            });
        }
    })
}

fn answer(
    mut request: Request<Incoming>,
    rooms: Arc<Rooms<Queued>>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgrade) = upgrade::upgrade(&mut request)?;
    tokio::spawn(async move {
        let mut joined = Vec::new();
        let id = rooms.next_id();
        let _: Result<(), Failure> = serve(upgrade, &rooms, id, &mut joined).await;
        rooms.leave(&joined, id);
    });
    Ok(response)
}

async fn serve(
    upgrade: UpgradeFut,
    rooms: &Rooms<Queued>,
    id: u64,
    joined: &mut Vec<String>,
) -> Result<(), Failure> {
    let (reader, mut writer) = upgrade.await?.split(tokio::io::split);
    let mut reader = FragmentCollectorRead::new(reader);
    let (queue, mut waiting) = mpsc::channel::<Queued>(QUEUE);
    tokio::spawn(async move {
        while let Some(queued) = waiting.recv().await {
            let (opcode, bytes) = Outgoing::from(queued);
            let frame = Frame::new(true, opcode, None, Payload::Borrowed(&bytes));
            if writer.write_frame(frame).await.is_err() {
                return;
            }
        }
    });
    loop {
        let pong = queue.clone();
        let frame = reader
            .read_frame::<_, mpsc::error::SendError<Queued>>(&mut |frame: Frame<'_>| {
                let bytes = Bytes::copy_from_slice(&frame.payload);
                let pong = pong.clone();
                async move { pong.send(Queued::Pong(bytes)).await }
            })
            .await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text => {}
            _ => continue,
        }
        let Envelope { event: name, data } = serde_json::from_slice(&frame.payload)?;
        let text = |text: String| Queued::Text(text.into());
        match name {
            "echo" => queue.send(text(event("echo", data)?)).await?,
            "join" => {
                let Join { room } = serde_json::from_str(data.get())?;
                rooms.join(&room, id, queue.clone());
                queue
                    .send(text(event("join", Joined { joined: &room })?))
                    .await?;
                joined.push(room);
            }
            "bcast" => rooms.send("r", &text(event("msg", data)?)),
            "stream" => {
                let Stream { n } = serde_json::from_str(data.get())?;
                for i in 0..n {
                    queue
                        .send(text(event("token", Token { i, t: "hello" })?))
                        .await?;
                }
            }
            _ => {}
        }
    }
}
