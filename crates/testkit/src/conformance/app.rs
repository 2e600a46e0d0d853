//! The one application that every property runs against.
//!
//! It is written with the builder and not with the macros, so that an adapter
//! can be tested with core alone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use nest_gateway_core::broadcast::WebSocketServer;
use nest_gateway_core::close::DisconnectReason;
use nest_gateway_core::dispatch::{
    Ack, Auth, Binary, ConnectedSocket, Emission, Enhancer, Enhancers, ExecutionContext,
    FromMessage as _, HandlerResult, MessageBody, Pipe as _, RawBody, Reply, Server, State,
    WsResponse,
};
use nest_gateway_core::error::{BoxError, WsException};
use nest_gateway_core::gateway::{
    GatewayBuilder, GatewayDescriptor, Message, ModuleDescriptor, OnGatewayConnection,
    OnGatewayDisconnect, OnGatewayInit, Provider,
};
use nest_gateway_core::payload::Payload;
use nest_gateway_core::session::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::backstage::{Backstage, LogOnDrop};
use super::enhancers::{
    Catch, ClassError, ClassGuard, Deadline, Doorman, Gatekeeper, GlobalError, GlobalGuard, Logged,
    Loud, Mapped, MethodError, Named, Role, Seen, Short, Stubborn, Trick, User, Verdict, Witness,
};

/// The module of the application.
pub(super) fn module(backstage: &Arc<Backstage>) -> ModuleDescriptor {
    let module = ModuleDescriptor::new("Conformance")
        .provide(Provider::arc(Arc::clone(backstage)))
        .provide(Provider::factory_with(
            |backstage: Arc<Backstage>| async move {
                backstage.count_construction("global guard");
                Ok::<_, BoxError>(GlobalGuard(Named::new(&backstage, "global")))
            },
        ))
        .provide(Provider::factory_with(
            |backstage: Arc<Backstage>| async move {
                backstage.count_construction("class guard");
                Ok::<_, BoxError>(ClassGuard(Named::new(&backstage, "class")))
            },
        ));
    let module = gateway(module, Root, Root::describe(backstage));
    let module = gateway(module, Second, Second::describe(backstage));
    let module = small_gateways(module);
    gateway(module, RoomById, RoomById::describe())
}

fn small_gateways(module: ModuleDescriptor) -> ModuleDescriptor {
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
    let module = gateway(module, First, First::describe());
    let module = gateway(module, Other, Other::describe());
    gateway(module, Guarded, Guarded::describe())
}

/// A gateway without state of its own: each is given the back stage.
struct With<G> {
    backstage: Arc<Backstage>,
    #[expect(dead_code, reason = "it only names the type")]
    kind: G,
}

fn gateway<G: Copy + Send + Sync + 'static>(
    module: ModuleDescriptor,
    kind: G,
    descriptor: GatewayDescriptor,
) -> ModuleDescriptor {
    let provider = Provider::factory_with(move |backstage: Arc<Backstage>| async move {
        Ok::<_, BoxError>(With { backstage, kind })
    });
    module.gateway_provider(provider, descriptor)
}

impl<G> With<G> {
    fn log(&self, line: impl Into<String>) {
        self.backstage.log().write(line);
    }

    async fn pass(&self, gate: &str) {
        self.backstage.gates().pass(gate).await;
    }

    fn on_drop(&self, line: &'static str) -> LogOnDrop {
        LogOnDrop(Arc::clone(&self.backstage), line)
    }
}

fn guard(guard: impl nest_gateway_core::dispatch::Guard) -> Enhancers {
    Enhancers::new().guard(Enhancer::<dyn nest_gateway_core::dispatch::DynGuard>::value(guard))
}

fn interceptor(
    interceptor: impl nest_gateway_core::dispatch::Interceptor,
) -> Enhancer<dyn nest_gateway_core::dispatch::DynInterceptor> {
    Enhancer::<dyn nest_gateway_core::dispatch::DynInterceptor>::value(interceptor)
}

fn pipe(
    pipe: impl nest_gateway_core::dispatch::Pipe,
) -> Enhancer<dyn nest_gateway_core::dispatch::DynPipe> {
    Enhancer::<dyn nest_gateway_core::dispatch::DynPipe>::value(pipe)
}

fn filter(
    filter: impl nest_gateway_core::dispatch::ExceptionFilter,
) -> Enhancer<dyn nest_gateway_core::dispatch::DynFilter> {
    Enhancer::<dyn nest_gateway_core::dispatch::DynFilter>::value(filter)
}

type Result<T, E = WsException> = std::result::Result<T, E>;
type Replied = Result<Reply<'static>>;

/// A handler with enhancers or options of its own: a function of gateway and
/// context whose reply borrows nothing.
macro_rules! message {
    ($event:expr, |$gateway:ident, $context:ident| $body:expr) => {
        Message::<RootGateway>::event($event, "handler", |$gateway, $context| {
            let future = async move { $body };
            Box::pin(future) as nest_gateway_core::adapter::BoxFuture<'_, HandlerResult<'_>>
        })
    };
}

// ---- namespace / ----

/// The root gateway.
#[derive(Clone, Copy)]
struct Root;

type RootGateway = With<Root>;

#[derive(Deserialize)]
struct Room {
    room: String,
}

#[derive(Deserialize)]
struct Said {
    room: String,
    text: Value,
}

#[derive(Deserialize)]
struct Flood {
    room: String,
    n: usize,
    size: usize,
    #[serde(default = "one")]
    from: usize,
    #[serde(default)]
    volatile: bool,
}

fn one() -> usize {
    1
}

impl Root {
    fn describe(backstage: &Arc<Backstage>) -> GatewayDescriptor {
        let enhancers = Enhancers::new()
            .guard(Enhancer::<dyn nest_gateway_core::dispatch::DynGuard>::of::<
                ClassGuard,
            >())
            .interceptor(interceptor(Named::new(backstage, "class")))
            .pipe(pipe(Named::new(backstage, "class")))
            .filter(filter(Catch::<ClassError>::new(backstage, "class")));
        let builder = GatewayBuilder::<RootGateway>::new("/")
            .enhancers(enhancers)
            .after_init()
            .on_disconnect();
        let builder = Self::replies(builder);
        let builder = Self::failures(builder);
        let builder = Self::pipeline(builder, backstage);
        let builder = Self::filters(builder, backstage);
        let builder = Self::streams(builder);
        let builder = Self::flow(builder, backstage);
        let builder = Self::rooms(builder);
        Self::questions(builder).build()
    }

    fn replies(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        let values = [
            ("ret_str", json!("hello")),
            ("ret_zero", json!(0)),
            ("ret_false", json!(false)),
            ("ret_empty", json!("")),
            ("ret_obj", json!({"a": 1})),
            ("ret_arr", json!([1, 2])),
            ("ret_some", json!(7)),
        ];
        let builder = values.into_iter().fold(builder, |builder, (event, value)| {
            builder.on(event, move |_: G| {
                let value = value.clone();
                async move { Reply::value(&value) }
            })
        });
        builder
            .on("ret_unit", async |_: G| {})
            .on("ret_none", async |_: G| -> Replied { Ok(Reply::None) })
            .on("echo", async |gateway: G, body: RawBody| {
                gateway.log("echo");
                body
            })
            .on("logged_echo", async |gateway: G, body: RawBody| {
                gateway.log(format!("echo {}", text(&body.0)));
                body
            })
            .on("ws", async |_: G, RawBody(data): RawBody| {
                WsResponse::new("resp", data)
            })
            .on("whoami", async |_: G, client: ConnectedSocket| {
                Reply::value(&client.id())
            })
            .on(
                "emit_many",
                async |_: G, client: ConnectedSocket, n: MessageBody<usize>| {
                    for i in 1..=n.0 {
                        client.emit("tick", &i);
                    }
                    Reply::value(&n.0)
                },
            )
            .on("ack_manual", async |_: G, ack: Ack| {
                ack.send(&json!({"manual": 1}))
            })
            .on("ack_and_value", async |_: G, ack: Ack| {
                ack.send("by hand")?;
                Reply::value("not sent")
            })
            .on("ack_and_ws", async |_: G, ack: Ack| {
                ack.send("by hand")?;
                Ok::<_, WsException>(WsResponse::new("resp", "besides"))
            })
            .on("dto", async |_: G, body: MessageBody<Dto>| {
                Reply::value(&json!({"name": body.0.name, "n": body.0.n}))
            })
            .message(message!("prop", |_gateway, context| {
                let field = context.data().field("id");
                let id = Option::<MessageBody<Value>>::from_body(context, Some(field)).await?;
                Reply::value(&json!({"id": id.map(|id| id.0)}))
            }))
            .on("bin_len", async |_: G, bytes: Binary| {
                Reply::value(&bytes.0.len())
            })
            .message(Message::binary("binary", |_, context| {
                Box::pin(async move {
                    let bytes = Binary::from_message(context).await?;
                    let data = Payload::from_serialize(&bytes.0.len());
                    Ok(Reply::Response(Emission {
                        event: Some("bin_len".into()),
                        data: data.map_err(WsException::internal)?,
                    }))
                })
            }))
            .on(
                "set",
                async |_: G, state: State<i64>, body: MessageBody<Value>| {
                    state.set(body.0["v"].as_i64().unwrap_or_default());
                },
            )
            .on("get", async |_: G, state: State<i64>| {
                Reply::value(&state.get())
            })
    }

    fn failures(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("fail", async |_: G| -> Result<()> {
                Err(WsException::new("nope"))
            })
            .on("fail_object", async |_: G| -> Result<()> {
                Err(WsException::from(json!({"code": 42, "reason": "x"})))
            })
            .on("fail_typed", async |_: G| -> Result<()> {
                Err(WsException::new("room 7 is full").with_code("room_full"))
            })
            .on("fail_internal", async |_: G| -> Result<()> {
                Err(WsException::internal("secret detail"))
            })
            .on("panic", async |gateway: G| {
                assert!(gateway.backstage.has_flag("never"), "secret panic");
            })
    }

    fn pipeline(
        builder: GatewayBuilder<RootGateway>,
        backstage: &Arc<Backstage>,
    ) -> GatewayBuilder<RootGateway> {
        let named = |name| Named::new(backstage, name);
        let levels = || {
            guard(named("m1"))
                .guard(Enhancer::<dyn nest_gateway_core::dispatch::DynGuard>::value(named("m2")))
                .interceptor(interceptor(named("m1")))
                .interceptor(interceptor(named("m2")))
                .pipe(pipe(named("method")))
        };
        let denied = |event: &'static str, verdict| {
            message!(event, |gateway, _context| {
                gateway.log("handler ran");
                Ok(Reply::None)
            })
            .enhancers(guard(verdict))
        };
        builder
            .message(
                message!("order", |gateway, context| {
                    let body = param_pipe(gateway, context).await?;
                    gateway.log("handler");
                    Ok(Reply::Value(body))
                })
                .enhancers(levels())
                .metadata(Logged),
            )
            .message(
                message!("order_fail", |gateway, context| {
                    param_pipe(gateway, context).await?;
                    gateway.log("handler");
                    Err(WsException::new("x"))
                })
                .enhancers(levels().filter(filter(Catch::<WsException>::new(backstage, "method"))))
                .metadata(Logged),
            )
            .message(denied("g_deny", Verdict::No))
            .message(denied("g_ws", Verdict::Exception))
            .message(denied("g_err", Verdict::Internal))
            .message(denied("g_panic", Verdict::Panic))
            .message(
                message!("g_ctx", |_gateway, context| {
                    match context.extensions().get::<Seen>() {
                        Some(seen) => Reply::value(&seen.0),
                        None => Err(WsException::new("the guard left nothing")),
                    }
                })
                .enhancers(guard(Witness))
                .metadata(Role("admin")),
            )
            .message(
                message!("map", |_gateway, context| Ok(Reply::Value(context.data())))
                    .enhancers(Enhancers::new().interceptor(interceptor(Mapped))),
            )
            .message(
                message!("map_stream", |_gateway, _context| Ok(three(None)))
                    .enhancers(Enhancers::new().interceptor(interceptor(Mapped))),
            )
            .message(
                message!("short", |gateway, _context| {
                    gateway.log("handler ran");
                    Ok(Reply::None)
                })
                .enhancers(Enhancers::new().interceptor(interceptor(Short))),
            )
            .message(
                message!("timeout", |gateway, _context| {
                    let _dropped = gateway.on_drop("handler dropped");
                    gateway.pass("timeout").await;
                    gateway.log("late");
                    Ok(Reply::None)
                })
                .enhancers(Enhancers::new().interceptor(interceptor(Deadline))),
            )
            .message(
                message!("flaky", |gateway, _context| {
                    let attempt = gateway.backstage.produce();
                    gateway.log(format!("try {attempt}"));
                    match attempt {
                        3 => Reply::value("third time lucky"),
                        _ => Err(WsException::new("not yet")),
                    }
                })
                .enhancers(Enhancers::new().interceptor(interceptor(Stubborn))),
            )
            .message(
                message!("piped", |_gateway, context| Ok(Reply::Value(
                    context.data()
                )))
                .enhancers(Enhancers::new().pipe(pipe(Loud))),
            )
    }

    fn filters(
        builder: GatewayBuilder<RootGateway>,
        backstage: &Arc<Backstage>,
    ) -> GatewayBuilder<RootGateway> {
        let failing = Enhancers::new;
        builder
            .message(fails_with("f_method", MethodError).enhancers(
                failing().filter(filter(Catch::<MethodError>::new(backstage, "method"))),
            ))
            .message(fails_with("f_class", ClassError))
            .message(fails_with("f_global", GlobalError))
            .message(
                fails_with("f_reply", MethodError)
                    .enhancers(failing().filter(filter(Trick::Answer))),
            )
            .message(
                fails_with("f_fail", MethodError).enhancers(failing().filter(filter(Trick::Fail))),
            )
            .message(
                fails_with("f_panic", MethodError)
                    .enhancers(failing().filter(filter(Trick::Panic))),
            )
    }

    fn streams(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("stream_plain", async |_: G| three(None))
            .on("stream", async |_: G| three(Some("tok")))
            .on("stream_err", async |_: G| {
                let items = [item(Some("tok"), &1), item(Some("tok"), &2)];
                let mid = std::iter::once(Err(WsException::new("mid")));
                Reply::stream(futures_util::stream::iter(items.into_iter().chain(mid)))
            })
            .on("stream_gated", async |gateway: G| {
                gateway.log("streaming");
                let dropped = gateway.on_drop("stream dropped");
                let opened = async move {
                    let _dropped = dropped;
                    gateway.pass("stream").await;
                    item(None, "opened")
                };
                Reply::stream(opened.into_stream())
            })
            .on("tokens", async |gateway: G, body: MessageBody<Value>| {
                let number = |key: &str| body.0[key].as_u64().unwrap_or(0);
                let (n, size) = (number("n"), number("size"));
                let fill = "x".repeat(usize::try_from(size).unwrap_or(0));
                let items = futures_util::stream::iter(0..n).map(move |i| {
                    let produced = gateway.backstage.produce();
                    if produced.is_multiple_of(100) {
                        gateway.log(format!("produced {produced}"));
                    }
                    item(None, format!("t{i}{fill}").as_str())
                });
                Reply::stream(items)
            })
    }

    fn flow(
        builder: GatewayBuilder<RootGateway>,
        backstage: &Arc<Backstage>,
    ) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("yielding", async |gateway: G, i: MessageBody<u64>| {
                gateway.log(format!("start {}", i.0));
                for _ in 0..i.0 % 4 {
                    tokio::task::yield_now().await;
                }
                gateway.log(format!("end {}", i.0));
            })
            .message(message!("gated", |gateway, context| gated(
                gateway, context
            )
            .await))
            .message(
                message!("gated_concurrent", |gateway, context| gated(
                    gateway, context
                )
                .await)
                .concurrent(),
            )
            .message(
                message!("g_gated", |gateway, context| {
                    gateway.log(format!("handler {}", text(&context.data())));
                    Ok(Reply::None)
                })
                .enhancers(guard(Gatekeeper(Arc::clone(backstage)))),
            )
            .on(
                "until_cancelled",
                async |gateway: G, token: CancellationToken| {
                    gateway.log("waiting for the token");
                    token.cancelled().await;
                    gateway.log("token fired");
                },
            )
            .on(
                "stay_behind",
                async |gateway: G, token: CancellationToken| {
                    gateway.log("waiting for the end");
                    token.cancelled().await;
                    gateway.log("client is gone");
                    gateway.pass("a").await;
                    gateway.log("stayed behind");
                },
            )
            .on("kick", async |_: G, client: ConnectedSocket| {
                client.disconnect("kicked");
            })
            .on(
                "emit_and_kick",
                async |_: G, client: ConnectedSocket, n: MessageBody<u64>| {
                    for i in 1..=n.0 {
                        client.emit("tick", &i);
                    }
                    client.disconnect("kicked");
                },
            )
            .on(
                "kick_with",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    let code = body.0["code"].as_u64().unwrap_or(0);
                    let reason = body.0["reason"].as_str().unwrap_or_default().to_owned();
                    client.disconnect_with(u16::try_from(code).unwrap_or(0), reason);
                },
            )
            .on(
                "flood_room",
                async |_: G, server: Server, flood: MessageBody<Flood>| {
                    let Flood {
                        room,
                        n,
                        size,
                        from,
                        volatile,
                    } = flood.0;
                    let fill = "x".repeat(size);
                    let mut receivers = 0;
                    for n in from..from + n {
                        let mut emitter = server.to(room.as_str());
                        if volatile {
                            emitter = emitter.volatile();
                        }
                        receivers = emitter
                            .emit("flood", &json!({"n": n, "fill": fill}))
                            .receivers();
                        // Others of the server have a turn, as in an application.
                        tokio::task::yield_now().await;
                    }
                    Reply::value(&receivers)
                },
            )
    }

    fn rooms(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on("join", join::<Root>)
            .on(
                "leave",
                async |_: G, client: ConnectedSocket, body: MessageBody<Room>| {
                    client.leave(&body.0.room).await;
                    Reply::value(&json!({"left": body.0.room}))
                },
            )
            .on("rooms", async |_: G, client: ConnectedSocket| {
                Reply::value(&rooms(&client))
            })
            .on(
                "say",
                async |_: G, client: ConnectedSocket, said: MessageBody<Said>| {
                    let message = json!({"from": client.id(), "text": said.0.text});
                    Reply::value(&client.to(said.0.room).emit("said", &message).receivers())
                },
            )
            .message(message!("shout", |_gateway, context| {
                let server = Server::from_message(context).await?;
                let said = MessageBody::<Said>::from_message(context).await?.0;
                let message = json!({"from": context.client().id(), "text": said.text});
                Reply::value(&server.to(said.room).emit("said", &message).receivers())
            }))
            .on("bcast", bcast::<Root>)
            .on(
                "dm",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let to = body.0["to"].as_str().unwrap_or_default();
                    Reply::value(&server.to(to).emit("dm", &body.0["text"]).receivers())
                },
            )
            .on(
                "cast",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let names = |key: &str| -> Vec<String> {
                        serde_json::from_value(body.0[key].clone()).unwrap_or_default()
                    };
                    let emitter = server.to(names("to")).except(names("except"));
                    Reply::value(&emitter.emit("cast", &body.0["data"]).receivers())
                },
            )
    }

    fn questions(builder: GatewayBuilder<RootGateway>) -> GatewayBuilder<RootGateway> {
        type G = Arc<RootGateway>;
        builder
            .on(
                "ask",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    ask(&client, &body.0["q"], Duration::from_secs(5)).await
                },
            )
            .on(
                "ask_briefly",
                async |_: G, client: ConnectedSocket, body: MessageBody<Value>| {
                    ask(&client, &body.0["q"], Duration::from_millis(50)).await
                },
            )
            .message(
                message!("ask_beside", |_gateway, context| {
                    let body: Value = context.data().decode()?;
                    ask(context.client(), &body["q"], Duration::from_secs(5)).await
                })
                .concurrent(),
            )
            .on(
                "ask_room",
                async |_: G, server: Server, body: MessageBody<Value>| {
                    let room = body.0["room"].as_str().unwrap_or_default();
                    let emitter = server.to(room).timeout(Duration::from_secs(5));
                    let answers: Vec<Value> = emitter
                        .emit_with_ack::<Value>("question", &body.0["q"])
                        .filter_map(|(_, answer)| async move { answer.ok() })
                        .collect()
                        .await;
                    Reply::value(&answers)
                },
            )
    }
}

#[derive(Deserialize)]
struct Dto {
    name: String,
    n: i32,
}

impl OnGatewayInit for RootGateway {
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        // The start-up has to wait for this, however long it takes.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if self.backstage.has_flag("fail after_init") {
            return Err("after_init says no".into());
        }
        self.log(format!("init {}", server.namespace()));
        Ok(())
    }
}

impl OnGatewayDisconnect for RootGateway {
    async fn on_disconnect(&self, client: &Client, reason: &DisconnectReason) {
        self.log(format!(
            "disconnect {} {reason} rooms={} state={} by={:?}",
            client.id(),
            rooms(client).join(","),
            client.state::<i64>().get(),
            reason.initiator,
        ));
    }
}

async fn join<G: Send + Sync + 'static>(
    _: Arc<With<G>>,
    client: ConnectedSocket,
    body: MessageBody<Room>,
) -> Replied {
    client.join(body.0.room.as_str()).await?;
    Reply::value(&json!({"joined": body.0.room}))
}

async fn bcast<G: Send + Sync + 'static>(
    _: Arc<With<G>>,
    server: Server,
    body: MessageBody<Value>,
) -> Replied {
    Reply::value(&server.emit("bc", &body.0).receivers())
}

async fn ask(client: &Client, question: &Value, patience: Duration) -> Replied {
    match client
        .emit_with_ack_in::<Value>(patience, "question", question)
        .await
    {
        Ok(answer) => Reply::value(&answer),
        Err(_) => Reply::value(&json!({"timeout": true})),
    }
}

/// Waits at the gate that the body names, then emits `done`.
async fn gated<'a, G>(gateway: &With<G>, context: &'a ExecutionContext) -> HandlerResult<'a> {
    let gate: String = context.data().decode()?;
    gateway.log(format!("start {gate}"));
    gateway.pass(&gate).await;
    gateway.log(format!("end {gate}"));
    context.client().emit("done", &gate);
    Ok(Reply::None)
}

/// The pipe on the argument, as the macros would call it.
async fn param_pipe<G>(gateway: &With<G>, context: &ExecutionContext) -> Result<Payload> {
    let pipe = Named::new(&gateway.backstage, "param");
    let body = pipe.transform(context.data(), context).await?;
    Ok(RawBody::from_body(context, Some(body)).await?.0)
}

fn fails_with<E>(event: &'static str, _: E) -> Message<RootGateway>
where
    E: std::error::Error + Default + Send + Sync + 'static,
{
    Message::event(event, "handler", |_, _| {
        Box::pin(async { Err(WsException::internal(E::default())) })
    })
}

/// The rooms of a client, without the one of its own.
fn rooms(client: &Client) -> Vec<String> {
    let names = client.rooms();
    let own = client.id();
    let mut rooms: Vec<_> = names
        .iter()
        .filter(|room| ***room != *own.as_str())
        .map(ToString::to_string)
        .collect();
    rooms.sort();
    rooms
}

/// The stream 1, 2, 3, under an event of its own if given.
fn three(event: Option<&'static str>) -> Reply<'static> {
    Reply::stream(futures_util::stream::iter([1, 2, 3]).map(move |i| item(event, &i)))
}

fn item<T: serde::Serialize + ?Sized>(event: Option<&'static str>, value: &T) -> Result<Emission> {
    Ok(Emission {
        event: event.map(Into::into),
        data: Payload::from_serialize(value).map_err(WsException::internal)?,
    })
}

/// A body for the log: a text without its quotes, else JSON.
fn text(body: &Payload) -> String {
    match body.decode() {
        Ok(Value::String(text)) => text,
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

// ---- namespace /second ----

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

// ---- namespaces whose hooks do something ----

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
            .build()
    }
}

/// A namespace with a parameter.
#[derive(Clone, Copy)]
struct RoomById;

impl RoomById {
    fn describe() -> GatewayDescriptor {
        GatewayBuilder::<With<Self>>::new("/room/{id}")
            .on(
                "whoami",
                async |_: Arc<With<Self>>, client: ConnectedSocket| {
                    Reply::value(&json!({"id": client.path_param("id")}))
                },
            )
            .build()
    }
}
