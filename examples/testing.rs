//! A gateway and its tests.
//!
//! ```sh
//! cargo test --example testing     # the tests
//! cargo run --example testing      # the gateway itself
//! ```
//!
//! `TestApp` starts the application on a free port, with a client in memory and
//! one for every adapter. A test over `for_each_wire!` runs on each of them.

use std::sync::Arc;

use nest_gateway::prelude::*;
use serde::{Deserialize, Serialize};

/// What the gateway needs from the outside world.
trait Scores: Send + Sync {
    fn best(&self) -> u32;
}

struct Table;

impl Scores for Table {
    fn best(&self) -> u32 {
        1_000
    }
}

#[derive(Deserialize)]
struct Score {
    player: String,
    points: u32,
}

#[derive(Clone, Serialize)]
struct Record {
    player: String,
    points: u32,
}

#[websocket_gateway(namespace = "/game")]
struct GameGateway {
    server: WebSocketServer,
    scores: Arc<dyn Scores>,
}

#[subscriptions]
impl GameGateway {
    /// Tells everybody about a new record, and the player whether it is one.
    #[subscribe_message("score")]
    async fn score(&self, MessageBody(score): MessageBody<Score>) -> Result<bool, WsException> {
        if score.player.is_empty() {
            return Err(WsException::new("Who are you?").with_code("no_name"));
        }
        let is_record = score.points > self.scores.best();
        if is_record {
            let Score { player, points } = score;
            self.server.emit("record", &Record { player, points });
        }
        Ok(is_record)
    }
}

#[module(providers(GameGateway, value(Table) as dyn Scores))]
struct GameModule;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let app = App::new::<GameModule>().listen(("127.0.0.1", port)).await?;
    println!("listening on {}", app.url());
    app.until_signal().await;
    Ok(())
}

// ANCHOR: tests
#[cfg(test)]
mod tests {
    use nest_gateway::Provider;
    use nest_gateway_testkit::{
        TestApp, assert_broadcast, assert_exception, assert_reply, for_each_wire, refute_push,
    };

    use super::*;

    /// A game whose record is 10 points.
    struct Ten;

    impl Scores for Ten {
        fn best(&self) -> u32 {
            10
        }
    }

    fn ten() -> Provider {
        Provider::arc::<dyn Scores>(Arc::new(Ten))
    }

    #[tokio::test]
    async fn a_player_without_a_name_is_refused() {
        let app = TestApp::new::<GameModule>().start().await;
        let mut ada = app.client("/game").connect().await;
        assert_exception!(ada, "score", {"player": "", "points": 1} => {"code": "no_name"});
    }

    for_each_wire! {
        async fn a_record_is_announced_to_everybody(wire) {
            let app = TestApp::new::<GameModule>().override_provider(ten()).on(wire).start().await;
            let mut ada = app.client("/game").connect().await;
            let mut grace = app.client("/game").connect().await;
            grace.round_trip().await;
            assert_reply!(ada, "score", {"player": "Ada", "points": 11} => true);
            assert_broadcast!([ada, grace], "record", {"player": "Ada"}, ..);
        }

        async fn a_lower_score_is_nobody_elses_business(wire) {
            let app = TestApp::new::<GameModule>().override_provider(ten()).on(wire).start().await;
            let mut ada = app.client("/game").connect().await;
            let mut grace = app.client("/game").connect().await;
            assert_reply!(ada, "score", {"player": "Ada", "points": 10} => false);
            refute_push!(grace, "record");
        }
    }
}
// ANCHOR_END: tests
