//! The gateway at `{{ namespace }}`, over every wire that the features of the test kit
//! turn on.

use {{ module_path }}::{{ pascal }}Module;
{% if stream %}
use nest_gateway_testkit::{
    TestApp, assert_broadcast, assert_exception, assert_reply, for_each_wire, json,
};
{% else %}
use nest_gateway_testkit::{
    TestApp, assert_broadcast, assert_exception, assert_reply, for_each_wire,
};
{% endif %}

for_each_wire! {
    async fn a_message_reaches_everybody(wire) {
        let app = TestApp::new::<{{ pascal }}Module>().on(wire).start().await;
        let mut ada = app.client("{{ namespace }}").connect().await;
        let mut grace = app.client("{{ namespace }}").connect().await;

        assert_reply!(ada, "send_message", {"text": "hello"} => {"receivers": 2});
        assert_broadcast!([ada, grace], "message", {"text": "hello"});
    }

    async fn an_empty_text_is_refused(wire) {
        let app = TestApp::new::<{{ pascal }}Module>().on(wire).start().await;
        let mut ada = app.client("{{ namespace }}").connect().await;

        assert_exception!(ada, "send_message", {"text": " "} => {"code": "empty_text"});
    }
{% if stream %}

    async fn a_prompt_is_answered_word_by_word(wire) {
        let app = TestApp::new::<{{ pascal }}Module>().on(wire).start().await;
        let mut ada = app.client("{{ namespace }}").connect().await;

        let answer = ada.stream("prompt", json!({"text": "one two"})).await;
        assert_eq!(answer.values(), [json!({"text": "one"}), json!({"text": "two"})]);
    }
{% endif %}
}
