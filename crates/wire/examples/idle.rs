//! What an idle connection costs: resident memory of the server per connection. The clients are a
//! process of their own.
//!
//! ```text
//! cargo run --release -p nest-gateway-wire --example idle -- [connections]
//! ```

#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use http::Request;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use nest_gateway_wire::{
    AcceptConfig, Acceptor, Event, Flusher, Outbox, Upgrade, WebSocket, WebSocketConfig, serve,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let connections = args.next().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    match args.next().and_then(|address| address.parse().ok()) {
        Some(address) => clients(address, connections),
        None => server(connections),
    }
}

/// Connects, and stays until the server is done with its input.
fn clients(address: SocketAddr, connections: usize) -> std::io::Result<()> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(HANDSHAKE)?;
        let mut head = [0; 129];
        stream.read_exact(&mut head)?;
        streams.push(stream);
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn server(connections: usize) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, mut accepted) = mpsc::channel(1);
        let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
        let service = tower::service_fn(move |mut request: Request<Incoming>| {
            let upgrade = Upgrade::from_request(&mut request).expect("our own client");
            let (response, socket) = upgrade.accept(&acceptor, None);
            let sender = sender.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = socket.await else { return };
                if sender.send(()).await.is_err() {
                    return;
                }
                drop(sender);
                while !matches!(socket.next().await, Event::Closed(_)) {}
            });
            async move { Ok::<_, Infallible>(response.map(|()| Full::<Bytes>::default())) }
        });
        tokio::spawn(serve(
            listener,
            service,
            AcceptConfig::default(),
            std::future::pending(),
        ));
        let mut clients = Command::new(std::env::current_exe()?)
            .arg(connections.to_string())
            .arg(address.to_string())
            .stdin(Stdio::piped())
            .spawn()?;
        let mut before = resident();
        for number in 1..=connections {
            accepted.recv().await;
            // The first ones warm up what there is one of.
            if number == connections / 10 {
                before = resident();
            }
        }
        let each = (resident() - before) * 1024.0 / (connections - connections / 10) as f64;
        writeln!(
            std::io::stdout(),
            "{each:.0} bytes per connection; WebSocket {}, Outbox {}",
            size_of::<WebSocket>(),
            size_of::<Outbox>()
        )?;
        drop(clients.stdin.take());
        clients.wait()?;
        Ok(())
    })
}

/// Resident memory in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or(f64::NAN)
}
