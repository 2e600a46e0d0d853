use nest_gateway_adapter_socketio::engine::CloseReason;
use nest_gateway_testkit::client::RawConnection;

use crate::server::EchoServer;

#[tokio::test]
async fn a_session_is_opened_with_the_numbers_of_the_configuration() {
    let server = EchoServer::default().await;
    let response = server.get("EIO=4&transport=polling").await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("set-cookie"), None);
    let open: serde_json::Value = serde_json::from_slice(&response.body[1..]).unwrap();
    assert_eq!(open["upgrades"], serde_json::json!(["websocket"]));
    assert_eq!(open["pingInterval"], 25_000);
    assert_eq!(open["pingTimeout"], 20_000);
    assert_eq!(open["maxPayload"], 1_000_000);
    assert_eq!(open["sid"].as_str().unwrap().len(), 24);
}

#[tokio::test]
async fn what_is_posted_comes_back_in_one_poll_and_in_order() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let posted = server
        .post(&query, "4a\u{1e}bAQIDBA==\u{1e}4\u{1e}4ü")
        .await;
    assert_eq!((posted.status, posted.text().as_str()), (200, "ok"));
    assert_eq!(posted.header("content-type"), Some("text/html"));
    assert_eq!(
        server.get(&query).await.text(),
        "4a\u{1e}bAQIDBA==\u{1e}4\u{1e}4ü"
    );
}

#[tokio::test]
async fn a_poll_waits_until_there_is_something() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let (poll, posted) = tokio::join!(server.get(&query), server.post(&query, "4late"));
    assert_eq!(posted.status, 200);
    assert_eq!(poll.text(), "4late");
}

#[tokio::test]
async fn a_second_poll_beside_an_open_one_ends_the_session() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    let (first, second) = tokio::join!(server.get(&query), server.get(&query));
    let mut answers = [(first.status, first.text()), (second.status, second.text())];
    answers.sort();
    assert_eq!(answers[0], (200, "1".to_owned()));
    assert_eq!(answers[1].0, 400);
    assert_eq!(server.ended().await, CloseReason::TransportError);
    assert_eq!(server.get(&query).await.status, 400);
}

#[tokio::test]
async fn a_poll_that_the_client_gives_up_ends_the_session() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    let mut poll = RawConnection::open(server.addr).await.unwrap();
    let head = format!("GET /engine.io/?{query} HTTP/1.1\r\nHost: x\r\n\r\n");
    poll.write(head.as_bytes()).await;
    // On the test's single thread the answer to a later request means that the poll is open.
    assert_eq!(server.post(&query, "6").await.status, 200);
    drop(poll);
    assert_eq!(server.ended().await, CloseReason::TransportError);
    assert_eq!(server.get(&query).await.status, 400);
}

#[tokio::test]
async fn a_client_that_closes_gets_its_open_poll_back() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    let (poll, posted) = tokio::join!(server.get(&query), server.post(&query, "1"));
    assert_eq!((posted.status, posted.text().as_str()), (200, "ok"));
    assert_eq!((poll.status, poll.text().as_str()), (200, "6"));
    assert_eq!(server.ended().await, CloseReason::TransportClose);
    assert_eq!(server.get(&query).await.status, 400);
}

#[tokio::test]
async fn a_poll_that_comes_after_the_close_of_its_client_finds_no_session() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    assert_eq!(server.post(&query, "1").await.text(), "ok");
    let late = server.get(&query).await;
    assert_eq!((late.status, &late.json()["code"]), (400, &1.into()));
    assert_eq!(server.ended().await, CloseReason::TransportClose);
}

#[tokio::test]
async fn the_last_poll_of_a_client_that_closes_may_arrive_behind_its_close() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    let (posted, poll) = tokio::join!(server.post(&query, "1"), server.get(&query));
    assert_eq!((posted.status, posted.text().as_str()), (200, "ok"));
    assert_eq!((poll.status, poll.text().as_str()), (200, "6"));
    assert_eq!(server.ended().await, CloseReason::TransportClose);
}

#[tokio::test]
async fn a_client_that_the_server_closes_may_close_too() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    assert_eq!(server.post(&query, "4close me").await.status, 200);
    assert_eq!(server.get(&query).await.text(), "4bye");
    assert_eq!(server.post(&query, "1").await.status, 200);
    // Nobody waits until the time for closing is over.
    assert_eq!(server.ended().await, CloseReason::ForcedClose);
    assert_eq!(server.get(&query).await.status, 400);
}

#[tokio::test]
async fn a_poll_that_is_open_when_the_server_closes_is_told_at_once() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let poll = server.get(&query);
    let (poll, ()) = tokio::join!(poll, async {
        server.post(&query, "6").await;
        server.engine.shut_down();
    });
    assert_eq!((poll.status, poll.text().as_str()), (200, "1"));
}

#[tokio::test]
async fn messages_in_front_of_a_close_are_still_handled() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    assert_eq!(server.post(&query, "4a\u{1e}1\u{1e}4b").await.status, 200);
    assert_eq!(server.ended().await, CloseReason::TransportClose);
}

#[tokio::test]
async fn a_session_that_the_server_closes_delivers_what_is_queued_first() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    assert_eq!(server.post(&query, "4close me").await.status, 200);
    assert_eq!(server.get(&query).await.text(), "4bye");
    assert_eq!(server.get(&query).await.text(), "6\u{1e}1");
    assert_eq!(server.ended().await, CloseReason::ForcedClose);
    assert_eq!(server.get(&query).await.status, 400);
}

#[tokio::test]
async fn a_post_that_meets_the_end_of_its_session_is_no_error() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    assert_eq!(server.post(&query, "4close me").await.status, 200);
    assert_eq!(server.get(&query).await.text(), "4bye");
    assert_eq!(server.get(&query).await.text(), "6\u{1e}1");
    assert_eq!(server.ended().await, CloseReason::ForcedClose);
    let late = server
        .post(&query, "4sent before it heard of the end")
        .await;
    assert_eq!((late.status, late.text().as_str()), (200, "ok"));
    assert_eq!(
        server.get(&query).await.status,
        400,
        "a GET learns that it is over"
    );
}

#[tokio::test]
async fn sessions_do_not_hear_each_other() {
    let server = EchoServer::default().await;
    let (a, b) = (server.open().await, server.open().await);
    assert_ne!(a, b);
    server.post(&a, "4for a").await;
    server.post(&b, "4for b").await;
    assert_eq!(server.get(&b).await.text(), "4for b");
    assert_eq!(server.get(&a).await.text(), "4for a");
}
