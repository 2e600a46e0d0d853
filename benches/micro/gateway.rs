//! Hot paths of core, with the adapters' codecs and the wire's outbox, without sockets.

use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use nest_gateway_core::adapter::{
    Adapter, Burst, Capabilities, Codec, Gone, Host, Mount, Outlet, Sent,
};
use nest_gateway_core::broadcast::WebSocketServer;
use nest_gateway_core::dispatch::{ExecutionContext, FromMessage, MessageBody, Reply};
use nest_gateway_core::gateway::{GatewayBuilder, Message, ModuleDescriptor, Provider};
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::{Arguments, Delivery, Incoming, Outgoing};
use nest_gateway_core::payload::Payload;
use nest_gateway_core::runtime::{RuntimeBuilder, Started};
use nest_gateway_core::session::Session;
use nest_gateway_wire::{self as wire, Class, Frame, Outbox, OutboxConfig, Push};
use serde::{Deserialize, Serialize};

const NAME: &str = "micro";

/// A small event through the session of a client: decoded into a type, handled, and the typed answer
/// encoded and queued.
pub(crate) fn dispatch_event(iterations: u64) {
    Stage::with(1, async |stage| {
        let mut context = Context::from_waker(Waker::noop());
        let body = Bytes::from_static(br#"{"text":"hello"}"#);
        let client = &mut stage.clients[0];
        for id in 0..iterations {
            client.session.receive(Incoming {
                event: "echo",
                arguments: Payload::from_json(black_box(&body).clone()).into(),
                request: Some(RequestId::from(id)),
                size: body.len(),
            });
            assert!(client.session.poll(&mut context).is_pending());
            client.write();
        }
    });
}

/// An emit to a client that is alone in its room.
pub(crate) fn emit_to_one(iterations: u64) {
    emit_to(1, iterations);
}

/// An emit to a room of a thousand, counted for each of them.
pub(crate) fn fan_out(iterations: u64) {
    emit_to(1000, iterations / 1000);
}

fn emit_to(members: usize, messages: u64) {
    Stage::with(members, async |stage| {
        let data = data();
        for client in &stage.clients {
            let everybody = client.session.client().id();
            stage.server.to(everybody).join("room");
        }
        for _ in 0..messages {
            let sent = stage.server.to("room").emit("msg", black_box(&data));
            assert_eq!(sent.receivers(), members);
            // A crowd gets it from the courier.
            while stage.clients.iter().any(Member::has_nothing) {
                tokio::task::yield_now().await;
            }
            stage.clients.iter().for_each(Member::write);
        }
    });
}

/// An event of 128 bytes in the native envelope.
pub(crate) fn encode_native(iterations: u64) {
    encode(&nest_gateway_adapter_native::json_codec(), iterations);
}

/// The same as a packet of Socket.IO.
pub(crate) fn encode_socketio(iterations: u64) {
    encode(&nest_gateway_adapter_socketio::json_codec(), iterations);
}

fn encode(codec: &impl Codec, iterations: u64) {
    let payload = Payload::from_serialize(&data()).expect("a string can be encoded");
    let arguments = Arguments::from(payload);
    for _ in 0..iterations {
        let message = Outgoing::Event {
            event: "msg",
            arguments: black_box(&arguments),
        };
        let encoded = codec.encode("/", message).expect("it can be encoded");
        black_box(encoded).expect("an event is always said");
    }
}

fn data() -> String {
    "x".repeat(128)
}

/// A gateway that was started, and clients of it.
struct Stage {
    server: WebSocketServer,
    clients: Vec<Member>,
    _started: Started,
}

struct Member {
    session: Session,
    outbox: Arc<Outbox>,
}

impl Member {
    fn has_nothing(&self) -> bool {
        self.outbox.queued_bytes() == 0
    }

    /// What the flusher does, without a socket.
    fn write(&self) {
        let written = self
            .outbox
            .drain(usize::MAX, |frame| drop(black_box(frame)));
        assert_eq!(written, 1);
    }
}

impl Stage {
    fn with(members: usize, run: impl AsyncFnOnce(&mut Self)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = runtime.expect("a runtime can be made");
        runtime.block_on(async {
            let mut stage = Self::start(members).await;
            run(&mut stage).await;
        });
    }

    async fn start(members: usize) -> Self {
        let host = Arc::new(OnceLock::new());
        let gateway = GatewayBuilder::<Gateway>::new("/").message(echo()).build();
        let module = ModuleDescriptor::new("MicroModule")
            .gateway_provider(Provider::value(Gateway), gateway);
        let started = RuntimeBuilder::from_module(module)
            .adapter(NoWire(Arc::clone(&host)))
            .start()
            .await
            .expect("the gateway is well declared");
        let host = host.get().expect("the adapter was mounted");
        let mut clients = Vec::new();
        for _ in 0..members {
            clients.push(Self::connect(host).await);
        }
        Self {
            server: started.runtime.server("/").expect("the namespace exists"),
            clients,
            _started: started,
        }
    }

    async fn connect(host: &Host) -> Member {
        let found = host.find("/", NAME).expect("the namespace exists");
        let admission = host
            .admit(found, Handshake::bare(None), NAME, false)
            .await
            .expect("nobody guards the connection");
        let outbox = Outbox::new(OutboxConfig::default());
        let outlet = QueueOnly {
            outbox: Arc::clone(&outbox),
            codec: Box::new(nest_gateway_adapter_native::json_codec()),
        };
        let mut session = Session::open(NAME, admission, Arc::new(outlet));
        let mut context = Context::from_waker(Waker::noop());
        assert!(session.poll(&mut context).is_pending(), "it is open now");
        Member { session, outbox }
    }
}

struct Gateway;

#[derive(Serialize, Deserialize)]
struct Said {
    text: String,
}

/// The echo as the attributes write it.
fn echo() -> Message<Gateway> {
    Message::event(
        "echo",
        "echo",
        |_: &Arc<Gateway>, context: &ExecutionContext| {
            Box::pin(async move {
                let MessageBody(said) =
                    <MessageBody<Said> as FromMessage>::from_message(context).await?;
                Reply::value(&said)
            })
        },
    )
}

/// Hands its host out.
struct NoWire(Arc<OnceLock<Arc<Host>>>);

impl Adapter for NoWire {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::events_only()
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        self.0.get_or_init(|| host);
        Ok(Mount::default())
    }
}

/// The way to a client as far as the outbox, as the native adapter goes it.
struct QueueOnly {
    outbox: Arc<Outbox>,
    codec: Box<dyn Codec>,
}

impl Outlet for QueueOnly {
    fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    fn send(&self, message: Bytes, _: Delivery) -> Sent {
        let frame = Frame::from_bytes(message).expect("the codec makes frames");
        match self.outbox.push(frame, Class::Normal) {
            Push::Queued => Sent::Queued,
            _ => Sent::Overflow,
        }
    }

    fn send_burst(&self, burst: Burst<'_>) -> bool {
        let messages = wire::Burst::new(burst.messages(), Class::Normal);
        self.outbox.push_burst(messages)
    }

    fn poll_room(&self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn queued_bytes(&self) -> usize {
        self.outbox.queued_bytes()
    }
}
