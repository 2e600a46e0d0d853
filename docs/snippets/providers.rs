//! Modules and providers.

use std::convert::Infallible;
use std::sync::Arc;

use nest_gateway::prelude::*;
use nest_gateway::{OnModuleInit, OnShutdown};
use nest_gateway_testkit::{TestApp, assert_reply};

// ANCHOR: service
/// Constructed by the container: its fields are other providers.
#[injectable]
struct Greeter {
    names: Arc<dyn Names>,
    #[inject(value = 3)]
    most: usize,
}

impl Greeter {
    fn greet(&self) -> Vec<String> {
        self.names.all().into_iter().take(self.most).collect()
    }
}
// ANCHOR_END: service

// ANCHOR: trait
trait Names: Send + Sync {
    fn all(&self) -> Vec<String>;
}

struct Config {
    names: Vec<String>,
}

struct ConfiguredNames(Arc<Config>);

/// Constructed by its `new`, which may be async and may fail.
#[injectable]
impl ConfiguredNames {
    async fn new(config: Arc<Config>) -> Result<Self, Infallible> {
        Ok(Self(config))
    }
}

impl Names for ConfiguredNames {
    fn all(&self) -> Vec<String> {
        self.0.names.clone()
    }
}
// ANCHOR_END: trait

// ANCHOR: hooks
impl OnModuleInit for Greeter {
    async fn on_module_init(&self) -> Result<(), BoxError> {
        if self.names.all().is_empty() {
            return Err("nobody to greet".into());
        }
        Ok(())
    }
}

impl OnShutdown for Greeter {
    async fn on_shutdown(&self) -> Result<(), BoxError> {
        Ok(())
    }
}
// ANCHOR_END: hooks

#[websocket_gateway(namespace = "/greetings")]
struct GreetingsGateway {
    greeter: Arc<Greeter>,
}

#[subscriptions]
impl GreetingsGateway {
    #[subscribe_message("all")]
    async fn all(&self) -> Vec<String> {
        self.greeter.greet()
    }
}

// ANCHOR: modules
#[module(
    providers(
        value(Config { names: vec!["Ada".to_owned()] }),
        ConfiguredNames as dyn Names,
        Greeter,
    ),
    exports(Greeter)
)]
struct GreeterModule;

#[module(imports(GreeterModule), providers(GreetingsGateway))]
struct AppModule;
// ANCHOR_END: modules

#[tokio::test]
async fn the_container_puts_it_together() {
    let app = TestApp::new::<AppModule>().start().await;
    let mut client = app.client("/greetings").connect().await;
    assert_reply!(client, "all" => ["Ada"]);
}

// ANCHOR: override
#[tokio::test]
async fn a_test_replaces_what_it_likes() {
    let app = TestApp::new::<AppModule>()
        .override_value(Config {
            names: vec!["Grace".to_owned()],
        })
        .start()
        .await;
    let mut client = app.client("/greetings").connect().await;
    assert_reply!(client, "all" => ["Grace"]);
}
// ANCHOR_END: override

#[tokio::test]
async fn an_init_hook_that_fails_stops_the_start_up() {
    let app = TestApp::new::<AppModule>().override_value(Config { names: Vec::new() });
    let error = app.try_start().await.expect_err("nobody to greet");
    assert!(error.to_string().contains("nobody to greet"), "{error}");
}
