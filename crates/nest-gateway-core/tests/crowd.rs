//! What a crowd hears and when, with the courier in the hands of the test: he comes when it yields.

use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use nest_gateway_core::adapter::{
    Adapter, Burst, Capabilities, Codec, Format, Gone, Host, Mount, Outlet, Sent,
};
use nest_gateway_core::broadcast::WebSocketServer;
use nest_gateway_core::error::WsException;
use nest_gateway_core::gateway::{GatewayBuilder, ModuleDescriptor, OnGatewayConnection, Provider};
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::message::{Delivery, Encoded, Outgoing};
use nest_gateway_core::payload::EncodeError;
use nest_gateway_core::runtime::{RuntimeBuilder, Started};
use nest_gateway_core::session::{Client, Session};

const NAME: &str = "crowd";

/// Large enough that messages wait for the courier.
const CROWD: usize = 20;

struct Gateway;

impl OnGatewayConnection for Gateway {
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        client.emit("hello", &());
        tokio::task::yield_now().await;
        client.emit("again", &());
        Ok(())
    }
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

/// The names of events, and nothing else.
struct Names;

impl Codec for Names {
    fn format(&self) -> Format {
        Format("names")
    }

    fn encode(&self, _: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        Ok(match message {
            Outgoing::Event { event, .. } => Some(event.to_owned().into()),
            _ => None,
        })
    }
}

/// Writes down what it gets: bursts in brackets when they may be written at once.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl Outlet for Heard {
    fn codec(&self) -> &dyn Codec {
        &Names
    }

    fn send(&self, message: Bytes, _: Delivery) -> Sent {
        self.add(String::from_utf8(message.to_vec()).unwrap());
        Sent::Queued
    }

    fn send_burst(&self, burst: Burst<'_>) -> bool {
        let Some(whole) = burst.whole() else {
            return false;
        };
        assert_eq!(whole.len(), burst.len());
        self.add(format!("[{}]", String::from_utf8_lossy(whole)));
        true
    }

    fn poll_room(&self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn queued_bytes(&self) -> usize {
        0
    }
}

struct Guest {
    session: Session,
    heard: Arc<Heard>,
}

impl Guest {
    fn poll(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(self.session.poll(&mut context).is_pending());
    }
}

struct Stage {
    host: Arc<Host>,
    server: WebSocketServer,
    _started: Started,
}

impl Stage {
    async fn start() -> Self {
        let host = Arc::new(OnceLock::new());
        let gateway = GatewayBuilder::<Gateway>::new("/").on_connection().build();
        let module = ModuleDescriptor::new("CrowdModule")
            .gateway_provider(Provider::value(Gateway), gateway);
        let started = RuntimeBuilder::from_module(module)
            .adapter(NoWire(Arc::clone(&host)))
            .start()
            .await
            .unwrap();
        Self {
            host: Arc::clone(host.get().unwrap()),
            server: started.runtime.server("/").unwrap(),
            _started: started,
        }
    }

    /// Somebody whose `on_connection` has not begun.
    async fn arrives(&self) -> Guest {
        let found = self.host.find("/", NAME).unwrap();
        let handshake = Handshake::bare(None);
        let admission = self.host.admit(found, handshake, NAME, false).await;
        let heard = Arc::<Heard>::default();
        let outlet = Arc::clone(&heard);
        Guest {
            session: Session::open(NAME, admission.unwrap(), outlet),
            heard,
        }
    }

    async fn crowd(&self) -> Vec<Guest> {
        let mut crowd = Vec::new();
        for _ in 0..CROWD {
            let mut guest = self.arrives().await;
            guest.poll();
            guest.poll();
            assert_eq!(guest.heard.take(), ["hello", "again"]);
            crowd.push(guest);
        }
        crowd
    }
}

/// Until the courier has been with everybody.
async fn round() {
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_on_connection_emits_comes_before_what_is_on_its_way_to_the_crowd() {
    let stage = Stage::start().await;
    let crowd = stage.crowd().await;
    let mut late = stage.arrives().await;
    let news = stage.server.emit("news", &());
    assert_eq!(news.receivers(), CROWD + 1);
    assert!(
        crowd[0].heard.take().is_empty(),
        "the courier was not there"
    );
    late.poll();
    assert_eq!(late.heard.take(), ["hello"]);
    round().await;
    assert_eq!(crowd[0].heard.take(), ["[news]"]);
    assert!(late.heard.take().is_empty(), "its on_connection goes on");
    late.poll();
    assert_eq!(late.heard.take(), ["again", "news"]);
}

#[tokio::test]
async fn what_a_crowd_is_told_meanwhile_comes_in_one_piece() {
    let stage = Stage::start().await;
    let crowd = stage.crowd().await;
    for event in ["a", "b", "c"] {
        assert_eq!(stage.server.emit(event, &()).receivers(), CROWD);
    }
    round().await;
    for guest in &crowd {
        assert_eq!(guest.heard.take(), ["[abc]"]);
    }
}

#[tokio::test]
async fn one_who_is_told_something_alone_first_has_what_all_are_told() {
    let stage = Stage::start().await;
    let crowd = stage.crowd().await;
    stage.server.emit("a", &());
    crowd[7].session.client().emit("alone", &());
    stage.server.emit("b", &());
    assert_eq!(crowd[7].heard.take(), ["a", "alone"]);
    round().await;
    assert_eq!(crowd[7].heard.take(), ["b"]);
    assert_eq!(crowd[8].heard.take(), ["[ab]"]);
}

#[tokio::test]
async fn a_disconnect_comes_behind_what_the_crowd_was_told_before() {
    let stage = Stage::start().await;
    let crowd = stage.crowd().await;
    stage.server.emit("a", &());
    crowd[3].session.client().disconnect("enough");
    assert_eq!(crowd[3].heard.take(), ["a"]);
    round().await;
    assert!(crowd[3].heard.take().is_empty());
    assert_eq!(crowd[4].heard.take(), ["[a]"]);
}

#[tokio::test]
async fn who_joins_hears_what_is_said_from_then_on_and_who_left_what_was_said_before() {
    let stage = Stage::start().await;
    let mut crowd = stage.crowd().await;
    for guest in &crowd {
        stage.server.to(guest.session.client().id()).join("room");
    }
    let room = || stage.server.to("room");
    room().emit("a", &());
    let left = crowd.remove(0);
    stage.server.to(left.session.client().id()).leave("room");
    let mut late = stage.arrives().await;
    late.poll();
    late.poll();
    late.heard.take();
    stage.server.to(late.session.client().id()).join("room");
    assert_eq!(room().emit("b", &()).receivers(), CROWD);
    round().await;
    assert_eq!(left.heard.take(), ["a"]);
    assert_eq!(late.heard.take(), ["b"]);
    let others: Vec<_> = crowd
        .iter()
        .map(|guest| guest.heard.take().concat())
        .collect();
    // One of them has taken the place of who left, and got the first message alone.
    assert!(
        others
            .iter()
            .all(|heard| ["[ab]", "ab"].contains(&&**heard)),
        "{others:?}"
    );
}
