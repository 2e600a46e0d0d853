//! The chat example of axum with one broadcast channel: what most people write
//! first. Each client selects between its socket and the channel, and sends
//! each message by itself.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use nest_gateway_benches::peer::{self, PeerArgs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};

#[derive(Serialize, Deserialize)]
struct Envelope {
    event: String,
    data: Value,
}

struct App {
    room: broadcast::Sender<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = PeerArgs::of_process()?;
    args.runtime()?.block_on(async {
        let (room, _) = broadcast::channel(1024);
        let app = Router::new()
            .route("/", get(upgrade))
            .with_state(Arc::new(App { room }));
        let listener = TcpListener::bind(args.address()).await?;
        peer::announce(listener.local_addr()?)?;
        // Without this, Nagle's algorithm holds small messages back for 40 ms.
        let listener = listener.tap_io(|stream| {
            // It fails for a connection that is gone already.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, app).await?)
    })
}

async fn upgrade(upgrade: WebSocketUpgrade, State(app): State<Arc<App>>) -> Response {
    upgrade.on_upgrade(async |socket| {
        if let Err(error) = serve(socket, app).await {
            // A dropped connection is how every client of the generator leaves.
            drop(error);
        }
    })
}

async fn serve(mut socket: WebSocket, app: Arc<App>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut room: Option<broadcast::Receiver<String>> = None;
    loop {
        let received = async {
            match &mut room {
                Some(room) => room.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = received => match message {
                Ok(text) => socket.send(Message::Text(text.into())).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
            message = socket.recv() => {
                let Some(message) = message else { return Ok(()) };
                let Message::Text(text) = message? else { continue };
                let Envelope { event, data } = serde_json::from_str(&text)?;
                match event.as_str() {
                    "echo" => reply(&mut socket, "echo", data).await?,
                    "join" => {
                        room = Some(app.room.subscribe());
                        reply(&mut socket, "join", json!({ "joined": data["room"] })).await?;
                    }
                    "bcast" => {
                        // The error says that nobody is in the room.
                        let _ = app.room.send(envelope("msg", data)?);
                    }
                    "stream" => {
                        for i in 0..data["n"].as_u64().unwrap_or(0) {
                            reply(&mut socket, "token", json!({ "i": i, "t": "hello" })).await?;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn envelope(event: &str, data: Value) -> serde_json::Result<String> {
    serde_json::to_string(&Envelope {
        event: event.to_owned(),
        data,
    })
}

async fn reply(
    socket: &mut WebSocket,
    event: &str,
    data: Value,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(socket
        .send(Message::Text(envelope(event, data)?.into()))
        .await?)
}
