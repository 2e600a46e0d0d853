//! Background jobs that report their progress to whoever watches.
//!
//! ```sh
//! cargo run --example jobs
//! ```
//!
//! The service that runs the jobs knows no client: it emits through the server
//! of the gateway (`ServerOf<JobsGateway>`) to the room of the job. A client
//! that comes later joins the room and gets the rest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use nest_gateway::OnShutdown;
use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// Jobs at a time.
const MAX_JOBS: usize = 8;

#[derive(Clone, Copy, Serialize)]
struct Progress {
    job: u64,
    done: u32,
    of: u32,
}

// ANCHOR: service
#[injectable]
struct JobService {
    server: ServerOf<JobsGateway>,
    #[inject(default)]
    ids: AtomicU64,
    #[inject(default)]
    running: Arc<Mutex<BTreeMap<u64, Progress>>>,
    #[inject(default)]
    tasks: Mutex<JoinSet<()>>,
}

impl JobService {
    fn start(&self, steps: u32) -> Result<Progress, WsException> {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        if tasks.len() == MAX_JOBS {
            return Err(WsException::new("Too many jobs are running").with_code("busy"));
        }
        let job = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        let progress = Progress {
            job,
            done: 0,
            of: steps,
        };
        lock(&self.running).insert(job, progress);
        tasks.spawn(work(
            progress,
            self.server.clone(),
            Arc::clone(&self.running),
        ));
        Ok(progress)
    }
}

async fn work(
    mut progress: Progress,
    server: ServerOf<JobsGateway>,
    running: Arc<Mutex<BTreeMap<u64, Progress>>>,
) {
    while progress.done < progress.of {
        tokio::time::sleep(Duration::from_millis(200)).await;
        progress.done += 1;
        lock(&running).insert(progress.job, progress);
        server.to(room(progress.job)).emit("progress", &progress);
    }
    lock(&running).remove(&progress.job);
    server.emit("finished", &progress.job);
}
// ANCHOR_END: service

impl OnShutdown for JobService {
    async fn on_shutdown(&self) -> Result<(), BoxError> {
        lock(&self.tasks).abort_all();
        Ok(())
    }
}

#[derive(Deserialize)]
struct Start {
    steps: u32,
}

// ANCHOR: gateway
#[websocket_gateway(namespace = "/jobs")]
struct JobsGateway {
    jobs: Arc<JobService>,
}

#[subscriptions]
impl JobsGateway {
    /// Starts a job; who starts it watches it.
    #[subscribe_message("start")]
    async fn start(
        &self,
        MessageBody(start): MessageBody<Start>,
        client: ConnectedSocket,
    ) -> Result<Progress, WsException> {
        let progress = self.jobs.start(start.steps.clamp(1, 100))?;
        client.join(room(progress.job)).await?;
        Ok(progress)
    }

    /// Watches a job that somebody else started.
    #[subscribe_message("watch")]
    async fn watch(
        &self,
        MessageBody(job): MessageBody<u64>,
        client: ConnectedSocket,
    ) -> Result<Option<Progress>, WsException> {
        client.join(room(job)).await?;
        Ok(lock(&self.jobs.running).get(&job).copied())
    }

    /// All jobs that are running.
    #[subscribe_message("list")]
    async fn list(&self) -> Vec<Progress> {
        lock(&self.jobs.running).values().copied().collect()
    }
}
// ANCHOR_END: gateway

fn room(job: u64) -> String {
    format!("job {job}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[module(providers(JobService, JobsGateway))]
struct JobsModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<JobsModule>()
        .routes(Router::new().route("/", get(Html(include_str!("page.html")))))
        .listen(("127.0.0.1", port))
        .await?;
    println!("open {}", app.url());
    app.until_signal().await;
    Ok(())
}
