//! The native client and the raw connection against tungstenite, a server that
//! shares no code with them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::thread::JoinHandle;

use nest_gateway_testkit::client::{
    Client, ClientFrame, Ending, Incoming, NativeConnector, Payload, RawConnection,
};
use serde_json::json;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocket};
use tungstenite::{Error, Message};

type Server = JoinHandle<Result<(), Error>>;

/// Serves one connection with `serve` on a thread of its own.
fn serve_one(
    serve: impl FnOnce(WebSocket<TcpStream>) -> Result<(), Error> + Send + 'static,
) -> (SocketAddr, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let addr = listener.local_addr().expect("the listener is bound");
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        serve(tungstenite::accept(stream).expect("the client's handshake is correct"))
    });
    (addr, server)
}

fn echo(mut socket: WebSocket<TcpStream>) -> Result<(), Error> {
    loop {
        let message = socket.read()?;
        if message.is_text() || message.is_binary() {
            socket.send(message)?;
        }
    }
}

fn text(frame: &serde_json::Value) -> Message {
    Message::text(frame.to_string())
}

#[tokio::test]
async fn a_reply_finds_its_request_and_leaves_events_alone() {
    let (addr, _server) = serve_one(echo);
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    client.emit("first", json!(1)).await;
    let reply = client.request("second", json!({"a": [1, 2]})).await;
    assert_eq!(reply.event.as_deref(), Some("second"));
    assert_eq!(reply.data(), &json!({"a": [1, 2]}));
    assert_eq!(client.expect_event("first").await, json!(1));
}

#[tokio::test]
async fn the_close_handshake_is_seen_from_both_ends() {
    let (addr, server) = serve_one(echo);
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    client.close(4001, "bye").await;
    let seen = client.expect_close().await;
    assert_eq!((seen.code, seen.by), (4001, Ending::CloseFrame));
    let server = server.join().expect("the server does not panic");
    assert!(matches!(server, Err(Error::ConnectionClosed)), "{server:?}");
}

#[tokio::test]
async fn the_servers_close_comes_with_code_and_reason() {
    let (addr, _server) = serve_one(|mut socket| {
        socket.close(Some(CloseFrame {
            code: CloseCode::Policy,
            reason: "slow consumer".into(),
        }))?;
        echo(socket)
    });
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    let seen = client.expect_close().await;
    assert_eq!((seen.code, seen.reason.as_str()), (1008, "slow consumer"));
    assert!(seen.was_told());
}

#[tokio::test]
async fn a_connection_that_just_ends_is_1006() {
    let (addr, _server) = serve_one(|socket| {
        drop(socket);
        Ok(())
    });
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    let seen = client.expect_close().await;
    assert_eq!((seen.code, seen.by), (1006, Ending::Eof));
}

#[tokio::test]
async fn a_cut_reaches_the_server_as_a_reset() {
    let (addr, server) = serve_one(echo);
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    client.cut().await;
    assert_eq!(client.expect_close().await.by, Ending::Us);
    let server = server.join().expect("the server does not panic");
    let Err(Error::Io(error)) = server else {
        panic!("the server saw {server:?}");
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_was_sent_before_a_drop_arrives() {
    let (addr, server) = serve_one(|mut socket| {
        for i in 0..500 {
            let frame = socket.read()?.into_text()?;
            assert_eq!(frame.as_str(), format!(r#"{{"data":{i},"event":"n"}}"#));
        }
        Ok(())
    });
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    for i in 0..500 {
        client.emit("n", json!(i)).await;
    }
    drop(client);
    tokio::task::spawn_blocking(|| server.join())
        .await
        .expect("joining does not panic")
        .expect("the frames are right")
        .expect("all came");
}

#[tokio::test]
async fn questions_streams_and_binaries_are_told_apart() {
    let (addr, _server) = serve_one(|mut socket| {
        socket.send(text(&json!({"event": "q", "data": 7, "id": "s1"})))?;
        let answer = socket.read()?.into_text()?;
        assert_eq!(answer.as_str(), r#"{"ack":"s1","data":[8]}"#);
        socket.send(Message::binary(vec![1, 2, 3]))?;
        let request = socket.read()?.into_text()?;
        assert_eq!(request.as_str(), r#"{"event":"tok","id":"s9"}"#);
        for item in 1..=3 {
            socket.send(text(&json!({"event": "tok", "data": item, "id": "s9"})))?;
        }
        socket.send(text(&json!({"event": "tok", "id": "s9", "done": true})))?;
        echo(socket)
    });
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    let question = client.expect_question("q").await;
    client
        .answer(&question, json!([question.data().as_i64().map(|n| n + 1)]))
        .await;
    assert_eq!(client.expect_binary().await, vec![1, 2, 3]);
    client.ask_as("s9", "tok", Payload::none()).await;
    let stream = client.rest_of_stream(&"s9".into()).await;
    assert_eq!(stream.values(), [json!(1), json!(2), json!(3)]);
    assert!(stream.end.done);
}

#[tokio::test]
async fn a_frame_beyond_the_contract_is_a_violation() {
    let (addr, _server) = serve_one(|mut socket| {
        socket.send(text(&json!({"event": "x", "trace": "leak"})))?;
        echo(socket)
    });
    let mut client = Client::of(NativeConnector::new(addr)).connect().await;
    let Incoming::Violation(text) = client.next_message().await else {
        panic!("the key was accepted");
    };
    assert!(text.contains("keys beyond the contract"), "{text}");
}

#[tokio::test]
async fn a_failure_names_the_line_and_shows_the_last_frames() {
    let (addr, _server) = serve_one(|mut socket| {
        socket.send(text(&json!({"event": "other", "data": 1})))?;
        echo(socket)
    });
    let task = tokio::spawn(async move {
        let mut client = Client::of(NativeConnector::new(addr)).connect().await;
        client.set_patience(std::time::Duration::from_millis(200));
        client.emit("hello", json!("world")).await;
        AssertUnwindSafe(client.expect_event("wanted")).await
    });
    let panic = task.await.expect_err("the event never comes").into_panic();
    let text = panic.downcast_ref::<String>().expect("a formatted panic");
    assert!(text.contains(r#"expected event "wanted" in /"#), "{text}");
    assert!(text.contains("native_client.rs:"), "{text}");
    assert!(
        text.contains(r#"> text {"data":"world","event":"hello"}"#),
        "{text}"
    );
    assert!(
        text.contains(r#"< text {"data":1,"event":"other"}"#),
        "{text}"
    );
    assert!(
        text.contains("2 other messages wait: event other, event hello"),
        "{text}"
    );
}

#[tokio::test]
async fn a_raw_connection_can_break_every_rule() {
    let (addr, server) = serve_one(echo);
    let mut raw = RawConnection::upgrade(addr, "/", &[])
        .await
        .expect("let in");
    raw.send(&ClientFrame::text("part").unfinished()).await;
    raw.send(&ClientFrame::continuation("s")).await;
    let frame = raw.frame().await.expect("an echo");
    assert_eq!(frame.payload, "parts");
    raw.send(&ClientFrame::text("x").rsv(0b100)).await;
    let server = server.join().expect("the server does not panic");
    assert!(matches!(server, Err(Error::Protocol(_))), "{server:?}");
}

#[tokio::test]
async fn a_refusal_carries_status_and_body() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let addr = listener.local_addr().expect("the listener is bound");
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().expect("a client comes");
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nnot today")
    });
    let refused = Client::of(NativeConnector::new(addr))
        .expect_refused()
        .await;
    assert_eq!(refused.status, Some(403));
    assert_eq!(refused.message, "HTTP 403: not today");
}
