//! One application for all tests, and a connection that speaks packets.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use nest_gateway::core::dispatch::DynGuard;
use nest_gateway::core::message::Arguments;
use nest_gateway::{
    AcceptConfig, Ack, App, Client, Config, ConnectedSocket, DisconnectReason, Enhancer, Enhancers,
    ExecutionContext, FromContext, GatewayBuilder, GatewayDescriptor, Guard, HandshakeContext,
    Listening, MessageBody, ModuleDescriptor, OnGatewayConnection, OnGatewayDisconnect, Payload,
    Provider, SocketIo, WsException,
};
use nest_gateway_testkit::client::{ClientFrame, RawConnection, http, opcode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A running application.
pub(crate) struct TestApp {
    pub(crate) app: Listening,
    log: mpsc::Receiver<String>,
    /// How often the connection guard of `/guarded` was asked.
    pub(crate) asked: Arc<AtomicUsize>,
}

/// What the hooks of the main namespace tell.
type Log = mpsc::Sender<String>;

struct Main(Log);
struct Custom;
struct Guarded;
struct Slow;

impl OnGatewayConnection for Main {
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        let line = format!("connect recovered={}", client.recovered());
        self.0.try_send(line).expect("the test reads its log");
        Ok(())
    }
}

impl OnGatewayDisconnect for Main {
    async fn on_disconnect(&self, client: &Client, reason: &DisconnectReason) {
        let rooms = client.joined_rooms().len();
        // The test may be over.
        let _ = self
            .0
            .try_send(format!("disconnect {} rooms={rooms}", reason.text));
    }
}

/// All arguments, as they came.
struct Args(Arguments);

impl FromContext for Args {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(context.arguments().clone()))
    }
}

/// Counts how often it is asked, and refuses who has no token.
struct Doorman(Arc<AtomicUsize>);

impl Guard for Doorman {
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        self.0.fetch_add(1, Ordering::SeqCst);
        match context.handshake().bearer_token().as_deref() {
            Some("good") => Ok(true),
            Some(_) => Err(WsException::new("wrong token")
                .with_code("token")
                .with_details(&json!({"try": "good"}))),
            None => Ok(false),
        }
    }
}

/// Never makes up its mind.
struct Undecided;

impl Guard for Undecided {
    async fn can_connect(&self, _: &HandshakeContext) -> Result<bool, WsException> {
        std::future::pending().await
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(SocketIo::new(), |_| {}).await
    }

    pub(crate) async fn with(adapter: SocketIo, configure: impl FnOnce(&mut Config)) -> Self {
        Self::accepting(adapter, configure, |_| {}).await
    }

    pub(crate) async fn accepting(
        adapter: SocketIo,
        configure: impl FnOnce(&mut Config),
        accept: impl FnOnce(&mut AcceptConfig),
    ) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        // More lines than any test causes.
        let (tell, log) = mpsc::channel(256);
        let doorman = Enhancer::<dyn DynGuard>::value(Doorman(Arc::clone(&asked)));
        let undecided = Enhancer::<dyn DynGuard>::value(Undecided);
        let module = ModuleDescriptor::new("Test")
            .gateway_provider(Provider::value(Main(tell)), describe_main())
            .gateway_provider(
                Provider::value(Custom),
                GatewayBuilder::<Custom>::new("/custom")
                    .on(
                        "echo",
                        async |_: Arc<Custom>, client: ConnectedSocket, args: Args| {
                            client.emit_args("echo", args.0.as_slice().to_vec());
                        },
                    )
                    .on("handshake", handshake::<Custom>)
                    .build(),
            )
            .gateway_provider(
                Provider::value(Guarded),
                GatewayBuilder::<Guarded>::new("/guarded")
                    .enhancers(Enhancers::new().guard(doorman))
                    .on("hi", async |_: Arc<Guarded>, client: ConnectedSocket| {
                        client.emit_args("hi", Vec::new());
                    })
                    .build(),
            )
            .gateway_provider(
                Provider::value(Slow),
                GatewayBuilder::<Slow>::new("/slow")
                    .enhancers(Enhancers::new().guard(undecided))
                    .build(),
            );
        let builder = App::from_module(module)
            .adapter(adapter)
            .configure(configure)
            .accept(accept);
        let app = builder.listen("127.0.0.1:0").await.unwrap();
        Self { app, log, asked }
    }

    /// Opens a connection, which is in no namespace yet.
    pub(crate) async fn connect(&self) -> Wire {
        self.connect_with("", &[]).await
    }

    /// Opens one with more in the query (`&a=b`) and in the head.
    pub(crate) async fn connect_with(&self, query: &str, headers: &[(String, String)]) -> Wire {
        let path = format!("/socket.io/?EIO=4&transport=websocket{query}");
        let raw = RawConnection::upgrade(self.app.local_addr(), &path, headers)
            .await
            .unwrap();
        let mut wire = Wire(raw);
        assert!(wire.text().await.starts_with("0{\"sid\""));
        wire
    }

    /// Opens a connection in the main namespace.
    pub(crate) async fn join(&self) -> Wire {
        let mut wire = self.connect().await;
        wire.packet("0").await;
        assert!(wire.text().await.starts_with("40{\"sid\""));
        wire
    }

    /// Waits until so many clients are left, and all that the others had is freed.
    pub(crate) async fn has_clients(&self, count: usize) {
        let runtime = self.app.runtime();
        let server = runtime.server("/").expect("there is a main gateway");
        let settled = async {
            while runtime.stats().clients() != count
                || server.hub().client_count() != count
                || server.hub().room_count() != 0
                || server.hub().queued_bytes() != 0
            {
                tokio::task::yield_now().await;
            }
        };
        let settled = tokio::time::timeout(Duration::from_secs(5), settled).await;
        assert!(settled.is_ok(), "{:?}", runtime.stats());
    }

    /// The next line of the log.
    pub(crate) async fn line(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(5), self.log.recv());
        line.await.expect("a line").expect("the application runs")
    }
}

fn describe_main() -> GatewayDescriptor {
    type This = Arc<Main>;
    GatewayBuilder::<Main>::new("/")
        .on_connection()
        .on_disconnect()
        .on(
            "echo",
            async |_: This, client: ConnectedSocket, args: Args| {
                client.emit_args("echo", args.0.as_slice().to_vec());
            },
        )
        .on("ack", async |_: This, ack: Ack, args: Args| {
            ack.send_args(args.0.as_slice().to_vec())
        })
        .on("ask", async |_: This, client: ConnectedSocket| {
            let answer = client.emit_args_with_ack("question", Vec::new()).await;
            client.emit_args("answer", answer.into_iter().collect());
        })
        .on(
            "join",
            async |_: This, client: ConnectedSocket, room: MessageBody<String>| {
                client.join(room.0).await
            },
        )
        .on(
            "say",
            async |_: This, client: ConnectedSocket, said: MessageBody<(String, Value)>| {
                client.to(said.0.0).emit("said", &said.0.1);
            },
        )
        .on(
            "send_bytes",
            async |_: This, client: ConnectedSocket, room: MessageBody<String>| {
                let bytes = nest_gateway::Value::Binary("bytes".into());
                client
                    .to(room.0)
                    .emit_args("bytes", vec![Payload::from_value(bytes)]);
            },
        )
        .on(
            "whisper",
            async |_: This, client: ConnectedSocket, room: MessageBody<String>| {
                client.to(room.0).volatile().emit("whispered", &1);
            },
        )
        .on("kick", async |_: This, client: ConnectedSocket| {
            client.disconnect("kicked");
        })
        .on("handshake", handshake::<Main>)
        .on("close", async |_: This, client: ConnectedSocket| {
            client.close_connection("closed");
        })
        .build()
}

/// What a gateway knows of how its client came.
async fn handshake<G>(_: Arc<G>, client: ConnectedSocket, ack: Ack) -> Result<(), WsException> {
    let handshake = client.handshake();
    let since = handshake.time().duration_since(UNIX_EPOCH);
    ack.send(&json!({
        "header": handshake.header("X-Test"),
        "kept": handshake.header("sec-websocket-key"),
        "query": handshake.query_pairs().collect::<BTreeMap<_, _>>(),
        "auth": handshake.auth(),
        "address": handshake.peer().map(|peer| peer.ip().to_string()),
        "secure": handshake.is_secure(),
        "time": since.expect("it is after 1970").as_millis(),
    }))
}

/// A WebSocket connection that speaks packets.
pub(crate) struct Wire(RawConnection);

impl Wire {
    /// Sends a message with the Engine.IO type in front.
    pub(crate) async fn packet(&mut self, packet: &str) {
        self.0.send(&ClientFrame::text(format!("4{packet}"))).await;
    }

    pub(crate) async fn frame(&mut self, frame: &ClientFrame) {
        self.0.send(frame).await;
    }

    pub(crate) async fn binary(&mut self, bytes: &[u8]) {
        self.0.send(&ClientFrame::binary(bytes)).await;
    }

    /// The text of the next frame.
    pub(crate) async fn text(&mut self) -> String {
        let frame = self.0.frame().await.expect("a frame");
        assert_eq!(frame.opcode, opcode::TEXT, "{frame}");
        String::from_utf8(frame.payload.to_vec()).unwrap()
    }

    /// The bytes of the next frame.
    pub(crate) async fn bytes(&mut self) -> Vec<u8> {
        let frame = self.0.frame().await.expect("a frame");
        assert_eq!(frame.opcode, opcode::BINARY, "{frame}");
        frame.payload.to_vec()
    }

    /// The JSON behind the head of the next packet, which has to begin so.
    pub(crate) async fn json(&mut self, head: &str) -> Value {
        let text = self.text().await;
        let json = text
            .strip_prefix(head)
            .unwrap_or_else(|| panic!("{text} begins with {head}"));
        serde_json::from_str(json).unwrap()
    }

    /// Proves that the connection still works.
    pub(crate) async fn works(&mut self) {
        self.packet(r#"2["echo","still here"]"#).await;
        assert!(self.text().await.starts_with(r#"42["echo","still here""#));
    }

    /// Passes over frames to the close frame, and answers it.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let frame = self.0.frame().await.expect("a close frame");
            if frame.opcode == opcode::CLOSE {
                let code = frame.close_code().unwrap();
                self.0.send(&ClientFrame::close(code.0, "")).await;
                assert!(self.0.frame().await.is_none());
                return code;
            }
        }
    }

    /// Loses the connection without a word.
    pub(crate) fn cut(self) {
        self.0.reset();
    }
}

/// A session that polls, and is in no namespace yet.
pub(crate) struct Poll {
    addr: SocketAddr,
    path: String,
    /// Packets of the last poll that nobody has looked at.
    unread: VecDeque<String>,
}

impl Poll {
    pub(crate) async fn open(app: &TestApp) -> Self {
        Self::open_with(app, "", &[]).await
    }

    /// Opens it with more in the query (`&a=b`) and in the head.
    pub(crate) async fn open_with(
        app: &TestApp,
        query: &str,
        headers: &[(String, String)],
    ) -> Self {
        let addr = app.app.local_addr();
        let path = "/socket.io/?EIO=4&transport=polling";
        let first = format!("{path}{query}");
        let opened = http::send(addr, "GET", &first, headers, b"").await.unwrap();
        let open: Value = serde_json::from_slice(&opened.body[1..]).unwrap();
        Self {
            addr,
            path: format!("{path}&sid={}", open["sid"].as_str().unwrap()),
            unread: VecDeque::new(),
        }
    }

    /// The secret name of the session.
    pub(crate) fn sid(&self) -> &str {
        self.path.rsplit_once('=').unwrap().1
    }

    /// Posts packets, with their Engine.IO types.
    pub(crate) async fn post(&self, body: &str) {
        let posted = http::post(self.addr, &self.path, body.as_bytes()).await;
        assert_eq!(posted.unwrap().text(), "ok");
    }

    /// The next packet but noops, polled for if need be.
    pub(crate) async fn packet(&mut self) -> String {
        loop {
            match self.unread.pop_front() {
                Some(noop) if noop == "6" => {}
                Some(packet) => return packet,
                None => {
                    let polled = http::get(self.addr, &self.path).await.unwrap();
                    assert_eq!(polled.status, 200, "{}", polled.text());
                    let packets = polled.text();
                    self.unread = packets.split('\u{1e}').map(str::to_owned).collect();
                }
            }
        }
    }

    /// The message with which a poll is refused.
    pub(crate) async fn refused(&self) -> String {
        let refused = http::get(self.addr, &self.path).await.unwrap();
        assert_eq!(refused.status, 400, "{}", refused.text());
        refused.json()["message"].as_str().unwrap().to_owned()
    }
}
