//! Start, connect, disconnect (CONTRACT 7), and how clients are let in
//! (CONTRACT 2).

use nest_gateway::AllowedHosts;
use serde_json::json;

use super::{Power, Stage, Subject};
use crate::client::{Payload, http};
use crate::{assert_event, assert_exception, assert_push, assert_reply, refute_event};

/// CONTRACT 7: every `after_init` is awaited before the port is open.
pub async fn every_after_init_ends_before_a_client_can_connect(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let log = stage.log().take();
    assert!(log.contains(&"init /".to_owned()), "{log:?}");
    assert!(log.contains(&"init /second".to_owned()), "{log:?}");
}

/// CONTRACT 7: an error in `after_init` stops the start-up.
pub async fn a_failing_after_init_stops_the_start_up(subject: Subject) {
    let error = Stage::try_start(&subject, |_| {}, &["fail after_init"]).await;
    let error = error.expect_err("the start-up has to fail").to_string();
    assert!(error.contains("after_init says no"), "{error}");
}

/// CONTRACT 7: `on_connection` is awaited before the first message is handled;
/// messages that arrive meanwhile wait.
pub async fn messages_wait_for_the_end_of_on_connection(subject: Subject) {
    let stage = Stage::start(&subject).await;
    stage.log().take();
    let connecting = stage.client().namespace("/gated").connect();
    let connecting = tokio::spawn(connecting);
    stage.log().until("connecting").await;
    // Socket.IO may answer CONNECT only when the hook has ended; on other
    // wires the client is in already and talks.
    let mut client = if subject.can(Power::TalksEarly) {
        let mut client = connecting.await.expect("connecting does not panic");
        client.emit("echo", json!(1)).await;
        stage.gates().open("connect");
        client
    } else {
        stage.gates().open("connect");
        let mut client = connecting.await.expect("connecting does not panic");
        client.emit("echo", json!(1)).await;
        client
    };
    assert_reply!(client, "echo", 2 => 2);
    let log = stage.log().take();
    assert_eq!(log, ["connecting", "connected", "echo 1", "echo 2"]);
}

/// CONTRACT 7: `Err` in `on_connection`: the client is told and closed, and
/// nothing it sent is handled.
pub async fn a_client_that_on_connection_refuses_is_told_and_closed(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut other = stage.client().connect().await;
    for namespace in ["/refuse", "/panicconn"] {
        stage.log().take();
        match stage.client().namespace(namespace).try_connect().await {
            // A wire that awaits the hook before it answers may say it there.
            Err(refused) => {
                let expected = if namespace == "/refuse" {
                    "no"
                } else {
                    "Internal server error"
                };
                assert_eq!(refused.message, expected);
            }
            Ok(mut client) => {
                client.emit("echo", json!(1)).await;
                let error = client.expect_exception().await;
                let expected = if namespace == "/refuse" {
                    "no"
                } else {
                    "Internal server error"
                };
                assert_eq!(error["message"], expected);
                assert_eq!(error.get("cause"), None, "no event failed");
                let seen = client.expect_close().await;
                assert!(seen.was_told(), "{seen:?}");
                stage.expect_code(&seen, if namespace == "/refuse" { 1008 } else { 1011 });
            }
        }
        let log = stage.log().take();
        assert!(!log.iter().any(|line| line.starts_with("echo")), "{log:?}");
    }
    // Nobody else notices.
    refute_event!(other);
    assert_reply!(other, "echo", 1 => 1);
}

/// CONTRACT 7: what `on_connection` emits arrives first.
pub async fn what_on_connection_emits_arrives_first(subject: Subject) {
    let stage = Stage::start(&subject).await;
    for _ in 0..20 {
        let mut client = stage.client().namespace("/hello").connect().await;
        let id = client.ask("whoami", Payload::none()).await;
        let hello = client.next_event().await;
        let reply = client.reply(&id).await;
        assert_eq!((hello.name.as_str(), hello.data()), ("hello", reply.data()));
        assert!(hello.order < reply.order);
    }
}

/// CONTRACT 7: `on_disconnect` exactly once, with a typed reason, rooms and
/// client state still readable.
pub async fn on_disconnect_runs_once_with_rooms_and_state(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let id = client.request("whoami", Payload::none()).await.into_data();
    let id = id.as_str().expect("an id is a string");
    client.request("join", json!({"room": "b"})).await;
    client.request("join", json!({"room": "a"})).await;
    client.request("set", json!({"v": 7})).await;
    stage.log().take();
    client.close(1000, "").await;
    let line = stage.log().until_prefix(&format!("disconnect {id}")).await;
    assert!(line.ends_with("rooms=a,b state=7 by=Client"), "{line}");
    // Exactly once: by the time the next client is gone, a second one of the
    // first would have been logged.
    let mut next = stage.client().connect().await;
    next.close(1000, "").await;
    let line = stage.log().until_prefix("disconnect").await;
    assert!(!line.contains(id), "a second time: {line}");
}

/// CONTRACT 7: the same for a client that is cut off.
pub async fn on_disconnect_runs_once_for_a_client_that_was_cut(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.request("join", json!({"room": "a"})).await;
    stage.log().take();
    client.cut().await;
    let line = stage.log().until_prefix("disconnect").await;
    assert!(line.ends_with("rooms=a state=0 by=Network"), "{line}");
}

/// CONTRACT 7: after the last handler ended or was cancelled.
pub async fn on_disconnect_waits_for_the_last_handler(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    client.emit("stay_behind", Payload::none()).await;
    stage.log().until("waiting for the end").await;
    client.close(1000, "").await;
    // The server knows that the client is gone, and the handler still runs.
    stage.log().until("client is gone").await;
    let mut other = stage.client().connect().await;
    other.request("echo", json!(1)).await;
    assert_eq!(stage.log().count("disconnect"), 0);
    stage.gates().open("a");
    stage.log().until_prefix("disconnect").await;
    let log = stage.log().all();
    let at = |start: &str| {
        let found = log.iter().position(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line {start:?} in {log:?}"))
    };
    assert!(at("stayed behind") < at("disconnect"), "{log:?}");
}

/// CONTRACT 7: a client that leaves with messages unhandled does not stay
/// longer than its handlers, whoever ended it.
pub async fn what_a_client_left_unhandled_does_not_keep_it(subject: Subject) {
    let long = std::time::Duration::from_mins(1);
    let stage = Stage::with(&subject, |config| config.leave_grace = long).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    client.emit("stay_behind", Payload::none()).await;
    stage.log().until("waiting for the end").await;
    client.emit("kick", Payload::none()).await;
    client.emit("echo", json!(1)).await;
    client.close(1000, "").await;
    stage.log().until("client is gone").await;
    stage.gates().open("a");
    stage.log().until_prefix("disconnect").await;
}

/// CONTRACT 7: a panic in `on_disconnect` is nobody else's.
pub async fn a_panic_in_on_disconnect_harms_nobody_else(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut one = stage.client().namespace("/panicdisc").connect().await;
    let mut two = stage.client().namespace("/panicdisc").connect().await;
    one.close(1000, "").await;
    stage.log().until("panicking").await;
    two.request("whoami", Payload::none()).await;
    let mut three = stage.client().namespace("/panicdisc").connect().await;
    three.request("whoami", Payload::none()).await;
}

/// CONTRACT 7: two gateways may share a namespace, in registration order.
pub async fn two_gateways_share_a_namespace(subject: Subject) {
    let stage = Stage::start(&subject).await;
    stage.log().take();
    let mut client = stage.client().namespace("/shared").connect().await;
    assert_reply!(client, "from_first" => "first");
    assert_reply!(client, "from_second" => "second");
    client.close(1000, "").await;
    stage.log().until("second disconnected").await;
    let log = stage.log().all();
    assert_eq!(
        log,
        [
            "first connected",
            "second connected",
            "first disconnected",
            "second disconnected"
        ]
    );
}

/// CONTRACT 2: path parameters.
pub async fn a_namespace_has_path_parameters(subject: Subject) {
    let stage = Stage::start(&subject).await;
    for id in ["7", "kitchen"] {
        let namespace = format!("/room/{id}");
        let mut client = stage.client().namespace(&namespace).connect().await;
        assert_reply!(client, "whoami" => {"id": id});
    }
    if subject.can(Power::HttpPaths) {
        for (path, id) in [
            ("/room/a%20b", "a b"),
            ("/room/a%2Fb", "a/b"),
            ("/room/%C3%A9", "\u{e9}"),
        ] {
            let mut client = stage.client().namespace(path).connect().await;
            assert_reply!(client, "whoami" => {"id": id});
        }
        let refused = stage.client().namespace("/room/%ff").expect_refused().await;
        assert_eq!(refused.status, Some(400), "{refused}");
    }
}

/// CONTRACT 7: `can_connect` runs before the client is in, and a refusal is
/// told in the wire's own terms.
pub async fn a_connection_guard_refuses_before_the_client_is_in(subject: Subject) {
    let stage = Stage::start(&subject).await;
    stage.log().take();
    let refused = stage.client().namespace("/guarded").expect_refused().await;
    assert!(refused.message.contains("who are you"), "{refused}");
    if subject.can(Power::RefusesByStatus) {
        assert_eq!(refused.status, Some(401));
    }
    let log = stage.log().take();
    assert!(
        !log.contains(&"guarded client connected".to_owned()),
        "{log:?}"
    );
}

/// CONTRACT 7: a connection guard leaves a typed identity for `Auth<T>`.
pub async fn a_connection_guard_leaves_the_clients_identity(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut clients = vec![stage.client().query("token", "good")];
    if subject.can(Power::Headers) {
        clients.push(stage.client().header("authorization", "Bearer good"));
    }
    if subject.can(Power::AuthPayload) {
        clients.push(stage.client().auth(json!({"token": "good"})));
    }
    for builder in clients {
        let mut client = builder.namespace("/guarded").connect().await;
        assert_reply!(client, "whoami" => {"user": "ada"});
    }
}

/// CONTRACT 2: an unknown path is refused; on Socket.IO, an unknown namespace.
pub async fn an_unknown_namespace_is_refused(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let refused = stage.client().namespace("/nowhere").expect_refused().await;
    if subject.can(Power::RefusesByStatus) {
        assert_eq!(refused.status, Some(404));
    } else if subject.can(Power::AuthPayload) {
        assert_eq!(refused.message, "Invalid namespace");
    }
}

/// CONTRACT 2: a foreign origin is refused with 403.
pub async fn a_foreign_origin_is_refused(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let refused = stage
        .client()
        .header("origin", "https://evil.example")
        .expect_refused()
        .await;
    assert_eq!(refused.status.unwrap_or(403), 403, "{refused}");
    if subject.can(Power::Port) {
        let own = format!("http://{}", stage.remote().addr());
        stage.client().header("origin", &own).connect().await;
    }
}

/// CONTRACT 2: a name that is not the server's is refused with 421, also when
/// the page's origin is the same name, as after DNS rebinding.
pub async fn a_host_that_is_not_listed_is_refused(subject: Subject) {
    let names = ["chat.example", "*.chat.example"].map(str::to_owned);
    let stage = Stage::with(&subject, |config| {
        config.allowed_hosts = AllowedHosts::Only(names.to_vec());
    })
    .await;
    let calling = |host: &str| stage.client().header("host", host);
    let wrong = [
        stage.client(),
        calling("evil.example").header("origin", "http://evil.example"),
        calling("chat.example.evil.example"),
        calling("chat.example@evil.example"),
        calling("chat.example").header("host", "chat.example"),
    ];
    let tried = wrong.len() as u64;
    for client in wrong {
        let refused = client.expect_refused().await;
        assert!(
            matches!(refused.status, None | Some(421 | 400)),
            "{refused}"
        );
    }
    assert_eq!(stage.stats().refusals(), tried);
    calling("Chat.example:8080").connect().await;
    let page = calling("eu.chat.example").header("origin", "http://eu.chat.example");
    page.connect().await;
}

/// CONTRACT 2: plain GET 426 with a body.
pub async fn a_plain_get_at_a_namespace_is_told_to_upgrade(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let response = http::get(stage.remote(), "/second")
        .await
        .expect("a response");
    assert_eq!(response.status, 426);
    assert!(!response.body.is_empty(), "a 426 says what to do");
    let post = http::post(stage.remote(), "/second", b"{}").await;
    let post = post.expect("a response");
    assert_eq!((post.status, post.header("allow")), (405, Some("GET")));
}

/// CONTRACT 2: bad version 426, bad key 400.
pub async fn a_wrong_upgrade_request_gets_its_status(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let ask = async |version: &str, key: &str| {
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", version),
            ("Sec-WebSocket-Key", key),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path = stage.websocket_path();
        let response = http::send(stage.remote(), "GET", path, &headers, b"").await;
        response.expect("a response")
    };
    let version = ask("8", "dGhlIHNhbXBsZSBub25jZQ==").await;
    assert_eq!(version.status, 426);
    assert_eq!(version.header("sec-websocket-version"), Some("13"));
    assert_eq!(ask("13", "short").await.status, 400);
}

/// CONTRACT 7: hooks and first messages of many clients at once stay apart.
pub async fn a_hundred_clients_connect_at_once(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let connecting: Vec<_> = (0..100)
        .map(|i| {
            let builder = stage.client();
            tokio::spawn(async move {
                let mut client = builder.connect().await;
                assert_reply!(client, "echo", i => i);
                client
            })
        })
        .collect();
    let mut clients = Vec::new();
    for client in connecting {
        clients.push(client.await.expect("each client gets its reply"));
    }
    let mut ids = Vec::new();
    for client in &mut clients {
        ids.push(
            client
                .request("whoami", Payload::none())
                .await
                .into_data()
                .to_string(),
        );
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100, "ids are unique");
    let receivers = clients[0].request("bcast", json!("all")).await;
    assert_eq!(receivers.data(), &json!(100));
    for client in &mut clients {
        assert_push!(client, "bc", "all");
    }
}

/// CONTRACT 7: nothing a refused namespace's client sends is handled; the
/// others of its connection live on.
pub async fn a_refused_namespace_leaves_the_connections_others_alone(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let refused = client.join_namespace("/guarded", None).await;
    assert!(refused.is_err(), "it has no token");
    let auth = Some(json!({"token": "good"}));
    let mut guarded = client
        .join_namespace("/guarded", auth)
        .await
        .expect("let in");
    assert_reply!(guarded, "whoami" => {"user": "ada"});
    guarded.leave().await;
    guarded.expect_close().await;
    assert_exception!(client, "fail" => {"message": "nope"});
    client.emit("ws", json!(1)).await;
    assert_event!(client, "resp", 1);
}
