//! Rooms and emits.

use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, assert_push, assert_reply, for_each_wire, refute_push};
use serde_json::json;

#[websocket_gateway(namespace = "/rooms")]
struct RoomsGateway {
    server: WebSocketServer,
}

#[subscriptions]
impl RoomsGateway {
    // ANCHOR: membership
    #[subscribe_message("enter")]
    async fn enter(
        &self,
        MessageBody(room): MessageBody<String>,
        client: ConnectedSocket,
    ) -> Result<Vec<String>, WsException> {
        client.join(room.as_str()).await?;
        client.leave("lobby").await;
        Ok(client
            .joined_rooms()
            .iter()
            .map(ToString::to_string)
            .collect())
    }
    // ANCHOR_END: membership

    // ANCHOR: emit
    #[subscribe_message("shout")]
    async fn shout(&self, MessageBody(text): MessageBody<String>, client: ConnectedSocket) {
        // To this client.
        client.emit("note", &"only you");
        // To everybody in the namespace, this client too.
        self.server.emit("all", &text);
        // To a room, the sender too; then without the sender.
        self.server.to("a").emit("room", &text);
        client.to("a").emit("room", &text);
        // To two rooms: who is in both gets it once.
        self.server
            .to(["a", "b"])
            .except("muted")
            .emit("rooms", &text);
        // To one client by its id: its id is a room of its own.
        self.server.to(client.id()).emit("direct", &text);
        // May be dropped when a receiver is slow.
        self.server
            .to("a")
            .volatile()
            .emit("position", &json!({"x": 1}));
    }
    // ANCHOR_END: emit

    // ANCHOR: server
    #[subscribe_message("close_room")]
    async fn close_room(&self, MessageBody(room): MessageBody<String>) -> usize {
        let members = self.server.to(&room).sockets();
        self.server.to(&room).join("lobby");
        self.server.to(&room).leave(&room);
        members.len()
    }
    // ANCHOR_END: server
}

#[module(providers(RoomsGateway))]
struct RoomsModule;

for_each_wire! {
    async fn emits_reach_whom_they_are_addressed_to(wire) {
        let app = TestApp::new::<RoomsModule>().on(wire).start().await;
        let mut ada = app.client("/rooms").connect().await;
        let mut grace = app.client("/rooms").connect().await;
        assert_reply!(ada, "enter", "a" => ["a"]);
        grace.emit("shout", "hi").await;
        assert_push!(ada, "all", "hi");
        assert_push!(ada, "room", "hi");
        assert_push!(ada, "room", "hi");
        assert_push!(ada, "rooms", "hi");
        assert_push!(ada, "position", {"x": 1});
        refute_push!(ada, "direct");
        assert_push!(grace, "direct", "hi");
        assert_reply!(ada, "close_room", "a" => 1);
        assert!(app.server("/rooms").to("a").sockets().is_empty());
    }
}
