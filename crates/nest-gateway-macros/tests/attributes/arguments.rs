//! What handlers take.

use garde::Validate;
use nest_gateway::prelude::*;
use nest_gateway::{EventName, FromContext, Payload};
use nest_gateway_testkit::{TestApp, json};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Validate)]
struct Dto {
    #[garde(length(min = 1, max = 20))]
    name: String,
    #[garde(dive)]
    tags: Vec<Tag>,
}

#[derive(Deserialize, Validate)]
#[garde(transparent)]
#[serde(transparent)]
struct Tag(#[garde(range(max = 9))] u32);

#[derive(Deserialize)]
struct Unruled {
    name: String,
}

struct Upper;

impl Pipe for Upper {
    async fn transform(&self, body: Payload, _: &ExecutionContext) -> Result<Payload, WsException> {
        let text: String = body.decode()?;
        Payload::from_serialize(&text.to_uppercase()).map_err(WsException::internal)
    }
}

#[derive(Clone)]
struct Suffix(&'static str);

impl Pipe for Suffix {
    async fn transform(&self, body: Payload, _: &ExecutionContext) -> Result<Payload, WsException> {
        let text: String = body.decode()?;
        Payload::from_serialize(&(text + self.0)).map_err(WsException::internal)
    }
}

/// An extractor of the application.
struct Shout(String);

impl FromContext for Shout {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(context.event().to_uppercase()))
    }
}

struct Clock(u32);

#[websocket_gateway]
struct Arguments;

#[subscriptions]
impl Arguments {
    #[subscribe_message("ruled")]
    async fn ruled(&self, MessageBody(dto): MessageBody<Dto>) -> (String, usize) {
        (dto.name, dto.tags.len())
    }

    #[subscribe_message("ruled field")]
    async fn ruled_field(&self, #[body("dto")] MessageBody(dto): MessageBody<Dto>) -> String {
        dto.name
    }

    #[subscribe_message("maybe ruled")]
    async fn maybe_ruled(&self, dto: Option<MessageBody<Dto>>) -> bool {
        dto.is_some()
    }

    #[subscribe_message("fallible")]
    async fn fallible(&self, dto: Result<MessageBody<Dto>, WsException>) -> Option<String> {
        dto.err().and_then(|error| error.code().map(str::to_owned))
    }

    #[subscribe_message("unruled")]
    async fn unruled(&self, MessageBody(body): MessageBody<Unruled>) -> String {
        body.name
    }

    #[subscribe_message("field")]
    fn field(&self, #[body("id")] MessageBody(id): MessageBody<Option<u32>>) -> Value {
        json!({"id": id})
    }

    #[subscribe_message("fields")]
    async fn fields(
        &self,
        #[body("a")] MessageBody(a): MessageBody<u32>,
        #[body("b")] MessageBody(b): MessageBody<Vec<u32>>,
    ) -> u32 {
        a + b.iter().sum::<u32>()
    }

    #[subscribe_message("piped")]
    #[use_pipes(Suffix("!"))]
    async fn piped(
        &self,
        #[use_pipes(Upper, Suffix("?"))] MessageBody(piped): MessageBody<String>,
        MessageBody(plain): MessageBody<String>,
    ) -> (String, String) {
        (piped, plain)
    }

    #[subscribe_message("piped field")]
    async fn piped_field(
        &self,
        #[body("text")]
        #[use_pipes(Upper)]
        MessageBody(text): MessageBody<String>,
    ) -> String {
        text
    }

    #[subscribe_message("own")]
    fn own(&self, Shout(event): Shout, _: EventName, client: ConnectedSocket) -> (String, bool) {
        (event, client.rooms().is_empty())
    }

    #[subscribe_message("injected")]
    fn injected(&self, clock: Inject<Clock>, none: Option<Inject<String>>) -> (u32, bool) {
        (clock.0.0, none.is_none())
    }
}

#[module(providers(Arguments, value(Upper), value(Clock(12))))]
struct ArgumentsModule;

async fn ask(event: &str, data: Value) -> Value {
    let app = TestApp::new::<ArgumentsModule>().start().await;
    let mut client = app.client("/").connect().await;
    client.request(event, data).await.data().clone()
}

#[tokio::test]
async fn a_body_with_rules_is_checked_without_being_told() {
    let good = json!({"name": "ada", "tags": [1, 2]});
    assert_eq!(ask("ruled", good).await, json!(["ada", 2]));
    let seen = ask("ruled", json!({"name": "", "tags": [1, 10]})).await;
    assert_eq!(seen["code"], "bad_request");
    let details = seen["details"].as_array().expect("a list");
    let paths: Vec<_> = details.iter().map(|it| it["path"].as_str()).collect();
    assert_eq!(paths, [Some("name"), Some("tags[1]")]);
}

#[tokio::test]
async fn a_body_without_rules_is_not() {
    assert_eq!(ask("unruled", json!({"name": ""})).await, json!(""));
}

#[tokio::test]
async fn optional_and_fallible_bodies_keep_their_rules() {
    let good = json!({"name": "ada", "tags": []});
    let bad = json!({"name": "", "tags": []});
    assert_eq!(ask("maybe ruled", good.clone()).await, json!(true));
    assert_eq!(ask("maybe ruled", bad.clone()).await, json!(false));
    assert_eq!(ask("fallible", bad).await, json!("bad_request"));
    assert_eq!(ask("fallible", good).await, Value::Null);
}

#[tokio::test]
async fn a_field_is_an_argument_and_its_problems_name_it() {
    assert_eq!(
        ask("field", json!({"id": 7, "x": 1})).await,
        json!({"id": 7})
    );
    assert_eq!(ask("field", json!({})).await, json!({"id": null}));
    assert_eq!(ask("fields", json!({"a": 1, "b": [2, 3]})).await, json!(6));
    let seen = ask("fields", json!({"a": 1, "b": [2, "x"]})).await;
    assert_eq!(seen["details"][0]["path"], "b[1]");
    let seen = ask("fields", json!({"b": []})).await;
    assert_eq!(
        seen["details"][0],
        json!({"path": "a", "problem": "missing"})
    );
    let seen = ask("ruled field", json!({"dto": {"name": "", "tags": []}})).await;
    assert_eq!(seen["details"][0]["path"], "dto.name");
}

#[tokio::test]
async fn pipes_of_an_argument_come_last_and_change_nothing_else() {
    assert_eq!(ask("piped", json!("a")).await, json!(["A!?", "a!"]));
    let field = json!({"text": "a", "other": 1});
    assert_eq!(ask("piped field", field).await, json!("A"));
}

#[tokio::test]
async fn own_extractors_stand_beside_ours() {
    assert_eq!(ask("own", json!(null)).await[0], "OWN");
}

#[tokio::test]
async fn injected_arguments_come_from_the_container() {
    assert_eq!(ask("injected", json!(null)).await, json!([12, true]));
}

#[websocket_gateway]
struct Needy;

#[subscriptions]
impl Needy {
    #[subscribe_message("clock")]
    fn clock(&self, clock: Inject<Clock>) -> u32 {
        clock.0.0
    }
}

#[websocket_gateway]
struct Piped;

#[subscriptions]
impl Piped {
    #[subscribe_message("piped")]
    fn piped(&self, #[use_pipes(Upper)] MessageBody(_): MessageBody<String>) {}
}

#[module(providers(Needy))]
struct NeedyModule;

#[module(providers(Piped))]
struct PipedModule;

#[tokio::test]
async fn what_arguments_need_is_checked_at_start_up() {
    let error = TestApp::new::<NeedyModule>()
        .try_start()
        .await
        .expect_err("no clock");
    assert!(
        error
            .to_string()
            .contains("Needy (NeedyModule) needs Clock"),
        "{error}"
    );
    let error = TestApp::new::<PipedModule>()
        .try_start()
        .await
        .expect_err("no pipe");
    assert!(
        error
            .to_string()
            .contains("Piped (PipedModule) needs Upper"),
        "{error}"
    );
}
