//! The crate under another name, in a program that is strict about names.

use facade::gateway::prelude::*;
use facade::gateway::{BoxError, Event};
use nest_gateway_testkit::{TestApp, json};

/// What a company's prelude might be.
mod facade {
    pub(super) use nest_gateway as gateway;
}

/// Names that generated code must not take for those of the standard library.
#[expect(dead_code, reason = "they are only there to be in the way")]
mod shadows {
    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Box;
    pub(super) struct Vec;
    pub(super) struct String;
    pub(super) struct Default;
}
#[expect(unused_imports, reason = "they are only there to be in the way")]
use shadows::*;

#[derive(serde::Serialize, Event)]
#[event("renamed", crate = crate::renamed::facade::gateway)]
struct Renamed(u8);

#[derive(Debug, thiserror::Error, WsError)]
#[error("no")]
#[ws_error(code = "no", crate = facade::gateway)]
struct RenamedError;

#[injectable(crate = facade::gateway)]
struct Service;

#[injectable(crate = facade::gateway)]
impl Constructed {
    async fn new(service: std::sync::Arc<Service>) -> std::result::Result<Self, BoxError> {
        drop(service);
        std::result::Result::Ok(Self)
    }
}

struct Constructed;

#[websocket_gateway(crate = facade::gateway, emits(Renamed))]
struct Gateway {
    server: ServerOf<Self>,
    _constructed: std::sync::Arc<Constructed>,
}

#[subscriptions(crate = facade::gateway)]
impl Gateway {
    #[subscribe_message("renamed")]
    async fn renamed(
        &self,
        #[body("n")] MessageBody(n): MessageBody<u8>,
    ) -> std::result::Result<std::option::Option<u8>, RenamedError> {
        if n == 0 {
            return std::result::Result::Err(RenamedError);
        }
        self.server.send(&Renamed(n));
        std::result::Result::Ok(std::option::Option::None)
    }
}

#[module(crate = facade::gateway, providers(Service, Constructed, Gateway, value(1_u8)))]
struct RenamedModule;

#[tokio::test]
async fn all_attributes_work_under_another_name_and_among_shadows() {
    let app = TestApp::new::<RenamedModule>().start().await;
    let mut client = app.client("/").connect().await;
    assert!(!client.request("renamed", json!({"n": 7})).await.has_data());
    assert_eq!(client.expect_event("renamed").await, json!(7));
    let refused = client.request("renamed", json!({"n": 0})).await;
    assert_eq!(refused.data()["code"], "no");
}
