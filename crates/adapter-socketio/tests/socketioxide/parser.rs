//! A `SocketIo` that speaks msgpack.

use nest_gateway_adapter_socketio::SocketIoxide;
use nest_gateway_testkit::client::{ClientFrame, RawConnection};
use serde_json::{Value, json};
use socketioxide::{ParserConfig, SocketIo};

use crate::app::{Served, serve_on};

struct Wire(RawConnection);

impl Wire {
    async fn join(app: &Served, auth: Value) -> (Self, Value) {
        let path = "/socket.io/?EIO=4&transport=websocket";
        let raw = RawConnection::upgrade(app.addr, path, &[]).await;
        let mut wire = Self(raw.expect("the path is served"));
        let open = wire.0.frame().await.expect("an open packet");
        assert!(open.payload.starts_with(b"0{"), "{open}");
        wire.send(&json!({"type": 0, "nsp": "/chat", "data": auth}))
            .await;
        let joined = wire.receive().await;
        (wire, joined)
    }

    async fn send(&mut self, packet: &impl serde::Serialize) {
        let bytes = rmp_serde::to_vec_named(packet).unwrap();
        self.0.send(&ClientFrame::binary(bytes)).await;
    }

    /// The next packet, after pings.
    async fn receive<T: serde::de::DeserializeOwned>(&mut self) -> T {
        loop {
            let frame = self.0.frame().await.expect("a frame");
            match &frame.payload[..] {
                b"2" => self.0.send(&ClientFrame::text("3")).await,
                packet => return rmp_serde::from_slice(packet).unwrap(),
            }
        }
    }
}

async fn start() -> Served {
    let builder = SocketIo::builder().with_parser(ParserConfig::msgpack());
    let (layer, io) = builder.build_layer();
    serve_on(layer, SocketIoxide::new(io), |_| {}).await
}

#[tokio::test]
async fn events_acks_questions_and_refusals_are_maps() {
    let app = start().await;
    let (_, refused) = Wire::join(&app, json!({"token": "bad"})).await;
    assert_eq!(refused["type"], 4);
    assert_eq!(refused["data"]["message"], "wrong token");

    let (mut wire, joined) = Wire::join(&app, json!({"token": "good"})).await;
    assert_eq!(joined["type"], 0, "{joined}");
    let args = json!([1, {"a": [null, "b"]}, "c"]);
    let echo =
        json!({"type": 2, "nsp": "/chat", "id": 5, "data": ["echo", 1, {"a": [null, "b"]}, "c"]});
    wire.send(&echo).await;
    let reply: Value = wire.receive().await;
    assert_eq!(
        (&reply["type"], &reply["id"], &reply["data"]),
        (&json!(3), &json!(5), &args)
    );
    wire.send(&json!({"type": 2, "nsp": "/chat", "data": ["repeat"]}))
        .await;
    let event: Value = wire.receive().await;
    assert_eq!(event["data"], json!(["repeated"]));
}

#[tokio::test]
async fn binary_stays_binary() {
    use nest_gateway::Value;
    let app = start().await;
    let (mut wire, _) = Wire::join(&app, json!({})).await;
    let bytes = Value::Binary(vec![0, 255].into());
    let data = Value::Array(vec![Value::from("repeat"), bytes.clone()]);
    let packet = [
        ("type", Value::from(2)),
        ("nsp", Value::from("/chat")),
        ("data", data),
    ];
    wire.send(&Value::Object(
        packet
            .map(|(key, value)| (key.to_owned(), value))
            .into_iter()
            .collect(),
    ))
    .await;
    let event: Value = wire.receive().await;
    let data = event.get("data").expect("an event has data");
    assert_eq!(data, &Value::Array(vec![Value::from("repeated"), bytes]));
}
