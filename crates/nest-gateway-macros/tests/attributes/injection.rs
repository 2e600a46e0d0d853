//! Fields, constructors and modules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nest_gateway::prelude::*;
use nest_gateway::{BoxError, Module, ModuleDescriptor, Provider};
use nest_gateway_testkit::{TestApp, json};

struct Config {
    name: &'static str,
}

trait Store: Send + Sync {
    fn name(&self) -> String;
}

struct RedisStore {
    name: String,
}

#[injectable]
impl RedisStore {
    async fn new(config: Arc<Config>) -> Result<Self, std::io::Error> {
        tokio::task::yield_now().await;
        Ok(Self {
            name: format!("redis of {}", config.name),
        })
    }

    /// Not the constructor.
    fn shout(&self) -> String {
        self.name.to_uppercase()
    }
}

impl Store for RedisStore {
    fn name(&self) -> String {
        self.shout()
    }
}

struct Plain(u32);

#[injectable]
impl Plain {
    fn new() -> Self {
        Self(3)
    }
}

#[injectable]
struct Service {
    store: Arc<dyn Store>,
    missing: Option<Arc<String>>,
    gateway: ServerOf<Gateway>,
    #[inject(default)]
    calls: AtomicU32,
    #[inject(value = 40 + 2)]
    answer: u32,
}

#[injectable]
struct Tuple(Arc<Plain>, #[inject(default)] u32);

#[injectable]
struct Unit;

#[websocket_gateway]
struct Gateway {
    service: Arc<Service>,
    server: WebSocketServer,
    tuple: Arc<Tuple>,
    _unit: Arc<Unit>,
    clock: Arc<dyn Clock>,
    #[cfg(any())]
    absent: NoSuchType,
}

trait Clock: Send + Sync {
    fn now(&self) -> u32;
}

impl Clock for u32 {
    fn now(&self) -> u32 {
        *self
    }
}

#[subscriptions]
impl Gateway {
    #[subscribe_message("all")]
    fn all(&self) -> serde_json::Value {
        let calls = self.service.calls.fetch_add(1, Ordering::Relaxed);
        json!({
            "store": self.service.store.name(),
            "missing": self.service.missing.is_none(),
            "answer": self.service.answer,
            "calls": calls,
            "tuple": [self.tuple.0.0, self.tuple.1],
            "clock": self.clock.now(),
            "namespaces": [self.server.namespace(), self.service.gateway.namespace()],
        })
    }
}

/// A module with settings.
struct ConfigModule;

impl ConfigModule {
    fn named(name: &'static str) -> ModuleDescriptor {
        ModuleDescriptor::new("ConfigModule")
            .provide(Provider::value(Config { name }))
            .export_all()
    }
}

#[module(
    providers(RedisStore as dyn Store),
    imports(ConfigModule::named("test")),
    exports(dyn Store)
)]
struct StoreModule;

#[module(providers(factory(clock) as dyn Clock), exports(dyn Clock), global)]
struct ClockModule;

async fn clock() -> Result<u32, BoxError> {
    Ok(9)
}

#[module(
    providers(Service, Plain, Tuple, Unit, Gateway),
    imports(StoreModule, ClockModule)
)]
struct AppModule;

#[tokio::test]
async fn fields_constructors_and_modules_fit_together() {
    let app = TestApp::new::<AppModule>().start().await;
    let mut client = app.client("/").connect().await;
    let expected = |calls| {
        json!({
            "store": "REDIS OF TEST", "missing": true, "answer": 42, "calls": calls,
            "tuple": [3, 0], "clock": 9, "namespaces": ["/", "/"],
        })
    };
    assert_eq!(*client.request("all", ()).await.data(), expected(0));
    assert_eq!(*client.request("all", ()).await.data(), expected(1));
}

#[module(providers(value(7_u32) as dyn Clock))]
struct ValueModule;

#[test]
fn a_module_is_named_after_its_struct() {
    let described = format!("{:?}", ValueModule::describe());
    assert!(described.contains("\"ValueModule\""), "{described}");
    assert!(described.contains("Key(u32)"), "{described}");
    assert!(
        described.contains("dyn injection::Clock") || described.contains("Clock"),
        "{described}"
    );
}
