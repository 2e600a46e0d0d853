//! The gateways of the other namespaces.

use std::sync::Arc;

use nest_gateway_core::broadcast::{EmitContext, WebSocketServer};
use nest_gateway_core::close::DisconnectReason;
use nest_gateway_core::dispatch::{Auth, ConnectedSocket, EventName, RawBody, Reply};
use nest_gateway_core::error::{BoxError, WsException};
use nest_gateway_core::gateway::{
    GatewayBuilder, GatewayDescriptor, Message, ModuleDescriptor, OnGatewayConnection,
    OnGatewayDisconnect, OnGatewayEmit, OnGatewayInit,
};
use nest_gateway_core::session::Client;
use serde_json::{Value, json};

use super::super::backstage::Backstage;
use super::super::enhancers::{Doorman, Logged, User};
use super::paths::RoomById;
use super::rooms::{bcast, join};
use super::{Result, With, gateway, guard, text};

/// Adds all gateways but the one of namespace `/`.
pub(super) fn add(module: ModuleDescriptor, backstage: &Arc<Backstage>) -> ModuleDescriptor {
    let module = gateway(module, Second, Second::describe(backstage));
    let module = gateway(module, RoomById, RoomById::describe());
    let module = gateway(module, Gated, Hooked::<Gated>::describe("/gated"));
    let module = gateway(module, Refuse, Hooked::<Refuse>::describe("/refuse"));
    let module = gateway(
        module,
        PanicConn,
        Hooked::<PanicConn>::describe("/panicconn"),
    );
    let module = gateway(module, Hello, Hooked::<Hello>::describe("/hello"));
    let module = gateway(
        module,
        PanicDisc,
        Hooked::<PanicDisc>::describe("/panicdisc"),
    );
    let module = gateway(module, CatchAll, CatchAll::describe());
    let module = gateway(module, First, First::describe());
    let module = gateway(module, Other, Other::describe());
    gateway(module, Guarded, Guarded::describe())
}

/// Another namespace with rooms of the same names.
#[derive(Clone, Copy)]
struct Second;

impl Second {
    fn describe(backstage: &Arc<Backstage>) -> GatewayDescriptor {
        let backstage = Arc::clone(backstage);
        GatewayBuilder::<With<Self>>::new("/second")
            .after_init()
            .on(
                "whoami",
                async |_: Arc<With<Self>>, client: ConnectedSocket| Reply::value(&client.id()),
            )
            .on("join", join::<Self>)
            .on("bcast", bcast::<Self>)
            .message(
                Message::event("logged", "logged", move |_, _| {
                    backstage.log().write("handler");
                    Box::pin(async { Ok(Reply::None) })
                })
                .metadata(Logged),
            )
            .build()
    }
}

impl OnGatewayInit for With<Second> {
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        self.log(format!("init {}", server.namespace()));
        Ok(())
    }
}

/// A gateway with `echo` and `whoami` whose hooks differ.
struct Hooked<G>(std::marker::PhantomData<G>);

impl<G> Hooked<G>
where
    G: Send + Sync + 'static,
    With<G>: OnGatewayConnection + OnGatewayDisconnect,
{
    fn describe(namespace: &str) -> GatewayDescriptor {
        GatewayBuilder::<With<G>>::new(namespace)
            .on_connection()
            .on_disconnect()
            .on("echo", async |gateway: Arc<With<G>>, body: RawBody| {
                gateway.log(format!("echo {}", text(&body.0)));
                body
            })
            .on(
                "whoami",
                async |_: Arc<With<G>>, client: ConnectedSocket| Reply::value(&client.id()),
            )
            .build()
    }
}

macro_rules! hooks {
    ($($(#[$doc:meta])* $name:ident {
        connect |$gateway:ident, $client:ident| $connect:block
        disconnect |$leaving:ident| $disconnect:block
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $name;

        impl OnGatewayConnection for With<$name> {
            async fn on_connection(&self, $client: &Client) -> Result<()> {
                let $gateway = self;
                $connect
            }
        }

        impl OnGatewayDisconnect for With<$name> {
            async fn on_disconnect(&self, _: &Client, _: &DisconnectReason) {
                let $leaving = self;
                $disconnect
            }
        }
    )*};
}

hooks! {
    /// `on_connection` waits at a gate.
    Gated {
        connect |gateway, _client| {
            gateway.log("connecting");
            gateway.pass("connect").await;
            gateway.log("connected");
            Ok(())
        }
        disconnect |_gateway| {}
    }
    /// `on_connection` fails, after a while.
    Refuse {
        connect |_gateway, _client| {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            Err(WsException::new("no"))
        }
        disconnect |_gateway| {}
    }
    /// `on_connection` panics.
    PanicConn {
        connect |gateway, _client| {
            assert!(gateway.backstage.has_flag("never"), "secret panic of a hook");
            Ok(())
        }
        disconnect |_gateway| {}
    }
    /// `on_connection` emits.
    Hello {
        connect |_gateway, client| {
            client.emit("hello", &client.id());
            Ok(())
        }
        disconnect |_gateway| {}
    }
    /// `on_disconnect` panics.
    PanicDisc {
        connect |_gateway, _client| { Ok(()) }
        disconnect |gateway| {
            gateway.log("panicking");
            assert!(gateway.backstage.has_flag("never"), "secret panic of a hook");
        }
    }
    /// The first of two gateways in one namespace.
    First {
        connect |gateway, _client| {
            gateway.log("first connected");
            Ok(())
        }
        disconnect |gateway| { gateway.log("first disconnected"); }
    }
    /// The second of them.
    Other {
        connect |gateway, _client| {
            gateway.log("second connected");
            Ok(())
        }
        disconnect |gateway| { gateway.log("second disconnected"); }
    }
}

impl First {
    fn describe() -> GatewayDescriptor {
        GatewayBuilder::<With<Self>>::new("/shared")
            .on_connection()
            .on_disconnect()
            .on("from_first", async |_: Arc<With<Self>>| {
                Reply::value("first")
            })
            .build()
    }
}

impl Other {
    fn describe() -> GatewayDescriptor {
        GatewayBuilder::<With<Self>>::new("/shared")
            .on_connection()
            .on_disconnect()
            .on("from_second", async |_: Arc<With<Self>>| {
                Reply::value("second")
            })
            .build()
    }
}

/// Behind a connection guard.
#[derive(Clone, Copy)]
struct Guarded;

impl OnGatewayConnection for With<Guarded> {
    async fn on_connection(&self, _: &Client) -> Result<()> {
        self.log("guarded client connected");
        Ok(())
    }
}

impl Guarded {
    fn describe() -> GatewayDescriptor {
        GatewayBuilder::<With<Self>>::new("/guarded")
            .enhancers(guard(Doorman))
            .on_connection()
            .on("whoami", async |_: Arc<With<Self>>, user: Auth<User>| {
                Reply::value(&json!({"user": user.0.0}))
            })
            .on("bcast", bcast::<Self>)
            .build()
    }
}

/// Takes every event that has no handler, and hears of everything that is sent.
#[derive(Clone, Copy)]
struct CatchAll;

impl CatchAll {
    fn describe() -> GatewayDescriptor {
        type G = Arc<With<CatchAll>>;
        GatewayBuilder::<With<Self>>::new("/catchall")
            .on_emit()
            .on("known", async |_: G| Reply::value("known"))
            .on("bcast", bcast::<Self>)
            .on("ask", async |_: G, client: ConnectedSocket| {
                let answer = client.emit_with_ack::<Value>("question", &1).await;
                Reply::value(&answer.unwrap_or_default())
            })
            .on("fail", async |_: G| -> Result<()> {
                Err(WsException::new("no"))
            })
            .on_any(async |_: G, event: EventName, body: RawBody| {
                Reply::value(&json!({"event": event.0, "data": body.0}))
            })
            .build()
    }
}

impl OnGatewayEmit for With<CatchAll> {
    fn on_emit(&self, emit: &EmitContext<'_>) {
        let to = emit.client().map_or("all", |_| "one");
        let (kind, event, data) = (emit.kind(), emit.event(), text(&emit.data()));
        self.log(format!(
            "sent {kind:?} {event} {data} to {to} receivers={}",
            emit.receivers()
        ));
        assert_ne!(data, "panic", "it costs nobody anything");
    }
}
