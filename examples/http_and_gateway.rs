//! HTTP routes and a gateway on one port, with the same providers.
//!
//! ```sh
//! cargo run --example http_and_gateway
//! curl -X POST localhost:3000/notes -H 'content-type: application/json' -d '"buy milk"'
//! curl localhost:3000/notes
//! ```
//!
//! A client at `ws://127.0.0.1:3000/notes` hears of every note, whoever added
//! it. The GET at `/notes` and the WebSocket at `/notes` do not disturb each
//! other: only an upgrade is the gateway's.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use nest_gateway::prelude::*;

// ANCHOR: service
/// The notes, in memory. Both sides use this one instance.
#[injectable]
struct Notes {
    server: ServerOf<NotesGateway>,
    #[inject(default)]
    notes: Mutex<Vec<String>>,
}

impl Notes {
    fn add(&self, note: String) -> usize {
        self.server.emit("added", &note);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(note);
        notes.len()
    }

    fn all(&self) -> Vec<String> {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
// ANCHOR_END: service

// ANCHOR: routes
fn routes() -> Router {
    Router::new().route("/notes", get(list).post(add))
}

async fn list(notes: Inject<Notes>) -> Json<Vec<String>> {
    Json(notes.all())
}

async fn add(notes: Inject<Notes>, Json(note): Json<String>) -> (StatusCode, Json<usize>) {
    (StatusCode::CREATED, Json(notes.add(note)))
}
// ANCHOR_END: routes

// ANCHOR: gateway
#[websocket_gateway(namespace = "/notes")]
struct NotesGateway {
    notes: Arc<Notes>,
}

#[subscriptions]
impl NotesGateway {
    #[subscribe_message("list")]
    async fn list(&self) -> Vec<String> {
        self.notes.all()
    }

    #[subscribe_message("add")]
    async fn add(&self, MessageBody(note): MessageBody<String>) -> usize {
        self.notes.add(note)
    }
}
// ANCHOR_END: gateway

#[module(providers(Notes, NotesGateway))]
struct NotesModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<NotesModule>()
        .routes(routes())
        .listen(("127.0.0.1", port))
        .await?;
    println!("listening on {}", app.url());
    app.until_signal().await;
    Ok(())
}
