//! Somebody's socketioxide application on axum, with gateways on its `SocketIo`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use nest_gateway::core::message::Arguments;
use nest_gateway::prelude::*;
use nest_gateway::{Config, FromContext, Path, Payload, ShutdownHandle, Stats, Value};
use nest_gateway_adapter_socketio::SocketIoxide;
use nest_gateway_testkit::client::{Client as TestClient, ClientBuilder, SocketIoConnector};
use socketioxide::SocketIo;
use socketioxide::adapter::Adapter;
use socketioxide::layer::SocketIoLayer;
use socketioxide_core::adapter::DefinedAdapter;
use tokio::sync::Notify;

/// Opened by a test, waited for by a handler.
#[injectable]
pub(crate) struct Gate {
    #[inject(default)]
    opened: Notify,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }
}

#[injectable]
pub(crate) struct Doorman;

impl Guard for Doorman {
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        match context.handshake().bearer_token().as_deref() {
            Some("bad") => Err(WsException::new("wrong token").with_code("token")),
            Some("none") => Ok(false),
            _ => Ok(true),
        }
    }
}

/// All arguments, as they came.
struct Args(Arguments);

impl FromContext for Args {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(context.arguments().clone()))
    }
}

#[websocket_gateway(namespace = "/chat")]
#[use_guards(Doorman)]
struct ChatGateway {
    gate: Arc<Gate>,
    server: WebSocketServer,
}

impl OnGatewayDisconnect for ChatGateway {
    async fn on_disconnect(&self, _: &Client, reason: &DisconnectReason) {
        self.server.emit("left", &reason.to_string());
    }
}

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("echo")]
    async fn echo(&self, args: Args, ack: Ack) -> Result<(), WsException> {
        ack.send_args(args.0.as_slice().to_vec())
    }

    #[subscribe_message("repeat")]
    async fn repeat(&self, args: Args, client: ConnectedSocket) {
        client.emit_args("repeated", args.0.as_slice().to_vec());
    }

    #[subscribe_message("say")]
    async fn say(&self, MessageBody(text): MessageBody<Value>) {
        self.server.emit("said", &text);
    }

    #[subscribe_message("ask")]
    async fn ask(&self, client: ConnectedSocket) -> Result<Value, WsException> {
        let bytes = Value::Binary(vec![1, 2, 3].into());
        let question = vec![Payload::from_value(bytes)];
        let answer = client.emit_args_with_ack("question", question).await;
        let answer = answer.map_err(|error| WsException::new(error.to_string()))?;
        answer
            .to_value()
            .map_err(|error| WsException::new(error.to_string()))
    }

    #[subscribe_message("wait")]
    async fn wait(&self) {
        self.gate.opened.notified().await;
    }

    #[subscribe_message("close")]
    async fn close(&self, client: ConnectedSocket) {
        client.close_connection("closed");
    }

    #[subscribe_message("peer")]
    async fn peer(&self, client: ConnectedSocket) -> String {
        client
            .handshake()
            .peer()
            .map_or_else(String::new, |peer| peer.ip().to_string())
    }

    #[subscribe_message("id")]
    async fn id(&self, client: ConnectedSocket) -> String {
        client.id().to_string()
    }

    #[subscribe_message("count")]
    async fn count(
        &self,
        MessageBody(to): MessageBody<u32>,
    ) -> impl futures_util::Stream<Item = u32> + use<> {
        futures_util::stream::iter(0..to)
    }
}

#[websocket_gateway(namespace = "/room/{id}")]
struct RoomGateway;

#[subscriptions]
impl RoomGateway {
    #[subscribe_message("where")]
    async fn place(&self, Path(id): Path<String>) -> String {
        id
    }
}

#[module(providers(Gate, Doorman, ChatGateway, RoomGateway))]
pub(crate) struct ChatModule;

/// The application, served by `axum::serve`.
pub(crate) struct Served {
    pub(crate) addr: SocketAddr,
    pub(crate) shutdown: ShutdownHandle,
    pub(crate) stats: Arc<Stats>,
    pub(crate) gate: Arc<Gate>,
}

/// Serves it with the defaults.
pub(crate) async fn serve() -> Served {
    let (layer, io) = SocketIo::new_layer();
    serve_on(layer, SocketIoxide::new(io), |_| {}).await
}

/// Serves it on this `SocketIo`. Native clients have the same gateways.
pub(crate) async fn serve_on<A: Adapter + DefinedAdapter>(
    layer: SocketIoLayer<A>,
    adapter: SocketIoxide<A>,
    configure: impl FnOnce(&mut Config),
) -> Served {
    let app = App::new::<ChatModule>()
        .configure(configure)
        .adapter(adapter)
        .adapter(nest_gateway::Native::new())
        .build()
        .await
        .expect("the application starts");
    let shutdown = app.shutdown_handle();
    let stats = Arc::clone(app.stats());
    let gate = app.get::<Gate>().expect("it is a provider");
    let router = Router::new().merge(app.into_router()).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Served {
        addr,
        shutdown,
        stats,
        gate,
    }
}

impl Served {
    pub(crate) fn client(&self, namespace: &str) -> ClientBuilder {
        TestClient::of(SocketIoConnector::new(self.addr)).namespace(namespace)
    }
}
