//! What a user's own test looks like, on every wire.

use std::sync::Arc;

use nest_gateway::{
    App, ConnectedSocket, GatewayBuilder, MessageBody, Module, ModuleDescriptor, Provider, Reply,
    WsException,
};
use nest_gateway_testkit::{
    TestApp, Wire, assert_broadcast, assert_exception, assert_push, assert_reply, for_each_wire,
    gateway_test, refute_push,
};
use serde_json::Value;

/// Where greetings come from; a test replaces it.
trait Greeter: Send + Sync {
    fn greet(&self, name: &str) -> String;
}

struct Polite;

impl Greeter for Polite {
    fn greet(&self, name: &str) -> String {
        format!("Good morning, {name}")
    }
}

struct Chat {
    greeter: Arc<dyn Greeter>,
}

struct ChatModule;

impl Module for ChatModule {
    fn describe() -> ModuleDescriptor {
        let gateway = GatewayBuilder::<Chat>::new("/chat")
            .on(
                "greet",
                async |chat: Arc<Chat>, name: MessageBody<String>| {
                    Reply::value(&chat.greeter.greet(&name.0))
                },
            )
            .on("join", async |_: Arc<Chat>, client: ConnectedSocket| {
                client.join("lobby").await
            })
            .on(
                "say",
                async |_: Arc<Chat>, client: ConnectedSocket, text: MessageBody<Value>| {
                    Reply::value(&client.to("lobby").emit("said", &text.0).receivers())
                },
            );
        let chat = Provider::factory_with(|greeter: Arc<dyn Greeter>| async move {
            Ok::<_, WsException>(Chat { greeter })
        });
        ModuleDescriptor::new("ChatModule")
            .provide(Provider::arc::<dyn Greeter>(Arc::new(Polite)))
            .gateway_provider(chat, gateway.build())
    }
}

for_each_wire! {
    async fn members_hear_each_other(wire) {
        let app = TestApp::new::<ChatModule>().on(wire).start().await;
        let mut ada = app.client("/chat").connect().await;
        let mut grace = app.client("/chat").connect().await;
        let mut eve = app.client("/chat").connect().await;
        for client in [&mut ada, &mut grace] {
            assert_reply!(client, "join" => null);
        }
        assert_reply!(ada, "say", "hi" => 1);
        assert_push!(grace, "said", "hi");
        refute_push!(ada, "said");
        refute_push!(eve, "said");
    }

    async fn a_provider_is_replaced_for_a_test(wire) {
        struct Rude;
        impl Greeter for Rude {
            fn greet(&self, _: &str) -> String {
                "What?".to_owned()
            }
        }
        let app = TestApp::new::<ChatModule>()
            .override_provider(Provider::arc::<dyn Greeter>(Arc::new(Rude)))
            .on(wire)
            .start()
            .await;
        let mut ada = app.client("/chat").connect().await;
        assert_reply!(ada, "greet", "Ada" => "What?");
        assert_exception!(ada, "greet", 7 => {"code": "bad_request"});
    }

    async fn clients_of_this_wire_and_of_memory_meet_in_a_room(wire) {
        let app = TestApp::new::<ChatModule>().start().await;
        let mut ada = app.client_on(wire, "/chat").connect().await;
        let mut grace = app.client_on(Wire::Memory, "/chat").connect().await;
        for client in [&mut ada, &mut grace] {
            assert_reply!(client, "join" => null);
        }
        app.server("/chat").to("lobby").emit("said", "to all");
        assert_broadcast!([ada, grace], "said", "to all");
        assert!(app.shut_down().await, "every client goes in time");
    }
}

/// The same with the attribute.
#[gateway_test(adapters = all)]
async fn greetings_are_polite(wire: Wire) {
    let app = TestApp::new::<ChatModule>().on(wire).start().await;
    let mut ada = app.client("/chat").connect().await;
    assert_reply!(ada, "greet", "Ada" => "Good morning, Ada");
}

/// Only where it makes sense, and with an error instead of a panic.
#[gateway_test(adapters = [memory, native])]
async fn strangers_are_refused(wire: Wire) -> Result<(), String> {
    let app = TestApp::new::<ChatModule>().on(wire).start().await;
    match app.client("/elsewhere").try_connect().await {
        Ok(_) => Err("there is no such namespace".to_owned()),
        Err(refused) => {
            assert_eq!(refused.status, Some(404));
            Ok(())
        }
    }
}

/// Time stands still but for what waits for it: ten seconds take none.
#[tokio::test(start_paused = true)]
async fn with_paused_time_a_question_times_out_at_once() {
    let gateway = GatewayBuilder::<Chat>::new("/chat").on(
        "ask",
        async |_: Arc<Chat>, client: ConnectedSocket| {
            let answer = client.emit_with_ack::<Value>("question", "anybody?").await;
            Reply::value(&answer.is_err())
        },
    );
    let chat = Provider::value(Chat {
        greeter: Arc::new(Polite),
    });
    let module = ModuleDescriptor::new("Asking").gateway_provider(chat, gateway.build());
    let app = TestApp::from_module(module).start().await;
    let patience = std::time::Duration::from_mins(1);
    let mut ada = app.client("/chat").patience(patience).connect().await;
    let real = std::time::Instant::now();
    let virtual_time = tokio::time::Instant::now();
    assert_reply!(ada, "ask" => true);
    assert_eq!(virtual_time.elapsed().as_secs(), 10);
    assert!(
        real.elapsed().as_secs() < 5,
        "it really took {:?}",
        real.elapsed()
    );
}

#[tokio::test]
async fn an_application_that_does_not_start_says_why() {
    let broken = ModuleDescriptor::new("Broken").gateway_provider(
        Provider::factory_with(|greeter: Arc<dyn Greeter>| async move {
            Ok::<_, WsException>(Chat { greeter })
        }),
        GatewayBuilder::<Chat>::new("/chat").build(),
    );
    let error = TestApp::from_module(broken).try_start().await;
    let text = error.expect_err("there is no greeter").to_string();
    assert!(text.contains("Greeter") && text.contains("Chat"), "{text}");
    // The same as without the kit.
    let _: fn() -> nest_gateway::AppBuilder = App::new::<ChatModule>;
}
