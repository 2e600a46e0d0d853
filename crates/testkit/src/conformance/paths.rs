//! The paths of a pattern, each a namespace of its own (CONTRACT 1 and 8).

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use nest_gateway::{Recovery, WebSocketServer};
use serde_json::json;

use super::{Stage, Subject};
use crate::client::{Client, Payload};
use crate::{assert_broadcast, assert_event, assert_push, assert_reply, refute_event};

/// Longer than any test.
const WINDOW: Duration = Duration::from_mins(10);

async fn connect(stage: &Stage, path: &str) -> Client {
    let mut client = stage.client().namespace(path).connect().await;
    // It is in its namespace when its first message is answered.
    id_of(&mut client).await;
    client
}

/// A client at this path, in room `r`.
async fn connect_to_room(stage: &Stage, path: &str) -> Client {
    let mut client = connect(stage, path).await;
    assert_reply!(client, "join", {"room": "r"} => {"joined": "r"});
    client
}

async fn id_of(client: &mut Client) -> String {
    let id = client.request("me", Payload::none()).await.into_data();
    id.as_str().expect("an id is a string").to_owned()
}

/// The server of the pattern.
fn server(stage: &Stage) -> WebSocketServer {
    stage.server("/room/{id}")
}

fn paths(stage: &Stage) -> Vec<String> {
    let mut paths: Vec<_> = server(stage)
        .paths()
        .iter()
        .map(ToString::to_string)
        .collect();
    paths.sort();
    paths
}

/// CONTRACT 8: what is sent by a client, or by the server that a handler gets, stays in the
/// client's path; rooms of the same name are others in another path.
pub async fn what_a_client_sends_stays_in_its_path(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut grace = connect_to_room(&stage, "/room/1").await;
    let mut eve = connect_to_room(&stage, "/room/2").await;
    assert_reply!(ada, "say", {"room": "r", "text": 1} => 1);
    assert_event!(grace, "said", 1);
    assert_reply!(ada, "others", 2 => 1);
    assert_event!(grace, "bc", 2);
    assert_reply!(ada, "shout", {"room": "r", "text": 3} => 2);
    assert_broadcast!([ada, grace], "said", 3);
    assert_reply!(ada, "bcast", 4 => 2);
    assert_broadcast!([ada, grace], "bc", 4);
    refute_event!(eve);
    assert_reply!(eve, "shout", {"room": "r", "text": 5} => 1);
    assert_event!(eve, "said", 5);
    refute_event!(ada);
    refute_event!(grace);
}

/// CONTRACT 8: leaving a room in one path changes nothing in another.
pub async fn membership_in_one_path_is_none_in_another(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut eve = connect_to_room(&stage, "/room/2").await;
    let hub = server(&stage).hub().clone();
    assert_eq!(hub.room_count(), 2, "of one name, in two paths");
    assert_eq!(hub.room_names().len(), 1);
    ada.request("leave", json!({"room": "r"})).await;
    assert_eq!(hub.room_count(), 1);
    assert_reply!(ada, "shout", {"room": "r", "text": 1} => 0);
    assert_reply!(eve, "shout", {"room": "r", "text": 2} => 1);
    assert_event!(eve, "said", 2);
    refute_event!(ada);
}

/// CONTRACT 1: the server of a gateway stands for all paths of its pattern.
pub async fn the_server_of_a_pattern_reaches_all_of_its_paths(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut grace = connect(&stage, "/room/1").await;
    let mut eve = connect_to_room(&stage, "/room/2").await;
    let server = server(&stage);
    assert_eq!(server.namespace(), "/room/{id}");
    assert_eq!(server.emit("news", &1).receivers(), 3);
    assert_broadcast!([ada, grace, eve], "news", 1);
    assert_eq!(server.to("r").emit("news", &2).receivers(), 2);
    assert_broadcast!([ada, eve], "news", 2);
    assert_eq!(server.except("r").emit("news", &3).receivers(), 1);
    assert_event!(grace, "news", 3);
    assert_eq!(server.sockets().len(), 3);
    server.to("r").join("s");
    assert_eq!(server.to("s").sockets().len(), 2);
    server.leave("r");
    assert_eq!(server.to("r").emit("news", &4).receivers(), 0);
    server.to("s").disconnect("enough");
    ada.expect_close().await;
    eve.expect_close().await;
    refute_event!(grace);
}

/// CONTRACT 1: one question to all paths is answered from each.
pub async fn all_paths_of_a_pattern_are_asked(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut clients = [
        connect(&stage, "/room/1").await,
        connect(&stage, "/room/2").await,
    ];
    let server = server(&stage);
    let asking = server.emit_with_ack::<String>("question", &"where");
    let mut expected = BTreeMap::new();
    for client in &mut clients {
        let question = client.expect_question("question").await;
        let answer = client.namespace().to_owned();
        client.answer(&question, json!(answer)).await;
        expected.insert(id_of(client).await, answer);
    }
    let answers: BTreeMap<_, _> = asking
        .map(|(id, answer)| (id.to_string(), answer.expect("each answers")))
        .collect()
        .await;
    assert_eq!(answers, expected);
}

/// CONTRACT 1: `server.at(path)` reaches one path, also one at which somebody is only later.
pub async fn the_server_of_one_path_reaches_that_path_alone(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut grace = connect(&stage, "/room/1").await;
    let mut eve = connect_to_room(&stage, "/room/2").await;
    let (server, first) = (server(&stage), server(&stage).at("/room/1"));
    assert_eq!(first.namespace(), "/room/1");
    assert_eq!(first.emit("news", &1).receivers(), 2);
    assert_broadcast!([ada, grace], "news", 1);
    assert_eq!(first.to("r").emit("news", &2).receivers(), 1);
    assert_event!(ada, "news", 2);
    assert_eq!(first.at("/room/2/").to("r").emit("news", &3).receivers(), 1);
    assert_event!(eve, "news", 3);
    refute_event!(ada);
    refute_event!(grace);
    let later = server.at("/room/3");
    assert_eq!(later.emit("news", &4).receivers(), 0);
    assert_eq!(server.at("/chat").emit("news", &5).receivers(), 0);
    assert_eq!(paths(&stage), ["/room/1", "/room/2"]);
    let mut mary = connect(&stage, "/room/3").await;
    assert_eq!(later.emit("news", &6).receivers(), 1);
    assert_event!(mary, "news", 6);
    first.disconnect("enough");
    ada.expect_close().await;
    grace.expect_close().await;
    refute_event!(eve);
}

/// CONTRACT 1: `sockets()` of the pattern, of one path, and of a handler's server.
pub async fn each_path_has_its_own_clients(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect(&stage, "/room/1").await;
    let mut grace = connect(&stage, "/room/1").await;
    let mut eve = connect(&stage, "/room/2").await;
    let server = server(&stage);
    let ids = |server: &WebSocketServer| {
        let sockets = server.sockets();
        let mut ids: Vec<_> = sockets
            .iter()
            .map(|client| client.id().to_string())
            .collect();
        ids.sort();
        ids
    };
    let mut expected = vec![id_of(&mut ada).await, id_of(&mut grace).await];
    expected.sort();
    assert_eq!(ids(&server.at("/room/1")), expected);
    let outside = id_of(&mut eve).await;
    assert_eq!(ids(&server.at("/room/2")), std::slice::from_ref(&outside));
    expected.push(outside);
    expected.sort();
    assert_eq!(ids(&server), expected);
    assert_reply!(ada, "here" => {"namespace": "/room/1", "clients": 2});
    assert_reply!(eve, "here" => {"namespace": "/room/2", "clients": 1});
}

/// CONTRACT 8: every client is in the room of its own id: for the pattern wherever it is, for a
/// path if it is there.
pub async fn a_client_is_reached_by_its_id_in_its_path(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect(&stage, "/room/1").await;
    let mut eve = connect(&stage, "/room/2").await;
    let id = id_of(&mut eve).await;
    let server = server(&stage);
    assert_eq!(server.to(&id).emit("dm", &1).receivers(), 1);
    assert_eq!(server.at("/room/2").to(&id).emit("dm", &2).receivers(), 1);
    assert_eq!(server.at("/room/1").to(&id).emit("dm", &3).receivers(), 0);
    assert_reply!(ada, "shout", {"room": (id.clone()), "text": 4} => 0);
    assert_event!(eve, "dm", 1);
    assert_event!(eve, "dm", 2);
    refute_event!(eve);
    // Who enters a room of that name is in it in its own path.
    assert_reply!(ada, "join", {"room": (id.clone())} => {"joined": (id.clone())});
    assert_eq!(server.at("/room/2").to(&id).emit("dm", &5).receivers(), 1);
    assert_eq!(server.to(&id).emit("dm", &6).receivers(), 2);
    assert_event!(ada, "dm", 6);
}

/// CONTRACT 8: a path begins with its first client and ends with its last one.
pub async fn a_path_is_forgotten_when_its_last_client_has_left(subject: Subject) {
    let stage = Stage::start(&subject).await;
    assert!(paths(&stage).is_empty());
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut grace = connect_to_room(&stage, "/room/1").await;
    let _eve = connect_to_room(&stage, "/room/2").await;
    assert_eq!(paths(&stage), ["/room/1", "/room/2"]);
    stage.take_away(&mut ada).await;
    let at_first = || server(&stage).at("/room/1").hub().client_count();
    stage.until("one client", || at_first() == 1).await;
    assert_eq!(paths(&stage), ["/room/1", "/room/2"]);
    stage.take_away(&mut grace).await;
    stage.until("nobody", || paths(&stage) == ["/room/2"]).await;
    assert_eq!(server(&stage).hub().room_count(), 1);
    assert_eq!(server(&stage).at("/room/1").emit("news", &1).receivers(), 0);
    let mut mary = connect(&stage, "/room/1").await;
    assert_reply!(mary, "shout", {"room": "r", "text": 1} => 0);
    assert_reply!(mary, "here" => {"namespace": "/room/1", "clients": 1});
    assert_eq!(paths(&stage), ["/room/1", "/room/2"]);
}

/// CONTRACT 7: who is refused leaves no path behind.
pub async fn a_refused_client_leaves_no_path(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let closed = stage.client().namespace("/room/closed");
    closed.expect_refused().await;
    assert!(paths(&stage).is_empty());
    if let Ok(mut client) = stage
        .client()
        .namespace("/room/refused")
        .try_connect()
        .await
    {
        client.expect_close().await;
    }
    stage.until("no path", || paths(&stage).is_empty()).await;
    assert_eq!(stage.stats().clients(), 0);
}

/// Clients that come and go, all at once, find each other and leave nothing behind.
pub async fn clients_that_come_and_go_are_where_the_others_are(subject: Subject) {
    let stage = Stage::start(&subject).await;
    for round in 0..20 {
        let (mut first, mut second) = tokio::join!(
            connect_to_room(&stage, "/room/1"),
            connect_to_room(&stage, "/room/1")
        );
        // Those of the round before may still be leaving.
        first.emit("say", json!({"room": "r", "text": round})).await;
        assert_push!(second, "said", round);
        tokio::join!(first.close(1000, ""), second.close(1000, ""));
    }
    stage.until("no path", || paths(&stage).is_empty()).await;
    assert_eq!(server(&stage).hub().client_count(), 0);
    assert_eq!(server(&stage).hub().room_count(), 0);
}

/// CONTRACT 3: two paths on one connection are two clients, as apart as those of two.
pub async fn one_connection_is_a_client_of_each_path(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut first = connect_to_room(&stage, "/room/1").await;
    let joined = first.join_namespace("/room/2", None).await;
    let mut second = joined.expect("it may be in both");
    assert_reply!(second, "join", {"room": "r"} => {"joined": "r"});
    assert_ne!(id_of(&mut first).await, id_of(&mut second).await);
    assert_reply!(first, "shout", {"room": "r", "text": 1} => 1);
    assert_event!(first, "said", 1);
    refute_event!(second);
    assert_eq!(server(&stage).to("r").emit("news", &2).receivers(), 2);
    assert_broadcast!([first, second], "news", 2);
    second.leave().await;
    stage
        .until("one path", || paths(&stage) == ["/room/1"])
        .await;
    assert_reply!(first, "bcast", 3 => 1);
}

/// CONTRACT 2: parameters arrive decoded, so that spellings of one URL are one path.
pub async fn a_path_is_one_in_all_its_spellings(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect(&stage, "/room/a%20b").await;
    let mut grace = connect(&stage, "/room/%61%20b/").await;
    let mut eve = connect(&stage, "/room/a%2Fb").await;
    assert_eq!(paths(&stage), ["/room/a b", "/room/a/b"]);
    assert_eq!(
        server(&stage).at("/room/a b").emit("news", &1).receivers(),
        2
    );
    assert_broadcast!([ada, grace], "news", 1);
    assert_reply!(eve, "bcast", 2 => 1);
    refute_event!(ada);
}

/// CONTRACT 1: an observer hears to whose clients a message went.
pub async fn an_observer_hears_at_which_path(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect(&stage, "/room/1").await;
    let _eve = connect(&stage, "/room/2").await;
    stage.log().take();
    assert_reply!(ada, "bcast", 1 => 1);
    server(&stage).emit("news", &2);
    server(&stage).at("/room/2").emit("news", &3);
    server(&stage).at("/room/3").emit("news", &4);
    assert_eq!(
        stage.log().take(),
        [
            "sent Event bc at /room/1",
            "sent Reply bcast at /room/1",
            "sent Event news at /room/{id}",
            "sent Event news at /room/2",
        ]
    );
}

/// A client that is away is still at its path, in its rooms there, and comes back to them.
pub async fn a_client_that_comes_back_is_at_its_path(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut eve = connect_to_room(&stage, "/room/2").await;
    assert_reply!(ada, "shout", {"room": "r", "text": 1} => 1);
    assert_event!(ada, "said", 1);
    let id = id_of(&mut ada).await;
    let former = ada.former_session().expect("the server offers recovery");
    ada.cut().await;
    stage
        .until("the client is away", || stage.stats().clients_away() == 1)
        .await;
    assert_eq!(paths(&stage), ["/room/1", "/room/2"]);
    assert_reply!(eve, "shout", {"room": "r", "text": 2} => 1);
    let first = server(&stage).at("/room/1");
    assert_eq!(first.to("r").emit("said", &3).receivers(), 1);
    drop(first);

    let elsewhere = stage.client().namespace("/room/2");
    let mut elsewhere = elsewhere.coming_back(former.clone()).connect().await;
    assert_reply!(elsewhere, "recovered" => false);
    assert_ne!(
        id_of(&mut elsewhere).await,
        id,
        "a session opens its own path only"
    );
}

/// Who comes back in time is in its path's rooms again, and nowhere else.
pub async fn a_recovered_client_is_in_the_rooms_of_its_path(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(WINDOW)).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    let mut eve = connect_to_room(&stage, "/room/2").await;
    assert_reply!(ada, "shout", {"room": "r", "text": 1} => 1);
    assert_event!(ada, "said", 1);
    let former = ada.former_session().expect("the server offers recovery");
    ada.cut().await;
    stage
        .until("the client is away", || stage.stats().clients_away() == 1)
        .await;
    assert_reply!(eve, "shout", {"room": "r", "text": 2} => 1);
    assert_eq!(server(&stage).to("r").emit("said", &3).receivers(), 2);
    let back = stage.client().namespace("/room/1").coming_back(former);
    let mut ada = back.connect().await;
    assert_event!(ada, "said", 3);
    assert_reply!(ada, "recovered" => true);
    assert_reply!(ada, "shout", {"room": "r", "text": 4} => 1);
    assert_event!(ada, "said", 4);
    assert_eq!(server(&stage).hub().client_count(), 2);
    ada.close(1000, "").await;
    stage
        .until("it has left", || paths(&stage) == ["/room/2"])
        .await;
    assert_eq!(server(&stage).hub().room_count(), 1);
}

/// A client that does not come back in time has left its path.
pub async fn a_path_ends_with_the_client_that_did_not_come_back(subject: Subject) {
    let stage = Stage::recovering(&subject, Recovery::new(Duration::from_millis(50))).await;
    let mut ada = connect_to_room(&stage, "/room/1").await;
    ada.cut().await;
    stage.until("no path", || paths(&stage).is_empty()).await;
    assert_eq!(server(&stage).hub().room_count(), 0);
}
