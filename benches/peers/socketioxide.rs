//! socketioxide on axum, as its examples show it. The queue per client is as
//! long as ours, since its default of 128 packets loses tokens of a stream.

use std::error::Error;

use axum::Router;
use axum::serve::ListenerExt as _;
use nest_gateway_benches::peer::{self, PeerArgs};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use tokio::net::TcpListener;

const QUEUE: usize = 4096;

#[derive(Deserialize)]
struct Join {
    room: String,
}

#[derive(Serialize)]
struct Joined {
    joined: String,
}

#[derive(Deserialize)]
struct Stream {
    n: u64,
}

#[derive(Serialize)]
struct Token {
    i: u64,
    t: &'static str,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = PeerArgs::of_process()?;
    args.runtime()?.block_on(async {
        let (layer, io) = SocketIo::builder().max_buffer_size(QUEUE).build_layer();
        io.ns("/", on_connect);
        let app: Router = Router::new().layer(layer);
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

async fn on_connect(socket: SocketRef) {
    socket.on("echo", async |Data::<Value>(data), ack: AckSender| {
        // Sending fails when the client has left meanwhile, here and below.
        let _ = ack.send(&data);
    });
    socket.on(
        "join",
        async |socket: SocketRef, Data::<Join>(Join { room }), ack: AckSender| {
            socket.join(room.clone());
            let _ = ack.send(&Joined { joined: room });
        },
    );
    socket.on("bcast", async |io: SocketIo, Data::<Value>(data)| {
        let _ = io.to("r").emit("msg", &data).await;
    });
    socket.on(
        "stream",
        async |socket: SocketRef, Data::<Stream>(Stream { n })| {
            for i in 0..n {
                let _ = socket.emit("token", &Token { i, t: "hello" });
            }
        },
    );
}
