//! The assertion macros against a server that echoes what it gets.

use std::net::{SocketAddr, TcpListener};

use nest_gateway_testkit::client::{Client, NativeConnector};
use nest_gateway_testkit::{
    assert_broadcast, assert_event, assert_exception, assert_push, assert_reply,
};
use serde_json::json;
use tungstenite::Message;

/// Echoes every frame; a request `fail` is answered with an exception.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let addr = listener.local_addr().expect("the listener is bound");
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            std::thread::spawn(move || {
                let mut socket = tungstenite::accept(stream).expect("a correct handshake");
                while let Ok(message) = socket.read() {
                    let text = message.into_text().unwrap_or_default();
                    let text = text
                        .as_str()
                        .replace(r#""event":"fail""#, r#""event":"exception""#);
                    if socket.send(Message::text(text)).is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

async fn client(addr: SocketAddr) -> Client {
    Client::of(NativeConnector::new(addr)).connect().await
}

#[tokio::test]
async fn each_macro_passes_on_what_it_names() {
    let addr = echo_server();
    let (mut ada, mut grace) = (client(addr).await, client(addr).await);
    assert_reply!(ada, "sum", [1, 2] => [1, 2]);
    assert_reply!(ada, "sum", {"a": 1, "b": 2} => {"a": 1}, ..);
    assert_reply!(ada, "nothing" => null);
    let error = assert_exception!(ada, "fail", {"code": "x", "more": 1} => {"code": "x"});
    assert_eq!(error["more"], 1);
    for client in [&mut ada, &mut grace] {
        client.emit("other", 0).await;
        client.emit("said", json!({"text": "hi", "n": 1})).await;
    }
    assert_broadcast!([ada, grace], "said", {"text": "hi"}, ..);
    assert_event!(ada, "other", 0);
    assert_push!(grace, "other");
}

async fn failure(check: impl Future<Output = ()> + Send + 'static) -> String {
    let panic = tokio::spawn(check)
        .await
        .expect_err("the check has to fail");
    let panic = panic.into_panic();
    panic
        .downcast_ref::<String>()
        .expect("a formatted panic")
        .clone()
}

#[tokio::test]
async fn a_wrong_value_is_reported_with_its_path_and_the_frames() {
    let addr = echo_server();
    let text = failure(async move {
        let mut ada = client(addr).await;
        assert_reply!(ada, "sum", {"a": [1, 2]} => {"a": [1, 3]});
    })
    .await;
    assert!(
        text.contains("the data of sum differs at $.a[1]: 2 is not 3"),
        "{text}"
    );
    assert!(text.contains("> text {"), "{text}");
}

#[tokio::test]
async fn an_exception_is_no_reply_and_a_reply_no_exception() {
    let addr = echo_server();
    let text = failure(async move {
        let mut ada = client(addr).await;
        assert_reply!(ada, "fail", {"message": "no"} => {"message": "no"});
    })
    .await;
    assert!(
        text.contains(r#"fail was answered with the exception {"message":"no"}"#),
        "{text}"
    );
    let text = failure(async move {
        let mut ada = client(addr).await;
        assert_exception!(ada, "sum", 1 => {});
    })
    .await;
    assert!(text.contains("sum did not fail"), "{text}");
}

#[tokio::test]
async fn an_event_that_another_precedes_fails_the_strict_assertion() {
    let addr = echo_server();
    let text = failure(async move {
        let mut ada = client(addr).await;
        ada.emit("other", 0).await;
        ada.emit("said", 1).await;
        assert_event!(ada, "said", 1);
    })
    .await;
    assert!(
        text.contains(r#"event "said" and no other before it"#),
        "{text}"
    );
}
