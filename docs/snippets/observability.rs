//! Logs and counters.

use axum::{Json, Router, routing::get};
use nest_gateway::Stats;
use nest_gateway::interceptors::LoggingInterceptor;
use nest_gateway::prelude::*;
use serde_json::{Value, json};

// ANCHOR: stats
async fn stats(stats: Inject<Stats>) -> Json<Value> {
    Json(json!({
        "clients": stats.clients(),
        "messages_received": stats.messages_received(),
        "messages_dropped": stats.messages_dropped(),
        "slow_consumers": stats.slow_consumers(),
    }))
}

fn app() -> nest_gateway::AppBuilder {
    App::new::<AppModule>()
        .use_interceptor_value(LoggingInterceptor)
        .routes(Router::new().route("/stats", get(stats)))
}
// ANCHOR_END: stats

#[module()]
struct AppModule;

#[tokio::test]
async fn the_counters_are_a_route() {
    let app = app().listen("127.0.0.1:0").await.expect("starts");
    let stats = nest_gateway_testkit::client::http::get(app.local_addr(), "/stats").await;
    assert_eq!(stats.expect("an answer").json()["clients"], 0);
}
