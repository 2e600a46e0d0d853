//! What is generated compiles without a warning, passes its tests, runs, and
//! can be talked to.
//!
//! The application is built against this checkout, in this build's own target
//! folder, with the versions of the checkout's `Cargo.lock`: whatever the test
//! kit needs is compiled once for both, and nothing is downloaded.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::workspace::{Folder, Ran, checkout, program};

/// Its program is beside those of the checkout, so the name is one that nothing
/// else has.
const APP: &str = "cli-generated-app";

/// A package in a folder, with cargo.
struct Package {
    folder: PathBuf,
    target: PathBuf,
}

impl Package {
    fn cargo(&self, arguments: &[&str]) -> Ran {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .args(arguments);
        Ran::of(&mut command)
    }

    fn nest_gateway(&self, arguments: &[&str]) -> Ran {
        let mut command = program();
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .args(arguments);
        Ran::of(&mut command)
    }
}

/// The target folder that this test was built in: `target/debug/deps/cli-..`.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let profile = test.ancestors().nth(2).expect("it is in deps");
    profile
        .parent()
        .expect("the profile has a folder")
        .to_owned()
}

/// A program that is stopped when the test ends, however it ends.
struct Running(Child);

impl Running {
    /// Starts it on a free port; with its address.
    fn start(program: &Path) -> (Self, String) {
        let mut child = Command::new(program)
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let running = Self(child);
        let address = out.lines().map_while(Result::ok).find_map(|line| {
            let rest = line.split_once("listening on http://")?.1.to_owned();
            Some(rest.split(' ').next()?.to_owned())
        });
        (running, address.expect("it says where it listens"))
    }

    /// Asks it to stop, as a service manager does; its exit code.
    #[cfg(unix)]
    fn stop(mut self) -> Option<i32> {
        let id = self.0.id().to_string();
        // The shell's own, since a small system has no program of that name.
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &id])
            .status();
        assert!(asked.expect("there is a shell").success());
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_generated_application_compiles_passes_its_tests_and_can_be_called() {
    let root = Folder::new("compiled");
    // With the profile of the checkout, so that its dependencies are compiled once.
    let profile = "[profile.dev]\ndebug = \"line-tables-only\"\n";
    root.write(
        "Cargo.toml",
        &format!("[workspace]\nresolver = \"3\"\n\n{profile}"),
    );
    root.run(["new", APP, "--local-path", &checkout()])
        .succeeded();
    let lock = std::fs::read_to_string(Path::new(&checkout()).join("Cargo.lock"));
    root.write("Cargo.lock", &lock.expect("the checkout has one"));
    let app = Package {
        folder: root.path().join(APP),
        target: target(),
    };
    for arguments in [
        "gateway chat --socketio --stream --schema",
        "gateway admin/chat-room",
        "gateway lobby --flat --no-test",
        "module billing",
        "guard login",
        "guard chat",
        "interceptor timing",
        "filter problems --flat",
        "service admin/audit",
    ] {
        let arguments: Vec<_> = std::iter::once("g").chain(arguments.split(' ')).collect();
        app.nest_gateway(&arguments).succeeded();
    }
    app.cargo(&["fmt", "--check"]).succeeded();

    let tested = app.cargo(&["test", "--offline"]);
    assert!(
        !tested.err.contains(&format!("warning: `{APP}`")),
        "{}",
        tested.err
    );
    assert!(!tested.err.contains("warning: unused"), "{}", tested.err);
    let tested = tested.succeeded();
    for test in [
        "a_message_reaches_everybody::native ... ok",
        "a_message_reaches_everybody::socketio_polling ... ok",
        "an_empty_text_is_refused::memory ... ok",
        "a_prompt_is_answered_word_by_word::socketio_websocket ... ok",
    ] {
        assert!(tested.contains(test), "{test} is missing in:\n{tested}");
    }

    is_listed(&app);
    let (running, address) = Running::start(&app.target.join("debug").join(APP));
    can_be_called(&app, &address);
    assert_eq!(running.stop(), Some(0), "it stops when it is asked to");
}

#[cfg(unix)]
fn is_listed(app: &Package) {
    let listed = app.nest_gateway(&["list", "--offline"]).succeeded();
    for line in [
        "adapters: native, socketio",
        "/chat  ChatGateway",
        "  prompt         Prompt       -> stream of Token",
        "  emits message  Message",
        "/admin/chat-room  ChatRoomGateway",
        "/lobby  LobbyGateway",
    ] {
        assert!(
            listed.lines().any(|listed| listed == line),
            "{line} is missing in:\n{listed}"
        );
    }
    let typescript = app
        .nest_gateway(&["contract", "--ts", "--offline"])
        .succeeded();
    for part in [
        "export interface ChatClientToServerEvents {\n  send_message: (data: SendMessage, ack: ",
        "export interface MessageSent {\n  /** How many clients the message was sent to. */\n  receivers: number;\n}\n",
    ] {
        assert!(typescript.contains(part), "{typescript}");
    }
}

#[cfg(unix)]
fn can_be_called(app: &Package, address: &str) {
    let native = format!("ws://{address}/chat");
    let socketio = format!("http://{address}");
    let hello = r#"{"text":"hello"}"#;
    let ran = app.nest_gateway(&["call", &native, "send_message", hello]);
    assert_eq!(ran.err, "message {\"text\":\"hello\"}\n");
    assert_eq!(ran.succeeded(), "{\"receivers\":1}\n");
    let in_chat = ["--namespace", "/chat"];
    let ran = app.nest_gateway(
        &[
            ["call", &socketio, "send_message", hello].as_slice(),
            &in_chat,
        ]
        .concat(),
    );
    assert_eq!(ran.err, "message {\"text\":\"hello\"}\n");
    assert_eq!(ran.succeeded(), "{\"receivers\":1}\n");

    let words = "{\"text\":\"one\"}\n{\"text\":\"two\"}\n";
    let prompt = r#"{"text":"one two"}"#;
    assert_eq!(
        app.nest_gateway(&["call", &native, "prompt", prompt])
            .succeeded(),
        words
    );
    let ran =
        app.nest_gateway(&[["call", &socketio, "prompt", prompt].as_slice(), &in_chat].concat());
    assert_eq!(ran.succeeded(), words);

    for target in [
        [native.as_str()].as_slice(),
        &[&socketio, "--namespace", "/chat"],
    ] {
        let refusal = app
            .nest_gateway(&[&["call"], target, &["send_message", r#"{"text":""}"#]].concat())
            .failed();
        assert!(refusal.contains(r#""code":"empty_text""#), "{refusal}");
        let refusal = app
            .nest_gateway(&[&["call"], target, &["nothing"]].concat())
            .failed();
        assert!(refusal.contains("nothing"), "{refusal}");
    }
}
