//! Mistakes that stop the start-up, and providers (CONTRACT 7 and 12).

use std::sync::Arc;

use nest_gateway::{
    App, BoxError, Config, GatewayBuilder, GatewayDescriptor, ModuleDescriptor, Provider, Reply,
    ServerOf,
};
use serde_json::json;

use super::{Served, Subject};
use crate::client::{ClientBuilder, Payload};
use crate::{assert_push, assert_reply};

struct First;
struct Second;

fn gateway<G: Send + Sync + 'static>(event: &'static str) -> GatewayDescriptor {
    GatewayBuilder::<G>::new("/startup")
        .on(event, async |_: Arc<G>| Reply::value("here"))
        .build()
}

fn catch_all<G: Send + Sync + 'static>() -> GatewayDescriptor {
    GatewayBuilder::<G>::new("/startup")
        .on_any(async |_: Arc<G>| Reply::value("here"))
        .build()
}

/// Starts a module, or says why not.
async fn start(
    subject: &Subject,
    module: ModuleDescriptor,
    configure: impl FnOnce(&mut Config),
) -> Result<(Served, ClientBuilder), String> {
    let setup = subject.set_up();
    let app = App::from_module(module).configure(configure);
    let served = subject
        .serve((setup.mount)(app))
        .await
        .map_err(|error| error.to_string())?;
    let connector = (setup.connect)(served.remote().clone());
    let client = ClientBuilder::new(connector).namespace("/startup");
    Ok((served, client))
}

async fn refused(subject: &Subject, module: ModuleDescriptor) -> String {
    let started = start(subject, module, |_| {}).await;
    started.err().expect("it must not start")
}

#[track_caller]
fn assert_names(error: &str, names: &[&str]) {
    for name in names {
        assert!(error.contains(name), "{name:?} is not named: {error}");
    }
}

/// CONTRACT 7: duplicate events in one namespace: an error naming both places.
pub async fn a_duplicate_event_names_both_places(subject: Subject) {
    let module = ModuleDescriptor::new("Twice")
        .gateway_provider(Provider::value(First), gateway::<First>("same"))
        .gateway_provider(Provider::value(Second), gateway::<Second>("same"));
    let error = refused(&subject, module).await;
    assert_names(&error, &["same", "First", "Second", "/startup"]);
    let module = ModuleDescriptor::new("Twice")
        .gateway_provider(Provider::value(First), catch_all::<First>())
        .gateway_provider(Provider::value(Second), catch_all::<Second>());
    let error = refused(&subject, module).await;
    assert_names(&error, &["all other events", "First", "Second", "/startup"]);
}

/// CONTRACT 5: reserved names are refused at start-up for handlers.
pub async fn a_reserved_event_is_refused_for_handlers(subject: Subject) {
    for event in ["connect", "disconnect", "exception"] {
        let module = ModuleDescriptor::new("Reserved")
            .gateway_provider(Provider::value(First), gateway::<First>(event));
        let error = refused(&subject, module).await;
        assert_names(&error, &[event, "First"]);
    }
}

/// CONTRACT 7: missing providers.
pub async fn a_missing_provider_is_named_with_who_needs_it(subject: Subject) {
    struct Needed;
    let provider = Provider::factory_with(|_: Arc<Needed>| async { Ok::<_, BoxError>(First) });
    let module =
        ModuleDescriptor::new("Lacking").gateway_provider(provider, gateway::<First>("event"));
    let error = refused(&subject, module).await;
    assert_names(&error, &["Needed", "First"]);
}

/// CONTRACT 7: cycles.
pub async fn a_cycle_of_providers_is_shown(subject: Subject) {
    struct Left;
    struct Right;
    let module = ModuleDescriptor::new("Round")
        .provide(Provider::factory_with(|_: Arc<Right>| async {
            Ok::<_, BoxError>(Left)
        }))
        .provide(Provider::factory_with(|_: Arc<Left>| async {
            Ok::<_, BoxError>(Right)
        }))
        .gateway_provider(Provider::value(First), gateway::<First>("event"));
    let error = refused(&subject, module).await;
    assert_names(&error, &["Left", "Right"]);
}

/// CONTRACT 7: bad options.
pub async fn an_option_without_sense_is_named(subject: Subject) {
    let module = ModuleDescriptor::new("Options")
        .gateway_provider(Provider::value(First), gateway::<First>("event"));
    let started = start(&subject, module, |config| config.outbox_bytes = 0).await;
    let error = started.err().expect("it must not start");
    assert_names(&error, &["outbox_bytes"]);
}

/// CONTRACT 7: a namespace that is not a path.
pub async fn a_namespace_that_is_no_path_is_named(subject: Subject) {
    let descriptor = GatewayBuilder::<First>::new("chat room").build();
    let module = ModuleDescriptor::new("Path").gateway_provider(Provider::value(First), descriptor);
    let error = refused(&subject, module).await;
    assert_names(&error, &["chat room", "First"]);
}

/// CONTRACT 12: gateways are providers
/// and can be injected, with the server of their namespace.
pub async fn a_gateway_and_its_server_are_injected_elsewhere(subject: Subject) {
    struct Counter(&'static str);
    struct Announcer {
        gateway: Arc<Counter>,
        server: ServerOf<Counter>,
    }
    let announcer = Provider::factory_with(
        |gateway: Arc<Counter>, server: ServerOf<Counter>| async move {
            Ok::<_, BoxError>(Announcer { gateway, server })
        },
    );
    let module = ModuleDescriptor::new("Injected")
        .gateway_provider(
            Provider::value(Counter("instance")),
            gateway::<Counter>("event"),
        )
        .provide(announcer);
    let (served, client) = start(&subject, module, |_| {})
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let mut client = client.connect().await;
    client.request("event", Payload::none()).await;
    let announcer = served.runtime().get::<Announcer>().expect("it is provided");
    assert_eq!(announcer.gateway.0, "instance");
    let sent = announcer.server.emit("announced", &json!({"n": 1}));
    assert_eq!(sent.receivers(), 1);
    assert_push!(client, "announced", {"n": 1});
}

/// CONTRACT 7: one gateway registered twice is one instance.
pub async fn a_gateway_listed_twice_is_one_gateway(subject: Subject) {
    use nest_gateway::{Dependency, Gateway, Injectable, Resolver};

    struct Once;
    impl Gateway for Once {
        fn describe() -> GatewayDescriptor {
            gateway::<Self>("event")
        }
    }
    impl Injectable for Once {
        fn dependencies() -> Vec<Dependency> {
            Vec::new()
        }

        async fn construct(_: &Resolver<'_>) -> Result<Self, BoxError> {
            Ok(Self)
        }
    }
    let inner = ModuleDescriptor::new("Inner").gateway::<Once>();
    let module = ModuleDescriptor::new("Outer")
        .import_from(inner)
        .gateway::<Once>();
    let (_served, client) = start(&subject, module, |_| {})
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let mut client = client.connect().await;
    assert_reply!(client, "event" => "here");
}
