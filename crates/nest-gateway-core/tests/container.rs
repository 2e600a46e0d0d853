//! Modules, providers and the container.

use std::any::type_name;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use nest_gateway_core::error::BoxError;
use nest_gateway_core::gateway::{
    Ambient, Container, ContainerError, Dependency, FromContainer, Injectable, Key, Module,
    ModuleDescriptor, ModuleSource, Provider, Resolver, WiringProblem,
};

/// What happened, in order.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Declares a type that takes these fields from the container, and says so in
/// the log that the application put there.
macro_rules! injectable {
    ($name:ident { $($field:ident: $type:ty),* }) => {
        #[allow(dead_code, reason = "some are only constructed")]
        struct $name { $($field: $type),* }

        impl Injectable for $name {
            fn dependencies() -> Vec<Dependency> {
                let dependencies: Vec<Option<Dependency>> =
                    vec![$(<$type as FromContainer>::dependency()),*];
                dependencies.into_iter().flatten().collect()
            }

            async fn construct(resolver: &Resolver<'_>) -> Result<Self, BoxError> {
                // Somebody else may run in between, as with a real connection.
                tokio::task::yield_now().await;
                if let Some(log) = resolver.ambient::<Arc<Log>>() {
                    log.write(resolver.consumer().to_string());
                }
                Ok(Self { $($field: FromContainer::resolve(resolver)?),* })
            }
        }
    };
}

trait Store: Send + Sync {
    fn name(&self) -> &'static str;
}

injectable!(Connection {});
injectable!(RedisStore { connection: Arc<Connection> });
injectable!(ChatService { store: Arc<dyn Store> });
injectable!(ChatGateway { chat: Arc<ChatService>, metrics: Option<Arc<Metrics>> });
injectable!(Metrics {});
injectable!(Chicken { egg: Arc<Egg> });
injectable!(Egg { chicken: Arc<Chicken> });

impl Store for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }
}

struct FakeStore;

impl Store for FakeStore {
    fn name(&self) -> &'static str {
        "fake"
    }
}

fn redis() -> Provider {
    Provider::bind::<dyn Store, RedisStore>(|redis| redis)
}

fn fake() -> Provider {
    Provider::arc::<dyn Store>(Arc::new(FakeStore))
}

/// Everything in one module, listed users first.
fn chat_module() -> ModuleDescriptor {
    ModuleDescriptor::new("ChatModule")
        .provide(Provider::of::<ChatGateway>())
        .provide(Provider::of::<ChatService>())
        .provide(redis())
        .provide(Provider::of::<RedisStore>())
        .provide(Provider::of::<Connection>())
}

async fn build(roots: Vec<ModuleDescriptor>) -> Result<Container, ContainerError> {
    let roots = roots.into_iter().map(ModuleSource::from).collect();
    Container::build(roots, Vec::new(), Ambient::new()).await
}

async fn build_with(module: ModuleDescriptor, overrides: Vec<Provider>) -> (Container, Arc<Log>) {
    let log = Arc::new(Log::default());
    let ambient = Ambient::new().with(Arc::clone(&log));
    let container = Container::build(vec![module.into()], overrides, ambient).await;
    (container.expect("the module is right"), log)
}

async fn problems(roots: Vec<ModuleDescriptor>) -> Vec<String> {
    match build(roots).await.expect_err("the modules are wrong") {
        ContainerError::Wiring(problems) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected wiring problems: {other}"),
    }
}

#[tokio::test]
async fn each_type_is_constructed_once_and_after_what_it_needs() {
    let (container, log) =
        build_with(chat_module().provide(Provider::of::<ChatService>()), vec![]).await;
    assert_eq!(
        log.lines(),
        ["Connection", "RedisStore", "ChatService", "ChatGateway"]
    );
    let gateway = container.get::<ChatGateway>().unwrap();
    assert!(Arc::ptr_eq(&gateway.chat, &container.get().unwrap()));
    assert_eq!(gateway.chat.store.name(), "redis");
    assert!(gateway.metrics.is_none());
    assert!(container.get::<Metrics>().is_none());
}

#[tokio::test]
async fn what_is_optional_is_injected_when_it_is_there() {
    let module = chat_module().provide(Provider::of::<Metrics>());
    let container = build(vec![module]).await.unwrap();
    assert!(container.get::<ChatGateway>().unwrap().metrics.is_some());
}

#[tokio::test]
async fn factories_are_awaited_and_get_their_arguments() {
    struct Url(String);
    struct Pool(String);
    let module = ModuleDescriptor::new("M")
        .provide(Provider::factory_with(
            |url: Arc<Url>, metrics: Option<Arc<Metrics>>| async move {
                tokio::task::yield_now().await;
                Ok::<_, io::Error>(Pool(format!("{} {}", url.0, metrics.is_some())))
            },
        ))
        .provide(Provider::factory_with(|| async {
            Ok::<_, io::Error>(Url("redis://".into()))
        }))
        .provide(Provider::factory(
            vec![Dependency::on::<Pool>()],
            |resolver| Box::pin(async move { Ok(resolver.require::<Pool>()?.0.len()) }),
        ));
    let container = build(vec![module]).await.unwrap();
    assert_eq!(container.get::<Pool>().unwrap().0, "redis:// false");
    assert_eq!(*container.get::<usize>().unwrap(), 14);
}

#[tokio::test]
async fn what_is_missing_is_reported_with_the_chain_and_the_fix() {
    let module = ModuleDescriptor::new("ChatModule")
        .provide(Provider::of::<ChatGateway>())
        .provide(Provider::of::<ChatService>());
    assert_eq!(
        problems(vec![module]).await,
        [
            "ChatGateway (ChatModule) needs ChatService, which needs Arc<dyn Store>: \
          nothing provides it; add it to providers(..) of ChatModule, \
          or import a module that exports it"
        ]
    );
    let alone = ModuleDescriptor::new("ChatModule").provide(Provider::of::<ChatGateway>());
    let [problem] = &problems(vec![alone]).await[..] else {
        panic!("expected one problem")
    };
    assert!(
        problem.starts_with("ChatGateway (ChatModule) needs ChatService: nothing provides it;")
    );
}

#[tokio::test]
async fn what_is_not_visible_is_reported_with_the_module_that_has_it() {
    let user = |module: ModuleDescriptor| module.provide(Provider::of::<ChatService>());
    let store = || ModuleDescriptor::new("StoreModule").provide(fake());

    let imported = user(ModuleDescriptor::new("ChatModule").import_from(store()));
    assert_eq!(
        problems(vec![imported]).await,
        [
            "ChatService (ChatModule) needs Arc<dyn Store>: StoreModule provides it but does not \
          export it; add it to exports(..) of StoreModule"
        ]
    );
    assert_eq!(
        problems(vec![store(), user(ModuleDescriptor::new("ChatModule"))]).await,
        [
            "ChatService (ChatModule) needs Arc<dyn Store>: StoreModule provides it but does not \
          export it; add it to exports(..) of StoreModule, and StoreModule to imports(..) of ChatModule"
        ]
    );
    let exported = store().export::<dyn Store>();
    assert_eq!(
        problems(vec![exported, user(ModuleDescriptor::new("ChatModule"))]).await,
        [
            "ChatService (ChatModule) needs Arc<dyn Store>: StoreModule exports it; \
          add StoreModule to imports(..) of ChatModule"
        ]
    );
}

#[tokio::test]
async fn something_private_to_another_module_does_not_satisfy_an_option() {
    let metrics = ModuleDescriptor::new("MetricsModule").provide(Provider::of::<Metrics>());
    let container = build(vec![chat_module().import_from(metrics)])
        .await
        .unwrap();
    assert!(container.get::<Metrics>().is_some());
    assert!(container.get::<ChatGateway>().unwrap().metrics.is_none());
}

#[tokio::test]
async fn a_cycle_is_reported_once_and_in_full() {
    struct Farm;
    let farm = Provider::factory_with(|_: Arc<Egg>| async { Ok::<_, io::Error>(Farm) });
    let module = ModuleDescriptor::new("FarmModule")
        .provide(farm)
        .provide(Provider::of::<Chicken>())
        .provide(Provider::of::<Egg>());
    assert_eq!(
        problems(vec![module]).await,
        ["Egg (FarmModule) needs Chicken, which needs Egg: a cycle; \
          move what they share into a provider that needs none of them"]
    );
}

#[tokio::test]
async fn two_values_for_one_type_are_a_contradiction() {
    let one = ModuleDescriptor::new("One").provide(fake());
    let two = ModuleDescriptor::new("Two")
        .provide(fake())
        .import_from(one);
    assert_eq!(
        problems(vec![two]).await,
        ["Arc<dyn Store> is provided in One and again in Two: \
          keep one of them, and export it to whoever needs it"]
    );
}

#[tokio::test]
async fn all_problems_are_reported_together_and_nothing_is_constructed() {
    let constructed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&constructed);
    let counting = Provider::factory_with(move || async move {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, io::Error>(0_u64)
    });
    let module = ModuleDescriptor::new("M")
        .provide(counting)
        .provide(Provider::of::<ChatGateway>())
        .provide(Provider::of::<RedisStore>())
        .provide(Provider::of::<Chicken>())
        .provide(Provider::of::<Egg>())
        .provide(Provider::value(1_u8).on_shutdown(|_: Arc<u16>| async { Ok(()) }))
        .provide(Provider::value(2_u8))
        .export::<u32>();
    let error = build(vec![module]).await.unwrap_err();
    let ContainerError::Wiring(problems) = &error else {
        panic!("expected wiring problems: {error}")
    };
    assert!(matches!(
        problems[..],
        [
            WiringProblem::Duplicate { .. },
            WiringProblem::Export { .. },
            WiringProblem::Missing { .. },
            WiringProblem::Missing { .. },
            WiringProblem::Hook { .. },
            WiringProblem::Cycle { .. },
        ]
    ));
    assert_eq!(constructed.load(Ordering::Relaxed), 0);
    let text = error.to_string();
    assert!(
        text.starts_with("6 problems with the providers\n  - u8 is provided in M and again in M:")
    );
    assert!(text.contains("\n  - M exports u32, but neither provides nor imports it:"));
    assert!(
        text.contains("\n  - the hook attached to the provider of u8 takes u16: let it take u8")
    );
}

static DESCRIBED: AtomicUsize = AtomicUsize::new(0);

struct StoreModule;

impl Module for StoreModule {
    fn describe() -> ModuleDescriptor {
        DESCRIBED.fetch_add(1, Ordering::Relaxed);
        ModuleDescriptor::new("StoreModule")
            .import::<MutualModule>()
            .provide(fake())
            .export::<dyn Store>()
    }
}

struct MutualModule;

impl Module for MutualModule {
    fn describe() -> ModuleDescriptor {
        ModuleDescriptor::new("MutualModule")
            .import::<StoreModule>()
            .provide(Provider::of::<ChatService>())
            .export::<ChatService>()
            .export::<StoreModule>()
    }
}

#[tokio::test]
async fn modules_import_each_other_are_described_once_and_pass_on_exports() {
    let gateway = ModuleDescriptor::new("AppModule")
        .import::<MutualModule>()
        .import::<StoreModule>()
        .provide(Provider::of::<ChatGateway>());
    let user = ModuleDescriptor::new("UserModule")
        .import::<MutualModule>()
        .provide(Provider::factory_with(|store: Arc<dyn Store>| async move {
            Ok::<_, io::Error>(store.name().to_owned())
        }));
    let container = build(vec![gateway, user]).await.unwrap();
    assert_eq!(*container.get::<String>().unwrap(), "fake");
    assert_eq!(DESCRIBED.load(Ordering::Relaxed), 1);
    let names: Vec<_> = container
        .roots()
        .iter()
        .map(|&root| container.module_name(root))
        .collect();
    assert_eq!(names, ["AppModule", "UserModule"]);
}

#[tokio::test]
async fn exports_of_a_global_module_are_visible_everywhere() {
    let global = ModuleDescriptor::new("Config")
        .provide(fake())
        .export_all()
        .global();
    let deep = ModuleDescriptor::new("Deep").provide(Provider::of::<ChatService>());
    let root = ModuleDescriptor::new("Root")
        .import_from(global)
        .import_from(deep);
    assert!(build(vec![root]).await.is_ok());
}

#[tokio::test]
async fn an_override_takes_the_place_and_what_only_the_original_needed_is_left_out() {
    let (container, log) = build_with(chat_module(), vec![fake()]).await;
    assert_eq!(log.lines(), ["ChatService", "ChatGateway"]);
    assert_eq!(
        container.get::<ChatGateway>().unwrap().chat.store.name(),
        "fake"
    );
    assert!(container.get::<Connection>().is_none());
    let late = container.resolver_for(Key::of::<ChatGateway>(), container.roots()[0]);
    assert_eq!(
        late.require::<Connection>().err().unwrap().to_string(),
        "ChatGateway needs Connection: it was left out, because only overridden providers need it; \
         override it too"
    );
}

#[tokio::test]
async fn an_override_sees_what_is_private_and_can_provide_what_is_missing() {
    struct Named(&'static str);
    impl Store for Named {
        fn name(&self) -> &'static str {
            self.0
        }
    }
    let private = ModuleDescriptor::new("Private").provide(Provider::value("private"));
    let module = ModuleDescriptor::new("ChatModule")
        .import_from(private)
        .provide(Provider::of::<ChatGateway>())
        .provide(Provider::of::<ChatService>());
    let named = Provider::factory_with(|name: Arc<&'static str>| async move {
        Ok::<_, io::Error>(Named(*name))
    });
    let bound = Provider::bind::<dyn Store, Named>(|named| named);
    let (container, _) = build_with(module, vec![bound, named]).await;
    assert_eq!(
        container.get::<ChatService>().unwrap().store.name(),
        "private"
    );
}

#[tokio::test]
async fn the_error_of_a_factory_comes_with_the_chain() {
    let down = Provider::factory_with(|| async {
        Err::<RedisStore, _>(io::Error::other("connection refused"))
    });
    let store = ModuleDescriptor::new("StoreModule")
        .provide(down)
        .provide(redis())
        .export::<dyn Store>();
    let module = ModuleDescriptor::new("ChatModule")
        .import_from(store)
        .provide(Provider::of::<ChatGateway>())
        .provide(Provider::of::<ChatService>());
    let error = build(vec![module]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ChatGateway (ChatModule) needs ChatService, which needs Arc<dyn Store> (StoreModule), \
         which needs RedisStore: constructing RedisStore failed: connection refused"
    );
    let ContainerError::Construct { cause, .. } = error else {
        panic!("not constructed")
    };
    assert!(cause.downcast_ref::<io::Error>().is_some());
}

/// A value with both hooks, which write to a log.
fn hooked<T: Send + Sync + 'static>(
    value: T,
    log: &Arc<Log>,
    init: Result<(), &'static str>,
) -> Provider {
    let (at_init, at_shutdown) = (Arc::clone(log), Arc::clone(log));
    Provider::value(value)
        .on_init(move |_: Arc<T>| async move {
            tokio::task::yield_now().await;
            at_init.write(format!("init {}", type_name::<T>()));
            init.map_err(Into::into)
        })
        .on_shutdown(move |_: Arc<T>| async move {
            at_shutdown.write(format!("shutdown {}", type_name::<T>()));
            assert!(init.is_ok(), "a hook panics");
            Ok(())
        })
}

#[tokio::test]
async fn hooks_run_once_in_order_of_construction_and_in_reverse_at_shutdown() {
    let log = Arc::new(Log::default());
    let module = ModuleDescriptor::new("M")
        .provide(hooked(1_u8, &log, Ok(())).needs(Dependency::on::<u16>()))
        .provide(hooked(2_u16, &log, Ok(())));
    let container = build(vec![module]).await.unwrap();
    assert!(log.lines().is_empty());
    container.init().await.unwrap();
    container.init().await.unwrap();
    container.shutdown().await;
    container.shutdown().await;
    assert_eq!(
        log.lines(),
        ["init u16", "init u8", "shutdown u8", "shutdown u16"]
    );
}

#[tokio::test]
async fn a_failing_init_stops_the_start_and_a_panic_at_shutdown_stops_nothing() {
    let log = Arc::new(Log::default());
    let module = ModuleDescriptor::new("M")
        .provide(hooked(1_u8, &log, Ok(())))
        .provide(hooked(2_u16, &log, Err("no licence")))
        .provide(hooked(3_u32, &log, Ok(())));
    let container = build(vec![module]).await.unwrap();
    let error = container.init().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the init hook of u16 (M) failed: no licence"
    );
    container.shutdown().await;
    assert_eq!(
        log.lines(),
        [
            "init u8",
            "init u16",
            "shutdown u32",
            "shutdown u16",
            "shutdown u8"
        ]
    );
}

#[tokio::test]
async fn a_shutdown_that_took_too_long_goes_on_with_the_next_hook() {
    let log = Arc::new(Log::default());
    let stuck = Provider::value(2_u16).on_shutdown(|_: Arc<u16>| std::future::pending());
    let module = ModuleDescriptor::new("M")
        .provide(hooked(1_u8, &log, Ok(())))
        .provide(stuck);
    let container = build(vec![module]).await.unwrap();
    assert!(container.shutdown().now_or_never().is_none());
    container.shutdown().await;
    assert_eq!(log.lines(), ["shutdown u8"]);
}

#[tokio::test]
async fn building_starting_and_stopping_can_move_between_threads() {
    let started = tokio::spawn(async {
        let container = build(vec![chat_module()]).await?;
        container.init().await?;
        container.shutdown().await;
        Ok::<_, ContainerError>(())
    });
    started.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_late_resolver_sees_what_the_module_of_its_consumer_sees() {
    let inner = ModuleDescriptor::new("Inner").provide(Provider::value(7_u8));
    let container = build(vec![chat_module().import_from(inner)]).await.unwrap();
    let resolver = container.resolver_for(Key::of::<ChatGateway>(), container.roots()[0]);
    assert!(<Arc<ChatService> as FromContainer>::resolve(&resolver).is_ok());
    assert_eq!(
        <Arc<u8> as FromContainer>::resolve(&resolver)
            .err()
            .unwrap()
            .to_string(),
        "ChatGateway needs u8: Inner provides it but does not export it; \
         add it to exports(..) of Inner"
    );
}

#[tokio::test]
async fn a_constructor_that_takes_what_it_did_not_list_is_told_so() {
    let sly = Provider::factory::<u8, _>(Vec::new(), |resolver| {
        Box::pin(async move { Ok(u8::try_from(*resolver.require::<u16>()?)?) })
    });
    let module = ModuleDescriptor::new("M")
        .provide(sly)
        .provide(Provider::value(7_u16));
    assert_eq!(
        build(vec![module]).await.unwrap_err().to_string(),
        "u8 (M): constructing u8 failed: u8 needs u16: \
         it is constructed later; list it in the dependencies of u8"
    );
}

#[tokio::test]
async fn attachments_come_back_in_order_once_for_each_provider() {
    let inner = ModuleDescriptor::new("Inner")
        .attach(Key::of::<u8>(), "u8")
        .attach(Key::of::<u8>(), 8_i32);
    let outer = ModuleDescriptor::new("Outer")
        .attach(Key::of::<u16>(), "u16")
        .attach(Key::of::<u8>(), "u8 again")
        .import_from(inner);
    let container = build(vec![outer]).await.unwrap();
    let found: Vec<_> = container
        .attachments::<&str>()
        .map(|it| {
            (
                it.provider.to_string(),
                container.module_name(it.module).to_owned(),
                *it.value,
            )
        })
        .collect();
    let line = |key: &str, module: &str, value| (key.to_owned(), module.to_owned(), value);
    assert_eq!(
        found,
        [line("u8", "Inner", "u8"), line("u16", "Outer", "u16")]
    );
    assert_eq!(container.attachments::<i32>().count(), 1);
}
