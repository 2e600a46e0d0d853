//! Hooks are found where they are implemented, and only there.

use std::sync::{Arc, Mutex};

use nest_gateway::prelude::*;
use nest_gateway::{BoxError, OnModuleInit, OnShutdown};
use nest_gateway_testkit::TestApp;

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn write(&self, line: &str) {
        self.0
            .lock()
            .expect("nobody panics with the log")
            .push(line.to_owned());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics with the log").clone()
    }
}

#[websocket_gateway(namespace = "/with")]
struct With {
    log: Arc<Log>,
}

#[subscriptions]
impl With {}

impl OnModuleInit for With {
    async fn on_module_init(&self) -> Result<(), BoxError> {
        self.log.write("module init");
        Ok(())
    }
}

impl OnGatewayInit for With {
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        self.log
            .write(&format!("after init {}", server.namespace()));
        Ok(())
    }
}

impl OnGatewayConnection for With {
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        self.log.write("connection");
        client.emit("hello", "there");
        Ok(())
    }
}

impl OnGatewayDisconnect for With {
    async fn on_disconnect(&self, _: &Client, _: &DisconnectReason) {
        self.log.write("disconnect");
    }
}

impl OnShutdown for With {
    async fn on_shutdown(&self) -> Result<(), BoxError> {
        self.log.write("shutdown");
        Ok(())
    }
}

/// Has none of the hooks, though it has methods of their names.
#[websocket_gateway(namespace = "/without")]
struct Without {
    log: Arc<Log>,
}

#[subscriptions]
impl Without {
    #[subscribe_message("hooks")]
    fn hooks(&self) -> usize {
        self.after_init();
        self.on_connection();
        self.log.lines().len()
    }

    fn after_init(&self) {
        self.log.write("a plain method");
    }

    fn on_connection(&self) {
        self.log.write("a plain method");
    }
}

/// Hooks are found on whatever is provided.
struct Factored(Arc<Log>);

impl OnModuleInit for Factored {
    async fn on_module_init(&self) -> Result<(), BoxError> {
        self.0.write("factored init");
        Ok(())
    }
}

async fn factored(log: Arc<Log>) -> Result<Factored, BoxError> {
    Ok(Factored(log))
}

struct Valued;

impl OnShutdown for Valued {
    async fn on_shutdown(&self) -> Result<(), BoxError> {
        Err("seen in the log of the application".into())
    }
}

#[module(providers(value(Log::default()), factory(factored), value(Valued), With, Without))]
struct HooksModule;

#[tokio::test]
async fn all_hooks_of_a_gateway_are_called_without_registration() {
    let app = TestApp::new::<HooksModule>().start().await;
    let log = app.get::<Log>();
    let mut client = app.client("/with").connect().await;
    assert_eq!(client.expect_event("hello").await, "there");
    assert!(app.shut_down().await);
    let lines = log.lines();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    assert_eq!(
        lines,
        [
            "factored init",
            "module init",
            "after init /with",
            "connection",
            "disconnect",
            "shutdown"
        ]
    );
}

#[tokio::test]
async fn methods_that_are_named_as_hooks_are_none() {
    let app = TestApp::new::<HooksModule>().start().await;
    let before = app.get::<Log>().lines().len();
    let mut client = app.client("/without").connect().await;
    let reply = client.request("hooks", ()).await;
    assert_eq!(*reply.data(), before + 2);
}
