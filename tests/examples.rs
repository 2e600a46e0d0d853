//! Every example starts, says where it listens, and does what its header says.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Once;

use nest_gateway_testkit::client::http::{get, send};
use nest_gateway_testkit::client::{Client, NativeConnector, SocketIoConnector};
use nest_gateway_testkit::{assert_broadcast, assert_exception, assert_push, assert_reply, json};

/// A running example; ended when it is dropped.
struct Example {
    process: Child,
    #[cfg_attr(
        not(feature = "jwt"),
        expect(dead_code, reason = "one example says more")
    )]
    out: BufReader<ChildStdout>,
    /// The line that says where it listens.
    said: String,
    addr: SocketAddr,
}

impl Example {
    fn start(name: &str) -> Self {
        let mut command = Command::new(program(name));
        command.env("PORT", "0").env("LINE_PORT", "0");
        if name == "chat" {
            command.args(["--port", "0"]);
        }
        let mut process = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let mut out = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut said = String::new();
        while !said.contains("http://") {
            said = line(&mut out);
        }
        let url = said.split("http://").nth(1).unwrap_or_default();
        let end = url.find(|c: char| !c.is_ascii_digit() && !".:".contains(c));
        let addr = url[..end.unwrap_or(url.len())].parse();
        Self {
            process,
            out,
            addr: addr.expect("an address follows http://"),
            said,
        }
    }

    async fn native(&self, namespace: &str) -> Client {
        let client = Client::of(NativeConnector::new(self.addr));
        client.namespace(namespace).connect().await
    }

    async fn socket_io(&self, namespace: &str) -> Client {
        let client = Client::of(SocketIoConnector::new(self.addr));
        client.namespace(namespace).connect().await
    }

    async fn page_has(&self, text: &str) {
        let page = get(self.addr, "/").await.expect("the page is served");
        assert!(page.text().contains(text), "the page lacks {text}");
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // One that has ended by itself has failed its test already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    let read = out.read_line(&mut line).expect("the output is text");
    assert_ne!(read, 0, "the example ended");
    line
}

/// The example's binary, beside this test's. `cargo test` builds the examples,
/// except when one test is selected; then they are built here.
fn program(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test.ancestors().nth(2).expect("it lies in deps");
    let program = profile.join("examples").join(name);
    BUILT.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--examples", "--package"]);
        build.arg(env!("CARGO_PKG_NAME"));
        if cfg!(feature = "jwt") {
            build.args(["--features", "jwt"]);
        }
        if cfg!(feature = "socketioxide") {
            build.args(["--features", "socketioxide"]);
        }
        if !NAMES
            .iter()
            .all(|name| profile.join("examples").join(name).exists())
        {
            assert!(build.status().expect("cargo runs").success());
        }
    });
    program
}

const NAMES: &[&str] = &[
    "agent_session",
    "chat",
    "cursors",
    "dashboard",
    "hello",
    "http_and_gateway",
    "jobs",
    "testing",
    "third_adapter",
    "token_streaming",
    "validation",
];

#[tokio::test]
async fn hello_greets_on_both_wires() {
    let example = Example::start("hello");
    for mut client in [
        example.native("/hello").await,
        example.socket_io("/hello").await,
    ] {
        assert_reply!(client, "hello", {"name": "Ada"} => {"text": "Hello, Ada!"});
    }
}

#[cfg(feature = "jwt")]
#[tokio::test]
async fn jwt_guard_lets_in_who_has_a_token_and_the_role() {
    let mut example = Example::start("jwt_guard");
    let refused = Client::of(NativeConnector::new(example.addr));
    let refused = refused.namespace("/news").expect_refused().await;
    assert_eq!(refused.status, Some(401));

    let mut ada = user(&mut example, "ada").await;
    let mut grace = user(&mut example, "grace").await;
    assert_reply!(grace, "whoami" => "grace");
    assert_exception!(grace, "publish", "Fake" => {"message": "Forbidden resource"});
    ada.emit("publish", "News").await;
    assert_push!(grace, "headline", ["ada", "News"]);
}

/// A client with the token that the example prints for this user.
#[cfg(feature = "jwt")]
async fn user(example: &mut Example, name: &str) -> Client {
    let line = line(&mut example.out);
    let (who, url) = line.split_once(": ").expect("a user and a URL");
    assert_eq!(who, name);
    let token = url.trim().split_once("token=").expect("a token").1;
    let client = Client::of(NativeConnector::new(example.addr)).namespace("/news");
    client.query("token", token).connect().await
}

#[cfg(feature = "socketioxide")]
#[tokio::test]
async fn on_socketioxide_keeps_its_own_handler_and_gains_a_room_for_all() {
    let example = Example::start("on_socketioxide");
    let mut own = example.socket_io("/").await;
    assert_reply!(own, "twice", 21 => 42);
    let mut ada = own
        .join_namespace("/chat", None)
        .await
        .expect("it may join");
    let mut grace = example.native("/chat").await;
    assert_reply!(ada, "say", {"text": "hi"} => 2);
    assert_broadcast!([ada, grace], "said", {"via": "socketioxide", "text": "hi"});
    grace.emit("say", json!({"text": "hello"})).await;
    assert_broadcast!([ada, grace], "said", {"via": "native", "text": "hello"});
    let health = get(example.addr, "/health").await.expect("a response");
    assert_eq!(health.text(), "well");
}

#[tokio::test]
async fn validation_names_the_fields() {
    let example = Example::start("validation");
    let mut client = example.native("/accounts").await;
    assert_reply!(client, "sign_up", {"name": "Ada", "age": 36} => {"name": "Ada", "age": 36});
    let error = assert_exception!(client, "sign_up", {"name": "", "age": 7} => {
        "code": "bad_request", "message": "Invalid message body"
    });
    let details = error["details"].to_string();
    assert!(
        details.contains("name") && details.contains("age"),
        "{error}"
    );
    assert_reply!(client, "is_free", {"name": " root "} => false);
    let reply = client.request("check", json!({"name": ""})).await;
    assert_eq!(
        reply.data().as_array().map(Vec::len),
        Some(1),
        "{}",
        reply.raw
    );
}

#[tokio::test]
async fn token_streaming_streams_to_both_wires() {
    let example = Example::start("token_streaming");
    example.page_has("Token streaming").await;
    for mut client in [
        example.native("/llm").await,
        example.socket_io("/llm").await,
    ] {
        let id = client.ask("prompt", json!({"text": "Why?"})).await;
        client.cancel(&id).await;
        client.rest_of_stream(&id).await;
        client.emit("prompt_loop", json!({"text": "Why?"})).await;
        assert_push!(client, "token", {"text": "You "});
        client.cancel_event("prompt_loop").await;
    }
}

#[tokio::test]
async fn agent_session_asks_its_client_and_remembers() {
    let example = Example::start("agent_session");
    example.page_has("Agent session").await;
    let mut client = example.native("/agent").await;
    let run = client.ask("run", json!({"text": "Lisbon"})).await;
    let question = client.expect_question("approve").await;
    client.answer(&question, json!({"approved": true})).await;
    let steps = client.rest_of_stream(&run).await;
    let last = steps.items.last().expect("the agent answers");
    assert!(last.1.to_string().contains("Booked"), "{last:?}");
    assert_reply!(client, "history" => ["Lisbon"]);
}

#[tokio::test]
async fn dashboard_sends_samples() {
    let example = Example::start("dashboard");
    example.page_has("class Chart").await;
    let mut client = example.native("/dashboard").await;
    assert_push!(client, "history");
    let sample = assert_push!(client, "sample", {"clients": 1}, ..);
    assert!(
        sample["lag"].is_u64() && sample["sent"].is_u64(),
        "{sample}"
    );
}

#[tokio::test]
async fn cursors_move_on_one_board_only() {
    let example = Example::start("cursors");
    example.page_has("pointermove").await;
    let mut ada = example.native("/board/1").await;
    let mut grace = example.socket_io("/board/1").await;
    let mut alan = example.native("/board/2").await;
    assert_reply!(alan, "board" => "2");
    grace.round_trip().await;
    ada.emit("move", json!({"x": 0.5, "y": 0.25})).await;
    assert_push!(grace, "moved", {"x": 0.5, "y": 0.25}, ..);
    ada.close(1000, "").await;
    assert_push!(grace, "left");
    alan.refute_event("moved").await;
}

#[tokio::test]
async fn jobs_report_to_who_watches() {
    let example = Example::start("jobs");
    example.page_has("Start a job").await;
    let (mut ada, mut grace) = (example.native("/jobs").await, example.native("/jobs").await);
    assert_reply!(ada, "start", {"steps": 2} => {"job": 1, "done": 0, "of": 2});
    assert_reply!(grace, "watch", 1 => {"job": 1}, ..);
    assert_broadcast!([ada, grace], "progress", {"done": 1}, ..);
    assert_broadcast!([ada, grace], "finished", 1);
    assert_reply!(ada, "list" => []);
}

#[tokio::test]
async fn http_and_gateway_share_the_notes() {
    let example = Example::start("http_and_gateway");
    let mut client = example.native("/notes").await;
    client.round_trip().await;
    let json_body = [("content-type".to_owned(), "application/json".to_owned())];
    let created = send(example.addr, "POST", "/notes", &json_body, b"\"milk\"").await;
    assert_eq!(created.expect("the route answers").status, 201);
    assert_push!(client, "added", "milk");
    assert_reply!(client, "add", "bread" => 2);
    let notes = get(example.addr, "/notes")
        .await
        .expect("the route answers");
    assert_eq!(notes.json(), json!(["milk", "bread"]));
}

#[tokio::test]
async fn testing_runs_as_a_program_too() {
    let example = Example::start("testing");
    let mut client = example.native("/game").await;
    assert_reply!(client, "score", {"player": "Ada", "points": 1} => false);
}

#[tokio::test]
async fn third_adapter_joins_lines_and_websockets() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
    let example = Example::start("third_adapter");
    let mut browser = example.native("/chat").await;
    browser.round_trip().await;
    let lines = example.said.trim().rsplit(' ').next().unwrap_or_default();
    let stream = tokio::net::TcpStream::connect(lines)
        .await
        .expect("lines are served");
    let mut stream = tokio::io::BufStream::new(stream);
    let say = b"join /chat\nsay {\"text\": \"hello\"}\n";
    stream.write_all(say).await.expect("the server reads");
    stream.flush().await.expect("the server reads");
    assert_push!(browser, "said", {"via": "lines", "text": "hello"});
    let mut line = String::new();
    stream
        .read_line(&mut line)
        .await
        .expect("the server answers");
    assert_eq!(line, "joined\n");
    line.clear();
    stream
        .read_line(&mut line)
        .await
        .expect("the server answers");
    assert_eq!(line, "said {\"via\":\"lines\",\"text\":\"hello\"}\n");
    browser.emit("say", json!({"text": "hi"})).await;
    line.clear();
    stream
        .read_line(&mut line)
        .await
        .expect("the server answers");
    assert_eq!(line, "said {\"via\":\"native\",\"text\":\"hi\"}\n");
    stream
        .write_all(b"say nonsense\n")
        .await
        .expect("the server reads");
    stream.flush().await.expect("the server reads");
    line.clear();
    stream
        .read_line(&mut line)
        .await
        .expect("the server answers");
    assert!(line.starts_with("exception {"), "{line}");
}

#[tokio::test]
async fn chat_serves_its_page() {
    let example = Example::start("chat");
    example.page_has("<title>").await;
}
