//! Configuration.

use std::time::Duration;

use nest_gateway::prelude::*;
use nest_gateway::{AllowedHosts, AppBuilder, OriginPolicy, SlowPolicy};

#[module()]
struct AppModule;

// ANCHOR: configure
fn app() -> AppBuilder {
    App::new::<AppModule>()
        .configure(|config| {
            config.max_message_bytes = 64 * 1024;
            config.slow_policy = SlowPolicy::DropOldest;
            config.origins = OriginPolicy::Allow(vec!["https://app.example".to_owned()]);
            config.max_messages_per_second = Some(50);
            config.handler_timeout = Some(Duration::from_secs(30));
        })
        .accept(|accept| {
            accept.head_bytes = 8 * 1024;
            accept.max_connections = Some(50_000);
        })
}
// ANCHOR_END: configure

fn named() -> AppBuilder {
    // ANCHOR: hosts
    App::new::<AppModule>().configure(|config| {
        let names = ["chat.example", "*.chat.example", "localhost"];
        config.allowed_hosts = AllowedHosts::Only(names.map(str::to_owned).to_vec());
    })
    // ANCHOR_END: hosts
}

#[tokio::test]
async fn the_options_make_sense() {
    for app in [app(), named()] {
        app.build().await.expect("the application starts");
    }
}
