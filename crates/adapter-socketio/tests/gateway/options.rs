use nest_gateway::{AllowedHosts, App, ModuleDescriptor, OriginPolicy, SocketIo, WsException};
use nest_gateway_testkit::client::RawConnection;
use nest_gateway_testkit::client::http::{get, send};

use crate::app::TestApp;

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

#[tokio::test]
async fn the_path_is_an_option_and_may_end_with_a_slash() {
    let app = TestApp::with(SocketIo::new().path("/realtime/"), |_| {}).await;
    let addr = app.app.local_addr();
    for path in [
        "/realtime/?EIO=4&transport=polling",
        "/realtime?EIO=4&transport=polling",
    ] {
        assert_eq!(get(addr, path).await.unwrap().status, 200, "{path}");
    }
    for path in [
        OPEN,
        "/realtimes/?EIO=4&transport=polling",
        "/realtime/x?EIO=4&transport=polling",
    ] {
        assert_eq!(get(addr, path).await.unwrap().status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_request_can_be_refused_before_a_session_is_opened() {
    let adapter = SocketIo::new().allow_request(async |handshake| match handshake.query("key") {
        Some(_) => Ok(()),
        None => Err(WsException::new("no key")),
    });
    let app = TestApp::with(adapter, |_| {}).await;
    let addr = app.app.local_addr();
    let refused = get(addr, OPEN).await.unwrap();
    assert_eq!(
        (refused.status, refused.text().as_str()),
        (403, r#"{"code":4,"message":"no key"}"#)
    );
    let websocket = "/socket.io/?EIO=4&transport=websocket";
    let refused = RawConnection::upgrade(addr, websocket, &[])
        .await
        .unwrap_err();
    assert_eq!(refused.status, Some(403));
    assert_eq!(app.app.runtime().stats().refusals(), 2);
    assert_eq!(
        get(addr, &format!("{OPEN}&key=1")).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn foreign_pages_may_poll_only_where_configured() {
    let foreign = [("origin".to_owned(), "https://a.example".to_owned())];
    let app = TestApp::start().await;
    let refused = send(app.app.local_addr(), "GET", OPEN, &foreign, b"")
        .await
        .unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["message"], "origin not allowed");

    let allow = OriginPolicy::Allow(vec!["https://a.example".to_owned()]);
    let app = TestApp::with(SocketIo::new(), |config| config.origins = allow).await;
    let opened = send(app.app.local_addr(), "GET", OPEN, &foreign, b"")
        .await
        .unwrap();
    assert_eq!(opened.status, 200);
    assert_eq!(
        opened.header("access-control-allow-origin"),
        Some("https://a.example")
    );
    let preflight = send(app.app.local_addr(), "OPTIONS", OPEN, &foreign, b"")
        .await
        .unwrap();
    assert_eq!(preflight.status, 204);
}

#[tokio::test]
async fn every_request_of_a_session_names_a_host_that_is_allowed() {
    let host = |name: &str| [("host".to_owned(), name.to_owned())];
    let list = AllowedHosts::Only(vec!["chat.example".to_owned()]);
    let app = TestApp::with(SocketIo::new(), |config| config.allowed_hosts = list).await;
    let addr = app.app.local_addr();
    let (own, foreign) = (host("chat.example:80"), host("evil.example"));
    let opened = send(addr, "GET", OPEN, &own, b"").await.unwrap();
    assert_eq!(opened.status, 200);
    let packet = opened.text();
    let sid = packet.split('"').nth(3).unwrap();
    let session = format!("{OPEN}&sid={sid}");
    for method in ["GET", "POST", "OPTIONS"] {
        let refused = send(addr, method, &session, &foreign, b"40").await.unwrap();
        assert_eq!(
            (refused.status, refused.text().as_str()),
            (421, r#"{"code":4,"message":"host not allowed"}"#),
            "{method}"
        );
    }
    let websocket = session.replace("polling", "websocket");
    let refused = RawConnection::upgrade(addr, &websocket, &foreign).await;
    assert_eq!(refused.unwrap_err().status, Some(421));
    assert_eq!(app.app.runtime().stats().refusals(), 4);
    let sent = send(addr, "POST", &session, &own, b"40").await.unwrap();
    assert_eq!(sent.status, 200, "the session is not harmed");
}

#[tokio::test]
async fn options_that_make_no_sense_stop_the_start_up() {
    for (adapter, reason) in [
        (SocketIo::new().path("realtime"), "must begin with a slash"),
        (
            SocketIo::new().websocket_only().polling_only(),
            "no transport is left",
        ),
        (
            SocketIo::new().max_polling_packets(0),
            "would refuse every body",
        ),
    ] {
        let app = App::from_module(ModuleDescriptor::new("Empty")).adapter(adapter);
        let error = app.listen("127.0.0.1:0").await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
