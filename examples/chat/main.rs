//! One gateway, two kinds of clients, the same room.
//!
//! ```sh
//! cargo run --example chat
//! ```
//!
//! Open the URL that it prints: the stock `socket.io-client` on the left half of
//! the page, a plain `new WebSocket` on the right half. [`gateway`] is the whole
//! chat; the rest is a page and something that produces tokens.
//!
//! `PORT=N`, or `-- --port N`, asks for a port (3000; 0 takes any free one).

mod gateway;
mod model;
mod page;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use gateway::ChatModule;
use nest_gateway::App;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let wanted = port()?;
    // The first address of these that is free.
    let addresses: Vec<_> = (wanted..=wanted.saturating_add(20))
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .collect();

    let app = App::new::<ChatModule>()
        .routes(page::routes())
        .listen(&addresses[..])
        .await?;

    if wanted != 0 && app.local_addr().port() != wanted {
        println!("port {wanted} is taken, so this is the next one that is free");
    }
    println!("chat at {} (Ctrl-C to stop)", app.url());
    app.until_signal().await;
    Ok(())
}

fn port() -> Result<u16, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?),
        (Some("--port"), Some(port)) => Ok(port.parse()?),
        _ => Err("usage: cargo run --example chat -- [--port N]".into()),
    }
}
