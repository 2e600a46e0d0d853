//! Clients that lose their connection and come back (DESIGN 3.4, connection state recovery).

use std::time::Duration;

use nest_gateway::Recovery;
use serde_json::json;

use super::{Stage, Subject};
use crate::client::{Client, FormerSession, Incoming, Payload};
use crate::{assert_push, assert_reply, refute_event};

/// Longer than any test.
const WINDOW: Duration = Duration::from_mins(10);

/// Connects, is in room `r` with the state 7, and has got an event.
async fn memorable(stage: &Stage) -> Client {
    let mut client = stage.client().connect().await;
    client.request("join", json!({"room": "r"})).await;
    client.request("set", json!({"v": 7})).await;
    client
        .request("shout", json!({"room": "r", "text": "before"}))
        .await;
    client.expect_event("said").await;
    client
}

async fn id_of(client: &mut Client) -> String {
    let id = client.request("whoami", Payload::none()).await.into_data();
    id.as_str().expect("an id is a string").to_owned()
}

/// Cuts a client off and waits until the server has noticed.
async fn lose(stage: &Stage, mut client: Client) -> FormerSession {
    let former = session(&client);
    let away = stage.stats().clients_away() + 1;
    client.cut().await;
    stage
        .until("the client is away", || {
            stage.stats().clients_away() == away
        })
        .await;
    former
}

fn session(client: &Client) -> FormerSession {
    let former = client.former_session();
    former.expect("the server offers recovery")
}

async fn come_back(stage: &Stage, former: &FormerSession) -> Client {
    stage.client().coming_back(former.clone()).connect().await
}

/// Whether the client and the server agree that it has come back.
async fn has_recovered(client: &mut Client) -> bool {
    let recovered = client.request("recovered", Payload::none()).await;
    let recovered = recovered.data().as_bool().expect("a yes or no");
    assert_eq!(client.admitted().recovered, recovered, "the client is told");
    recovered
}

/// Numbers that somebody says in room `r`, while the client is away or here.
async fn say(sender: &mut Client, numbers: std::ops::Range<u32>) {
    for number in numbers {
        sender
            .request("shout", json!({"room": "r", "text": number}))
            .await;
    }
}

async fn expect_said(client: &mut Client, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let event = client.next_event().await;
        assert_eq!(
            (event.name.as_str(), &event.data()["text"]),
            ("said", &json!(number))
        );
    }
}

/// A lost client comes back to its id, rooms, state and what it missed, and `recovered` is
/// visible.
pub async fn a_lost_client_comes_back_with_all_that_it_had_and_missed(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut sender = stage.client().connect().await;
    let mut client = memorable(&stage).await;
    let id = id_of(&mut client).await;
    assert!(!has_recovered(&mut client).await, "it is new");
    let former = lose(&stage, client).await;
    say(&mut sender, 1..4).await;

    let mut client = come_back(&stage, &former).await;
    expect_said(&mut client, 1..4).await;
    assert!(has_recovered(&mut client).await);
    assert_eq!(id_of(&mut client).await, id);
    assert_reply!(client, "rooms" => ["r"]);
    assert_reply!(client, "get" => 7);
    say(&mut sender, 4..5).await;
    expect_said(&mut client, 4..5).await;
    assert_eq!(stage.stats().recoveries(), 1);
    assert_eq!(stage.stats().clients_away(), 0);
}

/// A client counts as a receiver while it is away, and nobody notices that it is.
pub async fn an_emit_reaches_a_client_that_is_away(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut sender = stage.client().connect().await;
    let mut client = memorable(&stage).await;
    let id = id_of(&mut client).await;
    let former = lose(&stage, client).await;
    assert_reply!(sender, "shout", {"room": "r", "text": 1} => 1);
    assert_reply!(sender, "dm", {"to": id, "text": "psst"} => 1);
    let mut client = come_back(&stage, &former).await;
    expect_said(&mut client, 1..2).await;
    assert_push!(client, "dm", "psst");
}

/// What is sent while a client loses its connection and comes back, again and again, arrives
/// once and in order.
pub async fn nothing_is_lost_or_doubled_while_a_client_comes_and_goes(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut sender = stage.client().connect().await;
    let mut client = memorable(&stage).await;
    let talking = async {
        for number in 0..300 {
            sender
                .request("shout", json!({"room": "r", "text": number}))
                .await;
        }
    };
    let listening = async {
        let mut expected = 0..300_u32;
        for losses in 1..=5 {
            let until = expected.start.max(losses * 50);
            expect_said(&mut client, expected.start..until).await;
            expected.start = until;
            for incoming in client.take_seen() {
                if let Incoming::Event(event) = incoming {
                    assert_eq!(event.data()["text"], json!(expected.start));
                    expected.start += 1;
                }
            }
            let former = session(&client);
            client.cut().await;
            client = come_back(&stage, &former).await;
        }
        expect_said(&mut client, expected).await;
        assert!(has_recovered(&mut client).await);
    };
    tokio::join!(talking, listening);
}

/// Volatile events are for those who are there.
pub async fn volatile_events_are_not_sent_again(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut sender = stage.client().connect().await;
    let client = memorable(&stage).await;
    let former = lose(&stage, client).await;
    sender
        .request("whisper", json!({"room": "r", "text": 1}))
        .await;
    say(&mut sender, 2..3).await;
    let mut client = come_back(&stage, &former).await;
    expect_said(&mut client, 2..3).await;
    refute_event!(client);
}

/// A client may come back as often as it likes.
pub async fn a_client_may_come_back_more_than_once(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut sender = stage.client().connect().await;
    let mut client = memorable(&stage).await;
    for number in 1..4 {
        let former = lose(&stage, client).await;
        say(&mut sender, number..number + 1).await;
        client = come_back(&stage, &former).await;
        expect_said(&mut client, number..number + 1).await;
        assert!(has_recovered(&mut client).await);
    }
}

/// The client notices a loss before the server does: the former connection has to go.
pub async fn a_client_that_notices_the_loss_first_takes_its_place_over(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut former_client = memorable(&stage).await;
    let id = id_of(&mut former_client).await;
    let former = session(&former_client);
    let mut client = come_back(&stage, &former).await;
    assert!(has_recovered(&mut client).await);
    assert_eq!(id_of(&mut client).await, id);
    former_client.expect_close().await;
    stage.until_clients(1).await;
    client.round_trip().await;
}

/// A gap that is too large is told, and never silent: more events than are kept.
pub async fn a_client_that_missed_too_much_begins_anew_and_is_told(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW).events(2)).await;
    let mut sender = stage.client().connect().await;
    let mut client = memorable(&stage).await;
    let id = id_of(&mut client).await;
    let former = lose(&stage, client).await;
    say(&mut sender, 1..4).await;
    let mut client = come_back(&stage, &former).await;
    assert!(!has_recovered(&mut client).await);
    assert_ne!(id_of(&mut client).await, id);
    assert_reply!(client, "rooms" => []);
    refute_event!(client);
    assert_eq!(stage.stats().failed_recoveries(), 1);
    assert_reply!(sender, "shout", {"room": "r", "text": 4} => 0);
}

/// The same with more bytes than are kept of one client.
pub async fn what_is_kept_of_a_client_is_bounded_in_bytes(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW).bytes(1_000)).await;
    let mut sender = stage.client().connect().await;
    let client = memorable(&stage).await;
    let former = lose(&stage, client).await;
    for _ in 0..2 {
        let long = json!({"room": "r", "text": "x".repeat(600)});
        sender.request("shout", long).await;
    }
    assert!(stage.stats().recovery_bytes() < 1_500, "with the places");
    let mut client = come_back(&stage, &former).await;
    assert!(!has_recovered(&mut client).await);
}

/// The same with more bytes than are kept of all clients together; they are given back.
pub async fn what_is_kept_of_all_clients_is_bounded_in_bytes(subject: Subject) {
    let recovery = Recovery::new(WINDOW).total_bytes(10_000);
    let stage = Stage::recovering(&subject, recovery).await;
    let mut sender = stage.client().connect().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(memorable(&stage).await);
    }
    for _ in 0..10 {
        let long = json!({"room": "r", "text": "x".repeat(1_000)});
        sender.request("shout", long).await;
        assert!(stage.stats().recovery_bytes() <= 10_000);
    }
    for client in &mut clients {
        client.close(1000, "").await;
        client.expect_close().await;
    }
    sender.close(1000, "").await;
    stage
        .until("nothing is kept", || stage.stats().recovery_bytes() == 0)
        .await;
}

/// The window ends, and with it the client: out of its rooms, and unknown.
pub async fn a_client_that_comes_back_too_late_begins_anew(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(Duration::from_millis(50))).await;
    let mut sender = stage.client().connect().await;
    let mut client = memorable(&stage).await;
    let id = id_of(&mut client).await;
    let former = session(&client);
    client.cut().await;
    stage.until_clients(1).await;
    assert_reply!(sender, "shout", {"room": "r", "text": 1} => 0);
    let mut client = come_back(&stage, &former).await;
    assert!(!has_recovered(&mut client).await);
    assert_ne!(id_of(&mut client).await, id);
}

/// When too many are away, those that are away for longest end.
pub async fn so_many_clients_may_be_away_and_no_more(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW).clients(1)).await;
    let (first, second) = (memorable(&stage).await, memorable(&stage).await);
    let first = lose(&stage, first).await;
    let mut second = second;
    let second_session = session(&second);
    second.cut().await;
    stage.until_clients(1).await;
    let mut client = come_back(&stage, &first).await;
    assert!(!has_recovered(&mut client).await);
    let mut client = come_back(&stage, &second_session).await;
    assert!(has_recovered(&mut client).await);
}

/// Who says goodbye, or is sent away, has left.
pub async fn a_client_that_left_on_purpose_begins_anew(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    for sent_away in [None, Some("kick"), Some("close_connection")] {
        let mut client = memorable(&stage).await;
        let former = session(&client);
        match sent_away {
            Some(event) => client.emit(event, Payload::none()).await,
            None => client.close(1000, "").await,
        }
        client.expect_close().await;
        stage.until_clients(0).await;
        let mut client = come_back(&stage, &former).await;
        assert!(!has_recovered(&mut client).await, "by {sent_away:?}");
        client.close(1000, "").await;
        stage.until_clients(0).await;
    }
}

/// Nobody comes back by guessing, or with what was never sent to it.
pub async fn a_wrong_session_or_offset_begins_anew(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let client = memorable(&stage).await;
    let former = lose(&stage, client).await;
    for (key, offset) in [
        ("A".repeat(24), former.offset.clone()),
        (String::new(), former.offset.clone()),
        ("é".repeat(12), former.offset.clone()),
        ("x".repeat(1_000), former.offset.clone()),
        (former.key.clone(), None),
        (former.key.clone(), Some(String::new())),
        (former.key.clone(), Some("-1".to_owned())),
        (former.key.clone(), Some("nonsense".to_owned())),
    ] {
        let wrong = FormerSession { key, offset };
        let mut client = come_back(&stage, &wrong).await;
        assert!(!has_recovered(&mut client).await, "{wrong:?}");
    }
    let mut client = come_back(&stage, &former).await;
    assert!(
        has_recovered(&mut client).await,
        "none of them did any harm"
    );
}

/// A session opens its own namespace only.
pub async fn a_session_belongs_to_its_namespace(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut client = memorable(&stage).await;
    let id = id_of(&mut client).await;
    let former = lose(&stage, client).await;
    let mut elsewhere = stage
        .client()
        .namespace("/second")
        .coming_back(former)
        .connect()
        .await;
    assert_ne!(id_of(&mut elsewhere).await, id);
    assert!(!elsewhere.admitted().recovered);
}

/// Guards are asked again about a client that comes back.
pub async fn guards_are_asked_again_about_a_client_that_comes_back(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let guarded = || {
        let client = stage.client().namespace("/guarded");
        client.header("authorization", "Bearer good")
    };
    let mut client = guarded().connect().await;
    client.request("bcast", json!(1)).await;
    client.expect_event("bc").await;
    let former = lose(&stage, client).await;
    let refused = stage
        .client()
        .namespace("/guarded")
        .coming_back(former.clone());
    refused.expect_refused().await;
    let mut client = guarded().coming_back(former).connect().await;
    client.round_trip().await;
    assert!(client.admitted().recovered);
}

/// Who reads too slowly is closed, and may come back for what is kept.
pub async fn a_client_that_was_too_slow_may_come_back(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut sender = stage.client().connect().await;
    let mut slow = stage.client().receive_buffer(16 * 1024).connect().await;
    slow.request("join", json!({"room": "slow"})).await;
    slow.request("shout", json!({"room": "slow", "text": 0}))
        .await;
    slow.expect_event("said").await;
    let former = session(&slow);
    slow.stop_reading().await;
    let flood = json!({"room": "slow", "n": 400, "size": 64 * 1024});
    sender.request("flood_room", flood).await;
    stage
        .until("the slow client is away", || {
            stage.stats().clients_away() == 1
        })
        .await;
    // More than is kept: it is told so, and begins anew.
    let mut client = come_back(&stage, &former).await;
    assert!(!has_recovered(&mut client).await);
}
