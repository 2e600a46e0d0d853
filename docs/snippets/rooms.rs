//! Rooms and emits.

use nest_gateway::RawBody;
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

// ANCHOR: paths
#[websocket_gateway(namespace = "/board/{id}")]
struct BoardGateway {
    server: WebSocketServer,
}

#[subscriptions]
impl BoardGateway {
    #[subscribe_message("draw")]
    async fn draw(&self, RawBody(shape): RawBody, client: ConnectedSocket, here: Server) {
        // To the others at this board, as `client.to(..)` reaches rooms of this board.
        client.broadcast().emit("drawn", &shape);
        // To everybody at this board.
        here.emit("changed", &client.id());
    }

    #[subscribe_message("announce")]
    async fn announce(&self, MessageBody(text): MessageBody<String>) {
        // To everybody at all boards.
        self.server.emit("news", &text);
        // To one board, from wherever the server is at hand.
        self.server.at("/board/lobby").emit("announced", &text);
    }
}
// ANCHOR_END: paths

#[module(providers(RoomsGateway, BoardGateway))]
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

    async fn each_board_is_a_namespace_of_its_own(wire) {
        let app = TestApp::new::<RoomsModule>().on(wire).start().await;
        let mut ada = app.client("/board/1").connect().await;
        let mut grace = app.client("/board/1").connect().await;
        let mut eve = app.client("/board/lobby").connect().await;
        for client in [&mut ada, &mut grace, &mut eve] {
            client.round_trip().await;
        }
        ada.emit("draw", json!({"line": [0, 1]})).await;
        assert_push!(grace, "drawn", {"line": [0, 1]});
        assert_push!(ada, "changed");
        refute_push!(ada, "drawn");
        refute_push!(eve, "drawn");
        refute_push!(eve, "changed");
        ada.emit("announce", "hi").await;
        assert_push!(ada, "news", "hi");
        assert_push!(eve, "news", "hi");
        assert_push!(eve, "announced", "hi");
        refute_push!(ada, "announced");
    }
}
