//! One client in one namespace: its session polled, its messages taken, its outbox said.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use nest_gateway_core::adapter::Admission;
use nest_gateway_core::close::{CloseReason, DisconnectReason};
use nest_gateway_core::gateway::CANCEL_EVENT;
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::Incoming;
use nest_gateway_core::payload::Payload;
use nest_gateway_core::session::{Malformed, Session};
use socketioxide::SocketError;
use socketioxide::adapter::Adapter;
use socketioxide::extract::SocketRef;
use socketioxide::socket::{DisconnectReason as TheirReason, Socket};

use super::NAME;
use super::arguments;
use super::door::Shared;
use super::occupancy::Place;
use super::outlet::QueuedOutlet;
use super::pace::Pace;
use super::seat::{Ended, Gone, Said, Seat, Turn};
use super::speaker::{Speaker, Spoken};
use crate::close;
use crate::connection::cancel_target;

/// How often a client that has to be told goodbye is tried, while there is no room.
const RETRY: Duration = Duration::from_millis(20);
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// How much is taken from the outbox at a time.
const BATCH: usize = 64 * 1024;

/// Drives one client.
pub(super) struct Task<A: Adapter> {
    shared: Arc<Shared<A>>,
    socket: Arc<Socket<A>>,
    seat: Arc<Seat>,
    outlet: Arc<QueuedOutlet>,
    speaker: Speaker<A>,
    pace: Pace,
    /// The sockets of the connection's other namespaces, once the whole connection is to end.
    others: Vec<SocketRef<A>>,
    /// The connection is closed with all others of the `SocketIo`. A DISCONNECT before that
    /// would tell the client to stay away.
    stays_for_the_end: bool,
}

/// What happened.
enum Step {
    Turn(Turn),
    Answers(Vec<(u64, Payload)>),
    /// The server wants the client to end.
    Close(CloseReason),
    /// There is something to say, or room to say it.
    Speak,
}

impl<A: Adapter> Task<A> {
    pub(super) fn new(shared: Arc<Shared<A>>, socket: Arc<Socket<A>>, seat: Arc<Seat>) -> Self {
        let config = shared.host.config();
        let outlet = QueuedOutlet::new(config, Arc::clone(&shared.codec));
        Self {
            outlet: Arc::new(outlet),
            speaker: Speaker::new(Arc::clone(&socket), config.max_open_questions),
            shared,
            socket,
            seat,
            pace: Pace::new(Instant::now()),
            others: Vec::new(),
            stays_for_the_end: false,
        }
    }

    /// Serves the client to its end.
    pub(super) async fn run(mut self, admission: Admission, place: Place) {
        let outlet = Arc::clone(&self.outlet);
        let mut session = Session::open(NAME, admission, outlet);
        let reason = self.serve(&mut session).await;
        self.outlet.outbox().close_now(None);
        session.finish(reason).await;
        if !self.stays_for_the_end {
            self.leave().await;
        }
        drop(place);
        self.shared.clear_away();
    }

    async fn serve(&mut self, session: &mut Session) -> DisconnectReason {
        loop {
            match self.step(session).await {
                Step::Turn(Turn::Said(said)) => self.receive(session, said),
                Step::Turn(Turn::Ended(Ended::Socket(reason))) => return ended(reason),
                Step::Turn(Turn::Ended(Ended::Overflow)) => {
                    tracing::warn!("a client sent more than may wait");
                    self.shared.host.stats().inbox_overflowed();
                    self.say_goodbye().await;
                    return close::by_server(&CloseReason::RateLimited);
                }
                Step::Answers(answers) => {
                    for (id, payload) in answers {
                        if !session.answer(id, payload) {
                            tracing::debug!(id, "an answer that nobody waits for");
                        }
                    }
                }
                Step::Close(reason) => {
                    self.stays_for_the_end =
                        reason == CloseReason::ShuttingDown && self.shared.close_at_shutdown;
                    if matches!(reason, CloseReason::ConnectionClosed(_)) {
                        self.others = self.shared.others(&self.socket);
                    }
                    // What a slow consumer did not read is lost already.
                    if reason != CloseReason::SlowConsumer {
                        self.say_goodbye().await;
                    }
                    return close::by_server(&reason);
                }
                Step::Speak => {
                    self.speak();
                }
            }
        }
    }

    async fn step(&mut self, session: &mut Session) -> Step {
        let Self {
            seat,
            outlet,
            speaker,
            pace,
            ..
        } = self;
        let is_blocked = speaker.has_rest();
        let events = poll_fn(|cx| {
            if let Poll::Ready(reason) = session.poll(cx) {
                return Poll::Ready(Step::Close(reason));
            }
            if !is_blocked && matches!(outlet.outbox().poll_readable(cx), Poll::Ready(Ok(()))) {
                return Poll::Ready(Step::Speak);
            }
            if let Poll::Ready(answers) = speaker.poll_answers(cx) {
                return Poll::Ready(Step::Answers(answers));
            }
            seat.poll_turn(cx, session.has_room()).map(Step::Turn)
        });
        tokio::select! {
            biased;
            step = events => step,
            () = tokio::time::sleep_until(pace.next().into()), if is_blocked => Step::Speak,
        }
    }

    fn receive(&self, session: &mut Session, said: Said) {
        let Said { value, ack, size } = said;
        let request = ack
            .and_then(|id| u64::try_from(id).ok())
            .map(RequestId::from);
        if size > self.shared.host.config().max_message_bytes {
            return session.malformed(Malformed::TooLarge, request.as_ref());
        }
        let Ok((event, arguments)) = arguments::of_event(&self.socket, value) else {
            return session.malformed(Malformed::Syntax, request.as_ref());
        };
        if event.as_str() == CANCEL_EVENT {
            if let Some(target) = cancel_target(&arguments.first()) {
                session.cancel(&target);
            }
            return;
        }
        session.receive(Incoming {
            event: event.as_str(),
            arguments,
            request,
            size,
        });
    }

    /// Hands over what the outbox holds, as far and as fast as there is room for it.
    /// Whether all of it is said.
    fn speak(&mut self) -> bool {
        loop {
            let quota = self.pace.quota(Instant::now());
            if quota == 0 {
                return false;
            }
            for _ in 0..quota {
                if !self.speaker.has_rest() && !self.take_batch() {
                    return true;
                }
                match self.speaker.say() {
                    Spoken::Said => self.pace.fitted(Instant::now()),
                    Spoken::Nothing => {}
                    Spoken::Full => {
                        self.pace.refused(Instant::now());
                        return false;
                    }
                    // Its end is on its way here.
                    Spoken::Closed => return true,
                }
            }
        }
    }

    fn take_batch(&mut self) -> bool {
        let Self {
            outlet, speaker, ..
        } = self;
        outlet.outbox().drain(BATCH, |frame| speaker.take(&frame)) > 0
    }

    /// What is queued still leaves, if the client takes it in time.
    async fn say_goodbye(&mut self) {
        let timeout = self.shared.host.config().close_timeout;
        let deadline = Instant::now() + timeout;
        while !self.speak() && Instant::now() < deadline {
            tokio::time::sleep_until(self.pace.next().into()).await;
        }
        if !self.stays_for_the_end {
            // Where it does not fit, it is tried again when the session has ended.
            self.try_disconnect();
        }
    }

    /// Takes the client out of the namespace, if it is still there. The packet that tells
    /// it needs room in socketioxide's queue, so a client that does not read is told when it
    /// reads again, or loses its connection before: socketioxide waits with the end of a
    /// connection until its writer, which such a client holds up, is done.
    async fn leave(&mut self) {
        let mut pause = RETRY;
        while !self.try_disconnect() {
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_RETRY),
                () = Gone(&self.seat), if !self.seat.is_gone() => {}
                // The connection ends with the process.
                () = self.shared.host.shutdown().cancelled() => return,
            }
        }
    }

    /// Whether all that have to be told are told, or gone.
    fn try_disconnect(&mut self) -> bool {
        let told = self.seat.is_gone() || is_told(&Arc::clone(&self.socket).disconnect());
        self.others
            .retain(|other| other.connected() && !is_told(&other.clone().disconnect()));
        told && self.others.is_empty()
    }
}

fn is_told(disconnected: &Result<(), SocketError>) -> bool {
    !matches!(disconnected, Err(SocketError::InternalChannelFull))
}

/// What `on_disconnect` is told when socketioxide ended the client.
fn ended(reason: TheirReason) -> DisconnectReason {
    match reason {
        TheirReason::TransportClose => DisconnectReason::by_client(None, "transport close"),
        TheirReason::ClientNSDisconnect => close::by_client(),
        TheirReason::ServerNSDisconnect => {
            DisconnectReason::by_server(None, "server namespace disconnect")
        }
        TheirReason::ClosingServer => DisconnectReason::by_server(None, "server shutting down"),
        TheirReason::HeartbeatTimeout => DisconnectReason::by_network(None, "ping timeout"),
        TheirReason::PacketParsingError => DisconnectReason::by_network(None, "parse error"),
        TheirReason::TransportError | TheirReason::MultipleHttpPollingError => {
            DisconnectReason::by_network(None, "transport error")
        }
    }
}
