//! Acks, in both directions.

use std::time::Duration;

use futures_util::StreamExt as _;
use nest_gateway::AckError;
use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, assert_reply, for_each_wire};
use serde_json::json;

#[websocket_gateway(namespace = "/acks")]
struct AcksGateway {
    server: WebSocketServer,
}

#[subscriptions]
impl AcksGateway {
    // ANCHOR: by_hand
    /// Answers before the work is done.
    #[subscribe_message("import")]
    async fn import(&self, ack: Ack) -> Result<(), WsException> {
        ack.send(&json!({"accepted": true}))?;
        // .. the work
        Ok(())
    }
    // ANCHOR_END: by_hand

    // ANCHOR: ask_one
    /// Asks the client itself.
    #[subscribe_message("delete")]
    async fn delete(&self, client: ConnectedSocket) -> Result<&'static str, WsException> {
        let patience = Duration::from_secs(30);
        let question = json!({"text": "Really?"});
        match client
            .emit_with_ack_in(patience, "confirm", &question)
            .await
        {
            Ok(true) => Ok("deleted"),
            Ok(false) | Err(AckError::Timeout) => Ok("kept"),
            Err(error) => Err(WsException::internal(error)),
        }
    }
    // ANCHOR_END: ask_one

    // ANCHOR: ask_many
    /// Asks everybody in a room and counts.
    #[subscribe_message("vote")]
    async fn vote(&self) -> usize {
        let answers = self.server.to("voters").timeout(Duration::from_secs(5));
        let mut answers = answers.emit_with_ack::<bool>("vote", &"Pizza?");
        let mut yes = 0;
        while let Some((_client, answer)) = answers.next().await {
            yes += usize::from(answer.unwrap_or(false));
        }
        yes
    }
    // ANCHOR_END: ask_many

    #[subscribe_message("register")]
    async fn register(&self, client: ConnectedSocket) -> Result<(), WsException> {
        client.join("voters").await
    }
}

#[module(providers(AcksGateway))]
struct AcksModule;

for_each_wire! {
    async fn questions_are_answered(wire) {
        let app = TestApp::new::<AcksModule>().on(wire).start().await;
        let mut ada = app.client("/acks").connect().await;
        let mut grace = app.client("/acks").connect().await;
        assert_reply!(ada, "import" => {"accepted": true});

        let delete = ada.ask("delete", json!(null)).await;
        let question = ada.expect_question("confirm").await;
        ada.answer(&question, true).await;
        assert_eq!(ada.reply(&delete).await.data(), "deleted");

        ada.request("register", json!(null)).await;
        let vote = grace.ask("vote", json!(null)).await;
        let question = ada.expect_question("vote").await;
        ada.answer(&question, true).await;
        assert_eq!(grace.reply(&vote).await.data(), 1);
    }
}
