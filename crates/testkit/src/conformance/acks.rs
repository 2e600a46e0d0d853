//! The server asks, the client answers (CONTRACT 1 and 2).

use serde_json::json;

use super::{Stage, Subject};
use crate::client::Payload;
use crate::{assert_push, assert_reply, refute_event};

/// CONTRACT 2: the server asks the client, and gets its answer while the
/// handler that asks is still running.
pub async fn a_handler_asks_its_client_and_gets_the_answer(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let id = client.ask("ask", json!({"q": "why"})).await;
    let question = client.expect_question("question").await;
    assert_eq!(question.data(), &json!("why"));
    client.answer(&question, json!({"because": 1})).await;
    assert_eq!(client.reply(&id).await.data(), &json!({"because": 1}));
}

/// CONTRACT 10: ack waits end.
pub async fn a_question_without_an_answer_times_out(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let id = client.ask("ask_briefly", json!({"q": "why"})).await;
    let question = client.expect_question("question").await;
    assert_eq!(client.reply(&id).await.data(), &json!({"timeout": true}));
    // An answer that comes too late is dropped, and nothing else happens.
    client.answer(&question, json!("late")).await;
    refute_event!(client);
}

/// CONTRACT 2: answers to what nobody asked change nothing.
pub async fn an_answer_to_no_question_is_ignored(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let id = client.ask("ask", json!({"q": "1"})).await;
    let mut question = client.expect_question("question").await;
    let right = question.id.clone();
    question.id = stage.question_id(999_999);
    client.answer(&question, json!("forged")).await;
    question.id = right;
    client.answer(&question, json!("true")).await;
    client.answer(&question, json!("twice")).await;
    assert_eq!(client.reply(&id).await.data(), &json!("true"));
    client.expect_open().await;
}

/// Another client cannot answer a question in one's place.
pub async fn a_question_is_answered_by_the_client_that_was_asked(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = stage.client().connect().await;
    let mut eve = stage.client().connect().await;
    let id = ada.ask("ask", json!({"q": "who"})).await;
    let question = ada.expect_question("question").await;
    eve.answer(&question, json!("eve")).await;
    eve.round_trip().await;
    ada.answer(&question, json!("ada")).await;
    assert_eq!(ada.reply(&id).await.data(), &json!("ada"));
}

/// CONTRACT 1: `emit_with_ack` to a room: an answer of each member.
pub async fn a_room_is_asked_and_each_member_answers(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut asker = stage.client().connect().await;
    let mut members = Vec::new();
    for _ in 0..3 {
        let mut client = stage.client().connect().await;
        client.request("join", json!({"room": "r"})).await;
        members.push(client);
    }
    let id = asker.ask("ask_room", json!({"room": "r", "q": "n"})).await;
    for (index, client) in members.iter_mut().enumerate() {
        let question = client.expect_question("question").await;
        client.answer(&question, json!(index)).await;
    }
    let reply = asker.reply(&id).await;
    let mut answers: Vec<_> = reply.data().as_array().expect("a list").clone();
    answers.sort_by_key(serde_json::Value::as_u64);
    assert_eq!(answers, [json!(0), json!(1), json!(2)]);
}

/// CONTRACT 1: `server.timeout(d).emit_with_ack`: the answers that came, and
/// who did not answer in time.
pub async fn a_room_is_asked_and_who_does_not_answer_is_named(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut asker = stage.client().connect().await;
    let mut members = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut client = stage.client().connect().await;
        client.request("join", json!({"room": "r"})).await;
        ids.push(client.request("whoami", Payload::none()).await.into_data());
        members.push(client);
    }
    let id = asker
        .ask("ask_room_briefly", json!({"room": "r", "q": "n"}))
        .await;
    let mut questions = Vec::new();
    for client in &mut members {
        questions.push(client.expect_question("question").await);
    }
    members[1].answer(&questions[1], json!("here")).await;
    let reply = asker.reply(&id).await;
    let seen = reply.data().as_array().expect("a list");
    // Whoever answers is heard while the others are still waited for.
    assert_eq!(seen[0], json!({"id": ids[1], "answer": "here"}));
    assert_eq!(seen.len(), 3, "{seen:?}");
    for silent in [&ids[0], &ids[2]] {
        assert!(seen.contains(&json!({"id": silent, "timeout": true})));
    }
    // Too late, and nobody's business any more.
    members[0].answer(&questions[0], json!("late")).await;
    assert_reply!(asker, "ask_room", {"room": "nobody", "q": 1} => []);
}

/// Many questions at once to one client find their own answers.
pub async fn many_questions_at_once_find_their_own_answers(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let mut ids = Vec::new();
    for i in 0..20 {
        ids.push(client.ask("ask_beside", json!({"q": i})).await);
    }
    let mut questions = Vec::new();
    for _ in 0..20 {
        questions.push(client.expect_question("question").await);
    }
    for question in questions.iter().rev() {
        client.answer(question, question.data().clone()).await;
    }
    for (i, id) in ids.iter().enumerate() {
        assert_eq!(client.reply(id).await.data(), &json!(i));
    }
}

/// A client that leaves ends the wait of who asked it.
pub async fn a_question_to_a_client_that_leaves_ends(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut asker = stage.client().connect().await;
    let mut leaver = stage.client().connect().await;
    leaver.request("join", json!({"room": "r"})).await;
    let id = asker.ask("ask_room", json!({"room": "r", "q": 1})).await;
    leaver.expect_question("question").await;
    stage.take_away(&mut leaver).await;
    assert_eq!(asker.reply(&id).await.data(), &json!([]));
    assert_reply!(asker, "echo", 1 => 1);
    asker.emit("ws", Payload::from(1)).await;
    assert_push!(asker, "resp", 1);
}
