//! Gateways, routes and adapters on shared ports (CONTRACT 1, 2, 8 and 12).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::routing::get;
use nest_gateway::prelude::*;
use nest_gateway::{AppBuilder, GatewayBuilder, Listening, ModuleDescriptor, Native, Provider};
use nest_gateway_testkit::client::{Client, ClientBuilder, NativeConnector, http};
use nest_gateway_testkit::{assert_event, assert_reply, json};

/// Counts for the gateway and for the routes.
#[injectable]
#[derive(Default)]
struct Counter {
    #[inject(default)]
    count: AtomicU32,
}

impl Counter {
    fn next(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[websocket_gateway(namespace = "/count")]
struct CountGateway {
    counter: Arc<Counter>,
}

#[subscriptions]
impl CountGateway {
    #[subscribe_message("next")]
    async fn next(&self) -> u32 {
        self.counter.next()
    }

    #[subscribe_message("join")]
    async fn join(&self, client: ConnectedSocket) -> Result<(), WsException> {
        client.join("room").await
    }

    #[subscribe_message("say")]
    async fn say(&self, client: ConnectedSocket, MessageBody(text): MessageBody<String>) {
        client.to("room").emit("said", &text);
    }
}

#[module(providers(Counter, CountGateway))]
struct CountModule;

async fn next(counter: Inject<Counter>) -> String {
    counter.next().to_string()
}

fn routes() -> Router {
    Router::new()
        .route("/next", get(next))
        .route("/count", get(async || "a page at the gateway's path"))
}

async fn listen(app: AppBuilder) -> Listening {
    app.listen("127.0.0.1:0")
        .await
        .expect("the application starts")
}

fn client(addr: SocketAddr) -> ClientBuilder {
    Client::of(NativeConnector::new(addr)).namespace("/count")
}

async fn page(addr: SocketAddr, path: &str) -> http::HttpResponse {
    http::get(addr, path).await.expect("a response")
}

#[tokio::test]
async fn routes_and_gateways_share_the_port_and_the_providers() {
    let app = App::new::<CountModule>()
        .adapter(Native::new())
        .routes(routes());
    let app = listen(app).await;
    let addr = app.local_addr();
    let mut ada = client(addr).connect().await;
    assert_reply!(ada, "next" => 1);
    assert_eq!(page(addr, "/next").await.text(), "2");
    assert_reply!(ada, "next" => 3);
    assert_eq!(page(addr, "/nowhere").await.status, 404);
}

#[tokio::test]
async fn a_plain_get_at_a_gateways_path_belongs_to_the_users_route() {
    let with_route = App::new::<CountModule>()
        .adapter(Native::new())
        .routes(routes());
    let with_route = listen(with_route).await;
    let answer = page(with_route.local_addr(), "/count").await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "a page at the gateway's path")
    );
    client(with_route.local_addr())
        .connect()
        .await
        .round_trip()
        .await;

    let without = listen(App::new::<CountModule>().adapter(Native::new())).await;
    assert_eq!(page(without.local_addr(), "/count").await.status, 426);
}

#[tokio::test]
async fn a_prefix_moves_every_namespace() {
    let app = App::new::<CountModule>().adapter(Native::new().at("/ws"));
    let app = listen(app).await;
    let addr = app.local_addr();
    let refused = client(addr).expect_refused().await;
    assert_eq!(refused.status, Some(404));
    let moved = Client::of(NativeConnector::new(addr).at("/ws")).namespace("/count");
    let mut ada = moved.connect().await;
    assert_reply!(ada, "next" => 1);
}

#[tokio::test]
async fn only_configured_subprotocols_are_accepted() {
    let app = App::new::<CountModule>().adapter(Native::new().subprotocol("chat.v2"));
    let app = listen(app).await;
    let offers = |names: &[&str]| {
        names.iter().fold(client(app.local_addr()), |client, name| {
            client.subprotocol(name)
        })
    };
    let chosen = offers(&["chat.v3", "chat.v2"]).connect().await;
    assert_eq!(chosen.admitted().subprotocol.as_deref(), Some("chat.v2"));
    let none = offers(&["chat.v3"]).connect().await;
    assert_eq!(none.admitted().subprotocol, None);
}

#[tokio::test]
async fn a_subprotocol_that_no_client_can_offer_stops_the_start_up() {
    for name in ["", "a b", "chat,v2", "caf\u{e9}"] {
        let app = App::new::<CountModule>().adapter(Native::new().subprotocol(name));
        let error = app.listen("127.0.0.1:0").await.expect_err(name).to_string();
        assert!(
            error.contains(&format!("subprotocol \"{name}\"")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn somebody_elses_axum_hosts_the_whole_application() {
    let app = App::new::<CountModule>()
        .adapter(Native::new())
        .routes(routes())
        .build()
        .await
        .expect("the application starts");
    let down = app.shutdown_handle();
    let host = Router::new()
        .route("/health", get(async || "well"))
        .merge(app.into_router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let host = tokio::spawn(async move { axum::serve(listener, host).await });
    assert_eq!(page(addr, "/health").await.text(), "well");
    assert_eq!(page(addr, "/next").await.text(), "1");
    let mut ada = client(addr).connect().await;
    assert_reply!(ada, "next" => 2);
    assert!(down.shut_down().await, "every client goes in time");
    let seen = ada.expect_close().await;
    assert_eq!(seen.code, 1001, "{seen:?}");
    host.abort();
}

struct Admin;

/// A module with a gateway on a port of its own.
fn two_ports(port: u16) -> ModuleDescriptor {
    let admin = GatewayBuilder::<Admin>::new("/admin")
        .port(port)
        .on("ping", async |_: Arc<Admin>| Reply::value("pong"));
    ModuleDescriptor::new("TwoPorts")
        .import::<CountModule>()
        .gateway_provider(Provider::value(Admin), admin.build())
}

/// A port that was free a moment ago.
async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

#[tokio::test]
async fn a_gateway_with_a_port_has_a_listener_of_its_own() {
    let port = free_port().await;
    let app = App::from_module(two_ports(port)).adapter(Native::new());
    let app = listen(app).await;
    let own = app.addr_of_port(port).expect("the gateway has a listener");
    assert_ne!(own, app.local_addr());
    let admin = |addr| Client::of(NativeConnector::new(addr)).namespace("/admin");
    let mut ada = admin(own).connect().await;
    assert_reply!(ada, "ping" => "pong");
    let elsewhere = admin(app.local_addr()).expect_refused().await;
    assert_eq!(elsewhere.status, Some(404));
    assert_eq!(client(own).expect_refused().await.status, Some(404));
    assert!(app.shut_down().await, "both ports are shut down");
    assert_eq!(ada.expect_close().await.code, 1001);
}

#[tokio::test]
async fn the_server_of_a_gateway_reaches_its_clients_from_anywhere() {
    let app = listen(App::new::<CountModule>().adapter(Native::new())).await;
    let mut ada = client(app.local_addr()).connect().await;
    ada.round_trip().await;
    let server = app
        .runtime()
        .server_of::<CountGateway>()
        .expect("it is a gateway");
    assert_eq!(server.emit("news", &json!({"n": 1})).receivers(), 1);
    assert_event!(ada, "news", {"n": 1});
}

#[cfg(feature = "socketio")]
mod with_socketio {
    use nest_gateway::SocketIo;
    use nest_gateway_testkit::assert_push;
    use nest_gateway_testkit::client::{SocketIoConnector, Transport};

    use super::*;

    #[tokio::test]
    async fn a_room_holds_clients_of_both_adapters() {
        let app = App::new::<CountModule>()
            .adapter(Native::new())
            .adapter(SocketIo::new());
        let app = listen(app).await;
        let addr = app.local_addr();
        let mut clients = vec![client(addr).connect().await];
        for transport in [Transport::WebSocket, Transport::Polling, Transport::Upgrade] {
            let connector = SocketIoConnector::new(addr).transport(transport);
            clients.push(Client::of(connector).namespace("/count").connect().await);
        }
        for client in &mut clients {
            client.request("join", json!(null)).await;
        }
        for sender in 0..clients.len() {
            let text = format!("from {sender}");
            clients[sender].emit("say", json!(text)).await;
            for (receiver, client) in clients.iter_mut().enumerate() {
                if receiver == sender {
                    continue;
                }
                assert_push!(client, "said", text);
            }
        }
        for client in &mut clients {
            client.refute_any_event().await;
        }
    }

    #[websocket_gateway(namespace = "/board/{name}")]
    struct BoardGateway;

    #[subscriptions]
    impl BoardGateway {
        #[subscribe_message("join")]
        async fn join(&self, client: ConnectedSocket) -> Result<(), WsException> {
            client.join("room").await
        }

        #[subscribe_message("say")]
        async fn say(&self, client: ConnectedSocket, MessageBody(text): MessageBody<String>) {
            client.to("room").emit("said", &text);
        }
    }

    #[module(providers(BoardGateway))]
    struct BoardModule;

    /// The name in the path of a URL, and as Socket.IO writes it.
    #[tokio::test]
    async fn a_path_holds_clients_of_both_adapters() {
        let app = App::new::<BoardModule>()
            .adapter(Native::new())
            .adapter(SocketIo::new());
        let app = listen(app).await;
        let addr = app.local_addr();
        let native = || Client::of(NativeConnector::new(addr));
        let socketio = || Client::of(SocketIoConnector::new(addr));
        let mut plan = [
            native().namespace("/board/caf%C3%A9%201").connect().await,
            socketio().namespace("/board/caf\u{e9} 1").connect().await,
        ];
        let mut others = [
            native().namespace("/board/2").connect().await,
            socketio().namespace("/board/2").connect().await,
        ];
        for client in plan.iter_mut().chain(&mut others) {
            client.request("join", json!(null)).await;
        }
        for sender in 0..2 {
            let text = format!("from {sender}");
            plan[sender].emit("say", json!(text)).await;
            assert_event!(plan[1 - sender], "said", text);
        }
        let server = app
            .runtime()
            .server_of::<BoardGateway>()
            .expect("it is a gateway");
        let plan_alone = server.at("/board/caf\u{e9} 1");
        assert_eq!(plan_alone.emit("news", &1).receivers(), 2);
        assert_eq!(server.to("room").emit("news", &2).receivers(), 4);
        for client in &mut plan {
            assert_event!(client, "news", 1);
            assert_event!(client, "news", 2);
        }
        for client in &mut others {
            assert_event!(client, "news", 2);
            client.refute_any_event().await;
        }
    }

    #[websocket_gateway(namespace = "/native-only", adapter = Native)]
    struct NativeOnly;

    #[subscriptions]
    impl NativeOnly {
        #[subscribe_message("ping")]
        async fn ping(&self) -> &'static str {
            "pong"
        }
    }

    #[module(providers(NativeOnly))]
    struct NativeOnlyModule;

    #[tokio::test]
    async fn a_gateway_may_choose_its_adapter() {
        let app = App::new::<NativeOnlyModule>()
            .adapter(Native::new())
            .adapter(SocketIo::new());
        let app = listen(app).await;
        let addr = app.local_addr();
        let native = Client::of(NativeConnector::new(addr)).namespace("/native-only");
        let mut ada = native.connect().await;
        assert_reply!(ada, "ping" => "pong");
        let socketio = Client::of(SocketIoConnector::new(addr)).namespace("/native-only");
        assert_eq!(socketio.expect_refused().await.message, "Invalid namespace");
    }
}
