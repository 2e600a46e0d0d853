//! What a crowd hears and when, with the courier in the hands of the test: he comes when it yields.

use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use nest_gateway_core::adapter::{
    Adapter, Burst, Capabilities, Codec, Format, Gone, Group, Host, Mount, Outlet, Sent,
};
use nest_gateway_core::broadcast::WebSocketServer;
use nest_gateway_core::config::Config;
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

/// As [`Heard`], but each knows of the others, and whoever is asked first speaks for all.
#[derive(Default)]
struct Together {
    heard: Heard,
    refuses: bool,
}

impl Outlet for Together {
    fn codec(&self) -> &dyn Codec {
        self.heard.codec()
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        self.heard.send(message, delivery)
    }

    fn send_to_group(&self, group: &mut Group<'_>) {
        let Some(all) = group.outlets::<Self>() else {
            return group.send_to_each();
        };
        let all: Vec<_> = all.collect();
        for (number, outlet) in all.iter().enumerate() {
            if outlet.refuses {
                group.refuse(number);
            } else {
                outlet.heard.add(format!("together of {}", all.len()));
            }
        }
        group.refuse(usize::MAX);
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.heard.poll_room(context)
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
    started: Started,
}

impl Stage {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let host = Arc::new(OnceLock::new());
        let gateway = GatewayBuilder::<Gateway>::new("/").on_connection().build();
        let module = ModuleDescriptor::new("CrowdModule")
            .gateway_provider(Provider::value(Gateway), gateway);
        let started = RuntimeBuilder::from_module(module)
            .adapter(NoWire(Arc::clone(&host)))
            .configure(configure)
            .start()
            .await
            .unwrap();
        Self {
            host: Arc::clone(host.get().unwrap()),
            server: started.runtime.server("/").unwrap(),
            started,
        }
    }

    /// Somebody whose `on_connection` has not begun.
    async fn arrives(&self) -> Guest {
        let heard = Arc::<Heard>::default();
        let session = self.opens(Arc::clone(&heard) as _).await;
        Guest { session, heard }
    }

    async fn opens(&self, outlet: Arc<dyn Outlet>) -> Session {
        let found = self.host.find("/", NAME).unwrap();
        let handshake = Handshake::bare(None);
        let admission = self.host.admit(found, handshake, NAME, false).await;
        Session::open(NAME, admission.unwrap(), outlet)
    }

    /// Somebody who is there, with an outlet that speaks for all of its kind.
    async fn arrives_together(&self, refuses: bool) -> (Session, Arc<Together>) {
        let outlet = Arc::new(Together {
            heard: Heard::default(),
            refuses,
        });
        let mut session = self.opens(Arc::clone(&outlet) as _).await;
        for _ in 0..2 {
            let mut context = Context::from_waker(Waker::noop());
            assert!(session.poll(&mut context).is_pending());
        }
        outlet.heard.take();
        (session, outlet)
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
async fn outlets_of_one_kind_are_asked_together_and_who_refuses_hears_it_one_by_one() {
    let stage = Stage::start().await;
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        crowd.push(stage.arrives_together(number == 3).await);
    }
    stage.server.emit("a", &());
    stage.server.emit("b", &());
    round().await;
    for (number, (_, outlet)) in crowd.iter().enumerate() {
        let expected = match number {
            3 => &["a", "b"][..],
            0..16 => &["together of 8"],
            _ => &["together of 4"],
        };
        assert_eq!(outlet.heard.take(), expected, "{number}");
    }
}

#[tokio::test]
async fn outlets_of_several_kinds_in_one_crowd_are_asked_each_for_itself() {
    let stage = Stage::start().await;
    let crowd = stage.crowd().await;
    let (_session, other) = stage.arrives_together(false).await;
    stage.server.emit("a", &());
    stage.server.emit("b", &());
    round().await;
    for guest in crowd {
        assert_eq!(guest.heard.take(), ["[ab]"]);
    }
    assert_eq!(other.heard.take(), ["a", "b"]);
}

#[tokio::test]
async fn what_finds_too_much_waiting_is_queued_at_once_behind_it_and_counted() {
    for (messages, bytes) in [(2, usize::MAX), (usize::MAX, 2)] {
        let stage = Stage::with(|config| {
            config.crowd_messages = messages;
            config.crowd_bytes = bytes;
        });
        let stage = stage.await;
        let crowd = stage.crowd().await;
        for event in ["a", "b", "c"] {
            assert_eq!(stage.server.emit(event, &()).receivers(), CROWD);
        }
        for guest in &crowd {
            assert_eq!(guest.heard.take(), ["a", "b", "c"]);
        }
        round().await;
        stage.server.emit("d", &());
        round().await;
        for guest in &crowd {
            assert_eq!(guest.heard.take(), ["[d]"], "there was room again");
        }
        assert_eq!(stage.started.runtime.stats().crowd_overflows(), 1);
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
