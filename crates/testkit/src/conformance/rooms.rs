//! Rooms and emits (CONTRACT 8).

use serde_json::{Value, json};

use super::{Stage, Subject};
use crate::client::{Client, Payload};
use crate::{assert_broadcast, assert_push, assert_reply, refute_event, refute_push};

async fn id_of(client: &mut Client) -> String {
    let id = client.request("whoami", Payload::none()).await.into_data();
    id.as_str().expect("an id is a string").to_owned()
}

async fn join(client: &mut Client, room: &str) {
    let reply = client.request("join", json!({"room": room})).await;
    assert_eq!(reply.data(), &json!({"joined": room}));
}

/// CONTRACT 1: `client.to(..)` excludes the sender, `server.to(..)` does not.
pub async fn a_room_is_heard_by_its_members_and_by_nobody_else(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = stage.client().connect().await;
    let mut grace = stage.client().connect().await;
    let mut outside = stage.client().connect().await;
    join(&mut ada, "r").await;
    join(&mut grace, "r").await;
    let from = id_of(&mut ada).await;
    assert_reply!(ada, "say", {"room": "r", "text": "hi"} => 1);
    assert_push!(grace, "said", {"from": (from.clone()), "text": "hi"});
    refute_event!(ada);
    assert_reply!(ada, "shout", {"room": "r", "text": "ho"} => 2);
    assert_broadcast!([ada, grace], "said", {"from": (from.clone()), "text": "ho"});
    refute_event!(outside);
}

/// CONTRACT 8: membership ends with leave or disconnect; empty rooms vanish.
pub async fn membership_ends_with_leave_and_with_disconnect(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = stage.client().connect().await;
    let mut grace = stage.client().connect().await;
    let mut eve = stage.client().connect().await;
    for client in [&mut ada, &mut grace, &mut eve] {
        join(client, "r").await;
    }
    let others = stage.rooms();
    grace.request("leave", json!({"room": "r"})).await;
    stage.log().take();
    stage.take_away(&mut eve).await;
    stage.log().until_prefix("disconnect").await;
    stage.until_clients(2).await;
    assert_reply!(ada, "shout", {"room": "r", "text": 1} => 1);
    refute_event!(grace);
    ada.request("leave", json!({"room": "r"})).await;
    assert_eq!(stage.rooms(), others - 1, "the empty room is gone");
    assert_reply!(ada, "shout", {"room": "r", "text": 2} => 0);
}

/// CONTRACT 8: every client is in the room of its own id.
pub async fn a_client_is_reached_by_its_id(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = stage.client().connect().await;
    let mut grace = stage.client().connect().await;
    let to = id_of(&mut grace).await;
    assert_reply!(ada, "dm", {"to": to, "text": "psst"} => 1);
    assert_push!(grace, "dm", "psst");
    refute_event!(ada);
    assert_reply!(ada, "dm", {"to": "nobody", "text": 1} => 0);
    // Nor can somebody else enter that room by asking for it and read along.
    assert_reply!(ada, "rooms" => []);
}

/// CONTRACT 8: `server` of a gateway never reaches another namespace.
pub async fn namespaces_do_not_hear_each_other(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut root = stage.client().connect().await;
    let mut second = stage.client().namespace("/second").connect().await;
    join(&mut root, "r").await;
    second.request("join", json!({"room": "r"})).await;
    assert_reply!(root, "bcast", 1 => 1);
    assert_push!(root, "bc", 1);
    assert_reply!(root, "shout", {"room": "r", "text": 2} => 1);
    refute_event!(second);
    assert_reply!(second, "bcast", 3 => 1);
    assert_push!(second, "bc", 3);
    refute_push!(root, "bc");
}

/// CONTRACT 1: `.to(several)` and `.except(..)`: a client in several rooms
/// gets a message once.
pub async fn several_rooms_and_exceptions_make_one_set_of_receivers(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut clients = Vec::new();
    for rooms in [&["a"][..], &["b"], &["a", "b"], &["a", "x"], &[]] {
        let mut client = stage.client().connect().await;
        for room in rooms {
            join(&mut client, room).await;
        }
        clients.push(client);
    }
    let asked = json!({"to": ["a", "b"], "except": ["x"], "data": 1});
    let reply = clients[4].request("cast", asked).await;
    assert_eq!(reply.data(), &json!(3));
    for (index, client) in clients.iter_mut().enumerate() {
        if index < 3 {
            assert_push!(client, "cast", 1);
        }
        refute_event!(client);
    }
}

/// CONTRACT 1: `.sockets()` are the clients that an emit would reach.
pub async fn the_sockets_of_a_selection_are_those_that_an_emit_reaches(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut second = stage.client().namespace("/second").connect().await;
    let mut clients = Vec::new();
    let mut ids = Vec::new();
    for rooms in [&["a"][..], &["a", "b"], &["a", "b", "x"], &[]] {
        let mut client = stage.client().connect().await;
        for room in rooms {
            join(&mut client, room).await;
        }
        ids.push(id_of(&mut client).await);
        clients.push(client);
    }
    let sorted = |picked: &[usize]| {
        let mut ids: Vec<_> = picked.iter().map(|index| ids[*index].as_str()).collect();
        ids.sort_unstable();
        json!(ids)
    };
    for (selection, expected) in [
        (json!({}), sorted(&[0, 1, 2, 3])),
        (json!({"to": ["a"]}), sorted(&[0, 1, 2])),
        (json!({"to": ["a", "b"]}), sorted(&[0, 1, 2])),
        (json!({"to": ["a", "b"], "except": ["x"]}), sorted(&[0, 1])),
        (json!({"to": [], "except": ["a"]}), sorted(&[3])),
        (json!({"to": [(ids[3].clone()), "x"]}), sorted(&[2, 3])),
        (json!({"to": ["nobody"]}), json!([])),
    ] {
        let reply = clients[3].request("sockets", selection.clone()).await;
        assert_eq!(reply.data(), &expected, "{selection}");
    }
    second.expect_open().await;
    clients[1].close(1000, "").await;
    stage.until_clients(3).await;
    let reply = clients[3].request("sockets", json!({"to": ["b"]})).await;
    assert_eq!(reply.data(), &sorted(&[2]), "without who left");
}

/// CONTRACT 8: per receiver, messages of one emitter arrive in order.
pub async fn a_rooms_messages_arrive_in_the_order_emitted(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut sender = stage.client().connect().await;
    let mut receivers = Vec::new();
    for _ in 0..5 {
        let mut client = stage.client().connect().await;
        join(&mut client, "r").await;
        receivers.push(client);
    }
    for i in 0..300 {
        sender.emit("say", json!({"room": "r", "text": i})).await;
    }
    for client in &mut receivers {
        for i in 0..300 {
            let event = client.next_event().await;
            assert_eq!(event.data()["text"], json!(i), "{}", event.raw);
        }
    }
}

/// CONTRACT 8: per receiver, messages of one emitter arrive in order, however many receivers
/// there are, and whether a message is for all of them, for some, or for one.
pub async fn a_crowd_hears_everything_in_the_order_in_which_it_was_said(subject: Subject) {
    const TIMES: u32 = 20;
    const CROWD: usize = 24;
    let stage = Stage::start(&subject).await;
    let mut sender = stage.client().connect().await;
    join(&mut sender, "r").await;
    let mut one = stage.client().connect().await;
    join(&mut one, "r").await;
    let mut others = Vec::new();
    for _ in 2..CROWD {
        let mut client = stage.client().connect().await;
        join(&mut client, "r").await;
        others.push(client);
    }
    let name = id_of(&mut one).await;
    for time in 0..TIMES {
        let order = json!({"room": "r", "one": name, "from": time * 6});
        sender.emit("crowd", order).await;
    }
    // 0 is for all, 1 for one, 2 for all, 3 for all but the sender, 4 for the sender, 5 for all
    // but the one.
    let mut parts = vec![(&mut sender, [0, 2, 4, 5]), (&mut one, [0, 1, 2, 3])];
    parts.extend(others.iter_mut().map(|client| (client, [0, 2, 3, 5])));
    for (client, heard) in parts {
        for time in 0..TIMES {
            for number in heard {
                let event = client.next_event().await;
                assert_eq!(event.data(), &json!(time * 6 + number), "{}", event.raw);
            }
        }
        refute_event!(client);
    }
}

/// CONTRACT 8: membership is what it is when the message is emitted.
pub async fn a_crowd_is_counted_as_it_is_when_somebody_speaks(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let mut client = stage.client().connect().await;
        join(&mut client, "r").await;
        crowd.push(client);
    }
    let mut last = crowd.pop().expect("twenty came");
    let mut sender = crowd.pop().expect("and nineteen are left");
    assert_reply!(sender, "say", {"room": "r", "text": 1} => 19);
    assert_reply!(sender, "shout", {"room": "r", "text": 2} => 20);
    stage.log().take();
    stage.take_away(&mut last).await;
    stage.log().until_prefix("disconnect").await;
    // It may still be in its rooms, but hears nothing any more.
    assert_reply!(sender, "shout", {"room": "r", "text": 3} => 19);
    sender.request("leave", json!({"room": "r"})).await;
    assert_reply!(sender, "shout", {"room": "r", "text": 4} => 18);
    for client in &mut crowd {
        for text in 1..=4 {
            let event = client.next_event().await;
            assert_eq!(event.data()["text"], json!(text), "{}", event.raw);
        }
    }
}

/// CONTRACT 8: `emit` returns how many local receivers it was queued for.
pub async fn an_emit_counts_its_receivers(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = stage.client().connect().await;
    assert_reply!(ada, "bcast", 1 => 1);
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut client = stage.client().connect().await;
        // The client is in its namespace when its first message is answered.
        id_of(&mut client).await;
        others.push(client);
    }
    assert_reply!(ada, "bcast", 2 => 4);
}

/// CONTRACT 10: rooms per client.
pub async fn a_client_may_be_in_so_many_rooms_and_no_more(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_rooms_per_client = 4).await;
    let mut client = stage.client().connect().await;
    let mut refused: Vec<Value> = Vec::new();
    for i in 0..10 {
        let reply = client
            .request("join", json!({"room": format!("r{i}")}))
            .await;
        refused.extend(reply.exception().cloned());
    }
    assert!(!refused.is_empty(), "ten rooms were allowed");
    let rooms = client.request("rooms", Payload::none()).await;
    let rooms = rooms.data().as_array().expect("a list of rooms").len();
    assert_eq!(rooms + refused.len(), 10);
    assert!((3..=4).contains(&rooms), "{rooms} rooms");
    client.request("leave", json!({"room": "r0"})).await;
    join(&mut client, "again").await;
}

/// CONTRACT 1: typed state of a client.
pub async fn each_client_has_its_own_state(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = stage.client().connect().await;
    let mut grace = stage.client().connect().await;
    ada.request("set", json!({"v": 1})).await;
    grace.request("set", json!({"v": 2})).await;
    assert_reply!(ada, "get" => 1);
    assert_reply!(grace, "get" => 2);
}
