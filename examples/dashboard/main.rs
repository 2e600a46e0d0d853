//! Live plots: a page with a chart that a gateway feeds four times a second.
//!
//! ```sh
//! cargo run --example dashboard
//! ```
//!
//! What is plotted is measured in this process: how late the runtime's timer
//! is, and how many messages the gateway sends. The button makes load.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use nest_gateway::prelude::*;
use nest_gateway::{OnShutdown, Stats};
use serde::Serialize;
use tokio::task::AbortHandle;
use tokio::time::Instant;

const PERIOD: Duration = Duration::from_millis(250);
/// Samples that a new client gets: half a minute.
const HISTORY: usize = 120;

#[derive(Clone, Copy, Serialize)]
struct Sample {
    /// How late the timer fired, in microseconds.
    lag: u64,
    /// Messages sent since the sample before.
    sent: u64,
    clients: usize,
}

// ANCHOR: gateway
#[websocket_gateway(namespace = "/dashboard")]
struct DashboardGateway {
    stats: Arc<Stats>,
    #[inject(default)]
    samples: Arc<Mutex<VecDeque<Sample>>>,
    #[inject(default)]
    sampler: Mutex<Option<AbortHandle>>,
}

impl OnGatewayInit for DashboardGateway {
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        let sampling = sample(server.clone(), self.stats.clone(), self.samples.clone());
        let task = tokio::spawn(sampling);
        *self.sampler.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        Ok(())
    }
}

impl OnGatewayConnection for DashboardGateway {
    /// What a hook emits arrives before anything else.
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        client.emit("history", &*samples);
        Ok(())
    }
}

impl OnShutdown for DashboardGateway {
    async fn on_shutdown(&self) -> Result<(), BoxError> {
        let task = self
            .sampler
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        task.iter().for_each(AbortHandle::abort);
        Ok(())
    }
}

#[subscriptions]
impl DashboardGateway {
    /// A burst of messages back to the client, to see the chart move.
    #[subscribe_message("load")]
    async fn load(&self, client: ConnectedSocket) {
        for i in 0..2_000 {
            client.emit_volatile("noise", &i);
        }
    }
}
// ANCHOR_END: gateway

/// A sample in every period, to everybody. A client that is too slow for it
/// misses samples, which is what `volatile` is for.
async fn sample(server: WebSocketServer, stats: Arc<Stats>, history: Arc<Mutex<VecDeque<Sample>>>) {
    let mut due = Instant::now();
    let mut sent = stats.messages_sent();
    loop {
        due += PERIOD;
        tokio::time::sleep_until(due).await;
        let before = std::mem::replace(&mut sent, stats.messages_sent());
        let sample = Sample {
            lag: u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX),
            sent: sent - before,
            clients: stats.clients(),
        };
        let mut samples = history.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == HISTORY {
            samples.pop_front();
        }
        samples.push_back(sample);
        drop(samples);
        server.volatile().emit("sample", &sample);
    }
}

#[module(providers(DashboardGateway))]
struct DashboardModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<DashboardModule>()
        .routes(Router::new().route("/", get(Html(include_str!("page.html")))))
        .listen(("127.0.0.1", port))
        .await?;
    println!("open {}", app.url());
    app.until_signal().await;
    Ok(())
}
