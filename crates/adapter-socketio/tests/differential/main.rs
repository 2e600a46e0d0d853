//! The same actions of a client against our adapter and against socketioxide, which have
//! to answer with the same packets, up to the differences that the script lists.
//!
//! The script, `tests/differential/script.json` of the workspace, is shared with the
//! Node.js test of the `clients` tier, which runs it against the `socket.io` server.

mod peers;
mod player;
mod script;

use peers::{Peer, Ping};
use player::play;
use script::Script;

/// Starts the servers anew for each scenario, so that none can disturb another.
async fn compare(start: impl AsyncFn(Ping) -> Peer) {
    let script = Script::read();
    let mut wrong = Vec::new();
    for scenario in &script.scenarios {
        let peer = start(Ping::of(scenario.ping)).await;
        if let Err(why) = play(&peer, scenario).await {
            wrong.push(format!("{}: {why}", scenario.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn our_adapter_does_what_the_script_says() {
    compare(peers::ours).await;
}

#[tokio::test]
async fn socketioxide_does_the_same_but_for_the_listed_differences() {
    compare(peers::socketioxide).await;
}

#[test]
fn every_listed_difference_is_one_and_has_a_reason() {
    for scenario in Script::read().scenarios {
        scenario.check();
    }
}
