//! `nest-gateway call`, against servers that answer as the wire contract says.

use std::io::Write as _;
use std::process::Stdio;

use crate::server::{Act, Server, text};
use crate::workspace::{Ran, program};

fn call(arguments: &[&str]) -> Ran {
    Ran::of(program().arg("call").args(arguments))
}

/// Calls with lines on the standard input.
fn typed(arguments: &[&str], lines: &str) -> Ran {
    let mut child = program()
        .arg("call")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(lines.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A native gateway with an event of each kind.
fn gateway(said: &str) -> Vec<Act> {
    if !said.starts_with(r#"{"event""#) {
        return Vec::new();
    }
    let id = said
        .rsplit_once("\"id\":")
        .map_or("", |(_, id)| id.trim_end_matches('}'));
    let event = said.split('"').nth(3).unwrap_or_default();
    let reply = |data: &str| Act::Text(format!(r#"{{"event":"{event}","data":{data},"id":{id}}}"#));
    match event {
        "value" => vec![
            text(r#"{"event":"noise","data":{"b":1, "a":2}}"#),
            reply(r#"{"z":0, "a":1}"#),
        ],
        "falsy" => vec![reply("0")],
        "nothing" => vec![Act::Text(format!(r#"{{"event":"nothing","id":{id}}}"#))],
        "stream" => vec![
            reply("1"),
            reply("2"),
            reply("3"),
            Act::Text(format!(r#"{{"event":"stream","id":{id},"done":true}}"#)),
        ],
        "unended" => vec![reply("1"), reply("2")],
        "fail" => vec![Act::Text(format!(
            r#"{{"event":"exception","data":{{"status":"error","message":"no"}},"id":{id}}}"#
        ))],
        "leave" => vec![Act::Close(1008, "slow consumer")],
        "binary" => vec![Act::Bytes(vec![0xff; 3]), reply("null")],
        "ask" => vec![
            text(r#"{"event":"sure?","data":1,"id":"s7"}"#),
            reply("\"asked\""),
        ],
        _ => Vec::new(),
    }
}

fn url(server: &Server, path: &str) -> String {
    format!("ws://{}{path}", server.address)
}

#[test]
fn the_reply_is_printed_as_it_came_and_nothing_else() {
    let server = Server::native(gateway);
    let ran = call(&[
        &url(&server, "/chat?x=1"),
        "value",
        r#"{"text": "hi"}"#,
        "-H",
        "x-token: t",
    ]);
    assert_eq!(ran.err, "noise {\"b\":1, \"a\":2}\n");
    assert_eq!(ran.succeeded(), "{\"z\":0, \"a\":1}\n");
    assert_eq!(
        server.heard(),
        [
            r#"GET /chat?x=1 x-token="t""#,
            r#"{"event":"value","data":{"text": "hi"},"id":1}"#
        ]
    );
}

#[test]
fn replies_of_every_kind_are_understood() {
    let server = Server::native(gateway);
    let url = url(&server, "/");
    assert_eq!(call(&[&url, "falsy"]).succeeded(), "0\n");
    assert_eq!(call(&[&url, "nothing"]).succeeded(), "");
    assert_eq!(call(&[&url, "stream", "-5"]).succeeded(), "1\n2\n3\n");
    let ran = call(&[&url, "binary"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), "<3 bytes>\n"));
    let ran = call(&[&url, "ask"]);
    assert_eq!(ran.err, "sure? 1 (answer with `/answer s7 ..`)\n");
    assert_eq!(ran.out, "\"asked\"\n");
    let refusal = call(&[&url, "fail"]).failed();
    assert_eq!(
        refusal,
        "error: {\"status\":\"error\",\"message\":\"no\"}\n"
    );
    let refusal = call(&[&url, "leave"]).failed();
    assert_eq!(
        refusal,
        "error: the connection was closed with 1008: slow consumer\n"
    );
}

#[test]
fn a_reply_that_does_not_come_is_an_error_after_the_timeout() {
    let server = Server::native(gateway);
    let url = url(&server, "/");
    let refusal = call(&[&url, "silence", "--timeout", "0.1"]).failed();
    assert!(refusal.contains("no reply came within 100ms"), "{refusal}");
    let ran = call(&[&url, "unended", "--timeout", "0.3"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "1\n2\n"));
    assert!(ran.err.contains("did not go on"), "{}", ran.err);
    assert_eq!(call(&[&url, "silence", "--no-reply"]).succeeded(), "");
    assert!(
        server
            .heard()
            .contains(&r#"{"event":"silence"}"#.to_owned())
    );
}

#[test]
fn what_follows_is_printed_until_the_connection_ends() {
    let server = Server::native(|_| {
        vec![
            text(r#"{"event":"a","data":1}"#),
            text(r#"{"event":"b"}"#),
            Act::Close(1001, "going away"),
        ]
    });
    let ran = call(&[&url(&server, "/"), "go", "--no-reply", "--follow"]);
    assert_eq!(ran.err, "the connection was closed with 1001: going away\n");
    assert_eq!(ran.succeeded(), "a 1\nb\n");
}

#[test]
fn a_refused_connection_shows_status_and_body() {
    let server = Server::raw(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 16\r\nConnection: close\r\n\r\na token, please\n",
    );
    let refusal = call(&[&url(&server, "/chat"), "x"]).failed();
    assert!(
        refusal.contains("401 Unauthorized: a token, please"),
        "{refusal}"
    );
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let nobody = format!("ws://{}", nobody.expect("a free port"));
    let refusal = call(&[&nobody, "x"]).failed();
    assert!(refusal.contains("cannot connect to 127.0.0.1"), "{refusal}");
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    for (arguments, reason) in [
        (vec!["host", "x"], "neither ws:// nor http://"),
        (vec!["wss://host", "x"], "TLS"),
        (
            vec!["ws://127.0.0.1:1", "x", "{'a':1}"],
            "the data is not JSON",
        ),
        (
            vec!["ws://127.0.0.1:1", "x", "--auth", "{}"],
            "are for Socket.IO",
        ),
        (
            vec!["http://127.0.0.1:1", "x", "--auth", "1"],
            "not a JSON object",
        ),
        (vec!["ws://127.0.0.1:1", "x", "-H", "nothing"], "no header"),
    ] {
        let refusal = call(&arguments).failed();
        assert!(refusal.contains(reason), "{arguments:?}: {refusal}");
    }
}

const DOCUMENT: &str = r##"{"channels":{"c":{"address":"/chat","messages":{"v":{"name":"value"}}}},
"operations":{"o":{"action":"receive","channel":{"$ref":"#/channels/c"},"messages":[{"$ref":"#/channels/c/messages/v"}]}}}"##;

#[test]
fn lines_that_are_piped_in_are_sent_and_their_replies_awaited() {
    let server = Server::start(DOCUMENT, &[], gateway);
    let lines = "/events\nvalue {\"a\": 1}\n\nstream\nfail text is fine\n/cancel #2\n/cancel stream\n/answer s7 {}\n";
    let ran = typed(&[&url(&server, "/chat")], lines);
    assert_eq!(
        ran.succeeded(),
        "value\n\
         < noise {\"b\":1, \"a\":2}\n\
         < #1 {\"z\":0, \"a\":1}\n\
         < #2 1\n< #2 2\n< #2 3\n< #2 done\n\
         < #3 exception {\"status\":\"error\",\"message\":\"no\"}\n"
    );
    assert_eq!(
        server.heard()[1..],
        [
            r#"{"event":"value","data":{"a": 1},"id":1}"#,
            r#"{"event":"stream","id":2}"#,
            r#"{"event":"fail","data":"text is fine","id":3}"#,
            r#"{"cancel":2}"#,
            r#"{"cancel":"stream"}"#,
            r#"{"ack":"s7","data":{}}"#,
        ]
    );
}

#[test]
fn events_are_completed_from_the_document_that_applications_publish() {
    let document = include_str!("../snapshots/asyncapi.json");
    let server = Server::start(document, &[], gateway);
    let events = typed(&[&url(&server, "/room/7")], "/events\n").succeeded();
    assert_eq!(events, "send_message\n");
    let events = typed(&[&url(&server, "/chat")], "/events\n").succeeded();
    assert_eq!(
        events,
        "history\nleave-room\nprompt\nsend_message\nwhoami\n"
    );
}

#[test]
fn lines_that_are_not_understood_end_with_an_error() {
    let server = Server::native(gateway);
    let refusal = typed(&[&url(&server, "/")], "/dance\n").failed();
    assert!(refusal.contains("`/dance` is not understood"), "{refusal}");
    let ran = typed(&[&url(&server, "/"), "--timeout", "0.2"], "silence\n");
    assert!(
        ran.err.contains("1 of the messages had no complete reply"),
        "{}",
        ran.err
    );
    let ran = typed(
        &[&url(&server, "/")],
        "/help\n/events\nfalsy\n/quit\nvalue\n",
    );
    let said = ran.succeeded();
    assert!(
        said.contains("/cancel what") && said.contains("no contract") && said.ends_with("< #1 0\n"),
        "{said}"
    );
}

/// A Socket.IO server with one namespace.
fn socketio(said: &str) -> Vec<Act> {
    match said {
        "40/chat,{\"token\":\"good\"}" => vec![
            text("40/other,{\"sid\":\"x\"}"),
            text("40/chat,{\"sid\":\"y\"}"),
        ],
        said if said.starts_with("40/chat,") => {
            vec![text(r#"44/chat,{"message":"a token, please"}"#)]
        }
        r#"42/chat,1["value",{"a": 1}]"# => vec![
            text("2"),
            text(r#"42/other,["noise"]"#),
            text(r#"42/chat,["noise",{"b":1, "a":2}]"#),
            text(r#"43/chat,1[{"z":0, "a":1}]"#),
        ],
        r#"42/chat,1["stream"]"# => vec![
            text(r#"42/chat,["stream",1]"#),
            text(r#"42/chat,["stream",2]"#),
            text("43/chat,1[]"),
        ],
        r#"42/chat,1["fail"]"# => vec![text(r#"43/chat,1[{"status":"error","message":"no"}]"#)],
        r#"42/chat,1["file"]"# => vec![
            text(r#"461-/chat,1[{"_placeholder":true,"num":0}]"#),
            Act::Bytes(vec![0; 5]),
        ],
        r#"42/chat,1["leave"]"# => vec![text("41/chat,")],
        _ => Vec::new(),
    }
}

const OPEN: &[&str] = &[
    r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
];

#[test]
fn socketio_is_spoken_with_namespace_and_authentication() {
    let server = Server::start("", OPEN, socketio);
    let url = format!("http://{}", server.address);
    let in_chat = ["--namespace", "/chat", "--auth", r#"{"token":"good"}"#];
    let called = |arguments: &[&str]| call(&[&[url.as_str()], arguments, &in_chat].concat());

    let ran = called(&["value", r#"{"a": 1}"#]);
    assert_eq!(ran.err, "noise {\"b\":1, \"a\":2}\n");
    assert_eq!(ran.succeeded(), "{\"z\":0, \"a\":1}\n");
    assert_eq!(
        server.heard(),
        [
            "GET /socket.io/?EIO=4&transport=websocket",
            r#"40/chat,{"token":"good"}"#,
            r#"42/chat,1["value",{"a": 1}]"#,
            "3",
            "41/chat,",
        ]
    );
    assert_eq!(called(&["stream"]).succeeded(), "1\n2\n");
    // As in `io("http://host/chat")`.
    let auth = ["--auth", r#"{"token":"good"}"#];
    let ran = call(&[&[&format!("{url}/chat"), "stream"], auth.as_slice()].concat());
    assert_eq!(ran.succeeded(), "1\n2\n");
    assert_eq!(called(&["file"]).succeeded(), "\"<5 bytes>\"\n");
    assert_eq!(
        called(&["fail"]).failed(),
        "error: {\"status\":\"error\",\"message\":\"no\"}\n"
    );
    assert!(
        called(&["leave"])
            .failed()
            .contains("disconnected this namespace")
    );
}

#[test]
fn a_refused_namespace_and_a_server_without_socketio_are_errors() {
    let server = Server::start("", OPEN, socketio);
    let url = format!("ws://{}", server.address);
    let refusal = call(&[&url, "x", "--socketio", "--namespace", "chat"]).failed();
    assert!(
        refusal.contains(r#"the server refused /chat: {"message":"a token, please"}"#),
        "{refusal}"
    );
    let refusal = call(&[&url, "x", "--socketio", "--timeout", "0.2"]).failed();
    assert!(refusal.contains("did not answer for /"), "{refusal}");
    let other = Server::start("", &["hello"], |_| Vec::new());
    let refusal = call(&[&format!("http://{}", other.address), "x"]).failed();
    assert!(refusal.contains("does not speak Engine.IO 4"), "{refusal}");
}
