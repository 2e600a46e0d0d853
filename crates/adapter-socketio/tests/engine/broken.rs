//! What a client must not send. Each kind gets its answer, and a bystander on the same
//! server notices nothing.

use nest_gateway_adapter_socketio::engine::CloseReason;
use nest_gateway_testkit::client::http::send as request;
use nest_gateway_testkit::client::{ClientFrame, RawConnection};

use crate::server::{EchoServer, closed, send, text};

async fn bystander(server: &EchoServer) -> RawConnection {
    server.websocket("EIO=4&transport=websocket").await
}

/// The bystander gets its echo, and nothing is left of whoever misbehaved.
async fn undisturbed(server: &EchoServer, socket: &mut RawConnection) {
    send(socket, "4hello").await;
    assert_eq!(text(socket).await, "4hello");
    assert_eq!(server.engine.sessions(), 1, "only the bystander is left");
}

#[tokio::test]
async fn a_wrong_query_gets_the_code_of_nodes_server() {
    let server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    let unknown = "AAAAAAAAAAAAAAAAAAAAAAAA";
    for (method, query, code) in [
        ("GET", String::new(), 0),
        ("GET", "EIO=4".into(), 0),
        ("GET", "EIO=4&transport=abc".into(), 0),
        ("GET", "EIO=4&transport=webtransport".into(), 0),
        ("GET", "EIO=4&transport=Polling".into(), 0),
        ("GET", "EIO=4&transport=poll%69ng".into(), 0),
        ("GET", "EIO=4&transport=polling&sid=nope".into(), 1),
        ("GET", "EIO=4&transport=polling&sid=__proto__".into(), 1),
        ("GET", format!("EIO=4&transport=polling&sid={unknown}"), 1),
        ("POST", format!("EIO=4&transport=polling&sid={unknown}"), 1),
        ("GET", format!("EIO=4&transport=websocket&sid={unknown}"), 1),
        ("POST", "EIO=4&transport=polling".into(), 2),
        ("PUT", "EIO=4&transport=polling".into(), 2),
        ("DELETE", "EIO=4&transport=polling".into(), 2),
        ("OPTIONS", "EIO=4&transport=polling".into(), 2),
        ("GET", "EIO=4&transport=websocket".into(), 3),
        ("GET", "transport=polling".into(), 5),
        ("GET", "EIO=abc&transport=polling".into(), 5),
        ("GET", "EIO=3&transport=polling".into(), 5),
        ("GET", "EIO=40&transport=polling".into(), 5),
    ] {
        let path = format!("/engine.io/?{query}");
        let response = request(server.addr, method, &path, &[], b"").await.unwrap();
        assert_eq!(response.status, 400, "{method} {query}");
        assert_eq!(
            response.header("content-type"),
            Some("application/json"),
            "{method} {query}"
        );
        assert_eq!(response.json()["code"], code, "{method} {query}");
        undisturbed(&server, &mut other).await;
    }
}

#[tokio::test]
async fn jsonp_is_refused_with_a_word() {
    let server = EchoServer::default().await;
    let session = server.open().await;
    for query in ["EIO=4&transport=polling&j=0", &format!("{session}&j=0")] {
        let refused = server.get(query).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            refused.text(),
            r#"{"code":3,"message":"JSONP polling is not offered"}"#
        );
    }
    assert_eq!(server.post(&session, "4goes on").await.text(), "ok");
    assert_eq!(server.get(&session).await.text(), "4goes on");
}

#[tokio::test]
async fn a_wrong_websocket_handshake_is_refused() {
    let server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    let unknown = "AAAAAAAAAAAAAAAAAAAAAAAA";
    for (query, message) in [
        ("EIO=4".to_owned(), "Transport unknown"),
        ("EIO=4&transport=abc".to_owned(), "Transport unknown"),
        ("EIO=4&transport=polling".to_owned(), "Bad request"),
        (
            "transport=websocket".to_owned(),
            "Unsupported protocol version",
        ),
        (
            "EIO=3&transport=websocket".to_owned(),
            "Unsupported protocol version",
        ),
        (
            format!("EIO=4&transport=websocket&sid={unknown}"),
            "Session ID unknown",
        ),
    ] {
        let path = format!("/engine.io/?{query}");
        let refused = RawConnection::upgrade(server.addr, &path, &[])
            .await
            .unwrap_err();
        assert_eq!(refused.status, Some(400), "{query}");
        assert!(
            refused.message.ends_with(message),
            "{query}: {}",
            refused.message
        );
        undisturbed(&server, &mut other).await;
    }
    let mut raw = RawConnection::open(server.addr).await.unwrap();
    raw.write(
        b"GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
          Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    assert_eq!(raw.response().await.status, 426);
    undisturbed(&server, &mut other).await;
}

#[tokio::test]
async fn a_broken_body_ends_its_session_only() {
    let mut server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    for body in [
        &b""[..],
        b"abc",
        b"0{}",
        b"7",
        b"9x",
        b"\x1e",
        b"4a\x1e",
        b"\x1e4a",
        b"4a\x1e\x1e4b",
        b"4a\x1ex",
        b"b@@@",
        b"bAQIDBA",
        b"4\xff\xfe",
        b"\xc3",
    ] {
        let query = server.open().await;
        assert_eq!(server.post(&query, body).await.status, 400, "{body:?}");
        assert_eq!(server.ended().await, CloseReason::ParseError, "{body:?}");
        assert_eq!(server.get(&query).await.status, 400, "{body:?}");
        undisturbed(&server, &mut other).await;
    }
}

#[tokio::test]
async fn a_body_with_a_packet_of_the_wrong_direction_ends_its_session() {
    let mut server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    for body in ["2", "2probe", "4a\u{1e}2"] {
        let query = server.open().await;
        assert_eq!(server.post(&query, body).await.status, 200, "{body}");
        assert_eq!(server.ended().await, CloseReason::TransportError, "{body}");
        undisturbed(&server, &mut other).await;
    }
    let mut socket = server.websocket("EIO=4&transport=websocket").await;
    send(&mut socket, "2").await;
    assert_eq!(closed(&mut socket).await.1, "transport error");
    assert_eq!(server.ended().await, CloseReason::TransportError);
    undisturbed(&server, &mut other).await;
}

#[tokio::test]
async fn a_broken_websocket_packet_ends_its_session_only() {
    let mut server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    for packet in ["", "abc", "0{}", "7", "bAQID", "-4", "é", " 4", "\u{1e}4a"] {
        let mut socket = server.websocket("EIO=4&transport=websocket").await;
        send(&mut socket, packet).await;
        let close = closed(&mut socket).await;
        assert_eq!(
            (close.0, close.1.as_str()),
            (1008, "parse error"),
            "{packet:?}"
        );
        assert_eq!(server.ended().await, CloseReason::ParseError, "{packet:?}");
        undisturbed(&server, &mut other).await;
    }
}

#[tokio::test]
async fn a_broken_websocket_frame_gets_its_close_code() {
    let mut server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    for (frame, code) in [
        (ClientFrame::text("4a").unmasked(), 1002),
        (ClientFrame::text("4a").rsv(0b100), 1002),
        (ClientFrame::new(3, ""), 1002),
        (ClientFrame::continuation("4a"), 1002),
        (ClientFrame::text(b"4\xff".to_vec()), 1007),
        (ClientFrame::text("4").declaring(1_000_001), 1009),
    ] {
        let mut socket = server.websocket("EIO=4&transport=websocket").await;
        socket.send(&frame).await;
        assert_eq!(closed(&mut socket).await.0, code, "{frame}");
        assert_eq!(server.ended().await, CloseReason::TransportError, "{frame}");
        undisturbed(&server, &mut other).await;
    }
}

#[tokio::test]
async fn a_post_that_breaks_off_ends_its_session() {
    let mut server = EchoServer::default().await;
    let mut other = bystander(&server).await;
    let query = server.open().await;
    let mut post = RawConnection::open(server.addr).await.unwrap();
    let head =
        format!("POST /engine.io/?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4abc");
    post.write(head.as_bytes()).await;
    post.reset();
    assert_eq!(server.ended().await, CloseReason::TransportError);
    undisturbed(&server, &mut other).await;
}

#[tokio::test]
async fn requests_that_do_not_fit_their_session_end_it() {
    let mut server = EchoServer::default().await;
    let mut other = bystander(&server).await;

    let query = server.open().await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let path = format!("/engine.io/?{query}");
        let refused = request(server.addr, method, &path, &[], b"4a")
            .await
            .unwrap();
        assert_eq!(refused.json()["code"], 3, "{method}");
    }
    server.post(&query, "1").await;
    assert_eq!(
        server.ended().await,
        CloseReason::TransportClose,
        "it went on until then"
    );
    undisturbed(&server, &mut other).await;

    let query = server.open().await;
    let kind = [(
        "content-type".to_owned(),
        "application/octet-stream".to_owned(),
    )];
    let path = format!("/engine.io/?{query}");
    let refused = request(server.addr, "POST", &path, &kind, b"4a")
        .await
        .unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(server.ended().await, CloseReason::TransportError);
    undisturbed(&server, &mut other).await;

    let query = server.open().await;
    let (_, _) = tokio::join!(server.get(&query), server.get(&query));
    assert_eq!(
        server.ended().await,
        CloseReason::TransportError,
        "two polls at a time"
    );
    undisturbed(&server, &mut other).await;
}
