//! Guards, interceptors, metadata and the order of attributes.

use nest_gateway::HandlerResult;
use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, json};

struct Roles(&'static [&'static str]);

struct RolesGuard;

impl Guard for RolesGuard {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        let roles = context.metadata::<Roles>();
        Ok(roles.is_some_and(|roles| roles.0.contains(&"admin")))
    }
}

/// A guard with settings: a value, not a provider.
struct Deny(bool);

impl Guard for Deny {
    async fn can_activate(&self, _: &ExecutionContext) -> Result<bool, WsException> {
        Ok(!self.0)
    }
}

struct Wrap<const N: u32>;

impl<const N: u32> Interceptor for Wrap<N> {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        let reply = next.run().await?;
        reply.try_map(|payload| {
            let value = json!([N, payload.to_value()?]);
            nest_gateway::Payload::from_serialize(&value).map_err(WsException::internal)
        })
    }
}

const ADMIN: &str = "admin";

// Attributes of a gateway may stand above and below its own.
#[use_interceptors(Wrap<1>)]
#[websocket_gateway(namespace = PATH)]
#[use_interceptors(Wrap<2>)]
#[set_metadata(Roles(&["user"]))]
struct Pipeline;

const PATH: &str = "/pipeline";

#[subscriptions]
impl Pipeline {
    #[subscribe_message(ADMIN)]
    #[use_guards(RolesGuard, Deny(false))]
    #[set_metadata(Roles(&["admin"]))]
    fn admin(&self) -> u32 {
        1
    }

    #[subscribe_message("user")]
    #[use_guards(RolesGuard)]
    fn user(&self) -> u32 {
        1
    }

    #[subscribe_message("denied")]
    #[use_guards(Deny(true))]
    fn denied(&self) -> u32 {
        1
    }

    #[subscribe_message("wrapped")]
    #[use_interceptors(Wrap<3>)]
    fn wrapped(&self) -> u32 {
        0
    }

    #[subscribe_message("which")]
    #[cfg(any())]
    fn which(&self, no: NoSuchType) -> u32 {
        0
    }

    #[subscribe_message("which")]
    #[cfg(not(any()))]
    fn which(&self) -> u32 {
        7
    }
}

#[module(providers(
    Pipeline,
    value(RolesGuard),
    value(Wrap::<1>),
    value(Wrap::<2>),
    value(Wrap::<3>)
))]
struct PipelineModule;

async fn ask(event: &str) -> serde_json::Value {
    let app = TestApp::new::<PipelineModule>().start().await;
    let mut client = app.client("/pipeline").connect().await;
    client.request(event, ()).await.data().clone()
}

#[tokio::test]
async fn guards_read_the_metadata_of_the_handler_then_of_the_gateway() {
    assert_eq!(ask("admin").await, json!([2, [1, 1]]));
    assert_eq!(ask("user").await["message"], "Forbidden resource");
}

#[tokio::test]
async fn an_expression_is_a_guard_by_itself() {
    assert_eq!(ask("denied").await["message"], "Forbidden resource");
}

#[tokio::test]
async fn interceptors_of_the_gateway_stand_around_those_of_the_method() {
    assert_eq!(ask("wrapped").await, json!([2, [1, [3, 0]]]));
}

#[tokio::test]
async fn a_handler_that_is_configured_away_is_not_there() {
    assert_eq!(ask("which").await, json!([2, [1, 7]]));
}
