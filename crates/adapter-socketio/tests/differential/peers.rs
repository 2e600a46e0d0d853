//! The servers, with the same handlers.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use nest_gateway::core::message::Arguments;
use nest_gateway::prelude::*;
use nest_gateway::{FromContext, Listening, Payload, SocketIo};
use serde_json::Value;
use socketioxide::extract::{AckSender, Data, SocketRef, TryData};
use socketioxide::handler::ConnectHandler as _;

/// A running server.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) addr: SocketAddr,
    _ours: Option<Listening>,
}

/// The time between pings.
pub(crate) struct Ping(Duration);

impl Ping {
    pub(crate) fn of(milliseconds: Option<u64>) -> Self {
        Self(Duration::from_millis(milliseconds.unwrap_or(25_000)))
    }
}

/// All arguments, as they came.
struct Args(Arguments);

impl FromContext for Args {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(context.arguments().clone()))
    }
}

macro_rules! gateway {
    ($name:ident, $namespace:literal) => {
        #[websocket_gateway(namespace = $namespace)]
        struct $name;

        #[subscriptions]
        impl $name {
            #[subscribe_message("echo")]
            async fn echo(&self, args: Args, client: ConnectedSocket) {
                client.emit_args("echo", args.0.as_slice().to_vec());
            }

            #[subscribe_message("ack")]
            async fn ack(&self, args: Args, ack: Ack) -> Result<(), WsException> {
                ack.send_args(args.0.as_slice().to_vec())
            }

            #[subscribe_message("ask", concurrent)]
            async fn ask(&self, client: ConnectedSocket) {
                let question = vec![Payload::from_json("1".into())];
                let answer = client.emit_args_with_ack("question", question).await;
                client.emit_args("answer", answer.into_iter().collect());
            }

            #[subscribe_message("join")]
            async fn join(
                &self,
                MessageBody(room): MessageBody<String>,
                client: ConnectedSocket,
                ack: Ack,
            ) -> Result<(), WsException> {
                client.join(room).await?;
                ack.send_args(Vec::new())
            }

            #[subscribe_message("say")]
            async fn say(&self, MessageBody(text): MessageBody<String>, client: ConnectedSocket) {
                client.to("room").emit("said", &text);
            }

            #[subscribe_message("whisper")]
            async fn whisper(
                &self,
                MessageBody(text): MessageBody<String>,
                client: ConnectedSocket,
            ) {
                client.to("room").volatile().emit("whispered", &text);
            }

            #[subscribe_message("kick")]
            async fn kick(&self, client: ConnectedSocket) {
                client.disconnect("kicked");
            }

            #[subscribe_message("close")]
            async fn close(&self, client: ConnectedSocket) {
                client.close_connection("closed");
            }
        }
    };
}

gateway!(Main, "/");
gateway!(Custom, "/custom");

#[websocket_gateway(namespace = "/guarded")]
#[use_guards(NoEntry)]
struct Guarded;

#[subscriptions]
impl Guarded {}

#[injectable]
struct NoEntry;

impl Guard for NoEntry {
    async fn can_connect(&self, _: &HandshakeContext) -> Result<bool, WsException> {
        Err(WsException::new("no entry"))
    }
}

#[module(providers(NoEntry, Main, Custom, Guarded))]
struct Servers;

pub(crate) async fn ours(ping: Ping) -> Peer {
    let app = App::new::<Servers>()
        .adapter(SocketIo::new())
        .configure(|config| {
            config.ping_interval = ping.0;
            // As the others, who say nothing to an event that nobody knows.
            config.unknown_event_policy = nest_gateway::UnknownEventPolicy::Ignore;
        });
    let app = app.listen("127.0.0.1:0").await.expect("it starts");
    Peer {
        name: "ours",
        addr: app.local_addr(),
        _ours: Some(app),
    }
}

/// All values of an event.
type Any = TryData<values::Values>;

async fn register(socket: SocketRef) -> Result<(), std::convert::Infallible> {
    socket.on("echo", async |socket: SocketRef, data: Any| {
        let _ = socket.emit("echo", &data.0.expect("it is JSON"));
    });
    socket.on("ack", async |data: Any, ack: AckSender| {
        let _ = ack.send(&data.0.expect("it is JSON"));
    });
    socket.on("ask", async |socket: SocketRef| {
        let answer = socket.emit_with_ack::<_, Value>("question", &1);
        if let Ok(answer) = answer.expect("it is connected").await {
            let _ = socket.emit("answer", &answer);
        }
    });
    socket.on(
        "join",
        async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
            socket.join(room);
            let _ = ack.send(&values::Values(Vec::new()));
        },
    );
    socket.on("say", async |socket: SocketRef, Data::<String>(text)| {
        let _ = socket.to("room").emit("said", &text).await;
    });
    socket.on(
        "whisper",
        async |socket: SocketRef, Data::<String>(text)| {
            let _ = socket.volatile().to("room").emit("whispered", &text).await;
        },
    );
    for event in ["kick", "close"] {
        socket.on(event, async |socket: SocketRef| {
            let _ = socket.disconnect();
        });
    }
    Ok(())
}

pub(crate) async fn socketioxide(ping: Ping) -> Peer {
    let builder = socketioxide::SocketIo::builder()
        .ping_interval(ping.0)
        .max_payload(1_000_000);
    let (layer, io) = builder.build_layer();
    io.ns("/", (async || ()).with(register));
    io.ns("/custom", (async || ()).with(register));
    io.ns(
        "/guarded",
        (async || ()).with(async || Err::<(), _>("no entry")),
    );
    let router = Router::new().layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Peer {
        name: "socketioxide",
        addr,
        _ours: None,
    }
}

/// Any number of values, as a tuple of any length.
mod values {
    use std::fmt;

    use nest_gateway::Value;
    use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
    use serde::ser::{Serialize, SerializeTuple as _, Serializer};

    #[derive(Debug)]
    pub(crate) struct Values(pub(crate) Vec<Value>);

    impl Serialize for Values {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut tuple = serializer.serialize_tuple(self.0.len())?;
            for value in &self.0 {
                tuple.serialize_element(value)?;
            }
            tuple.end()
        }
    }

    impl<'de> Deserialize<'de> for Values {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct All;
            impl<'de> Visitor<'de> for All {
                type Value = Values;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("values")
                }
                fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Values, S::Error> {
                    let mut values = Vec::new();
                    while let Some(value) = seq.next_element()? {
                        values.push(value);
                    }
                    Ok(Values(values))
                }
            }
            deserializer.deserialize_tuple(1, All)
        }
    }
}
