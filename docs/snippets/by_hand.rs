//! A gateway without attributes.

use std::sync::Arc;

use nest_gateway::{App, GatewayBuilder, MessageBody, ModuleDescriptor, Provider, Reply};
use nest_gateway_testkit::{TestApp, assert_reply};

// ANCHOR: builder
struct Counter;

fn module() -> ModuleDescriptor {
    let gateway = GatewayBuilder::<Counter>::new("/count").on(
        "add",
        async |_: Arc<Counter>, MessageBody((a, b)): MessageBody<(i64, i64)>| {
            Reply::value(&(a + b))
        },
    );
    ModuleDescriptor::new("CounterModule")
        .gateway_provider(Provider::value(Counter), gateway.build())
}

fn app() -> nest_gateway::AppBuilder {
    App::from_module(module())
}
// ANCHOR_END: builder

#[tokio::test]
async fn a_gateway_needs_no_attribute() {
    app().build().await.expect("the application starts");
    let app = TestApp::from_module(module()).start().await;
    let mut client = app.client("/count").connect().await;
    assert_reply!(client, "add", [2, 3] => 5);
}
