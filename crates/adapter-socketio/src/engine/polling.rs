//! HTTP long-polling as a transport: the open GET, the open POST, and the WebSocket
//! that may take over.

use std::future::pending;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use nest_gateway_wire::{Class, Event, Frame, Outbox, Push, WebSocket};
use tokio::sync::{mpsc, oneshot};

use super::close::CloseReason;
use super::connection::Woken;
use super::packet::Packet;
use super::payload;
use super::table::{Answer, Command};
use super::upgrade::{Step, Upgrade};

const CLOSE: &[u8] = b"1";
const NOOP: &[u8] = b"6";

/// What a GET is answered that comes when the session is over and everything is delivered.
/// The noop is what Node's server has in front.
const LATE_CLOSE: &[u8] = b"6\x1e1";

/// How long the POST of a client that closes waits for its last GET. They travel on two
/// connections, so the one that was sent first may arrive second; a GET that is sent when the
/// POST was answered is too late.
const OVERTAKEN: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Polling {
    commands: mpsc::Receiver<Command>,
    /// The GET that waits for messages.
    poll: Option<oneshot::Sender<Answer>>,
    post: Option<Post>,
    probe: Option<(WebSocket, Upgrade)>,
    /// The client closed: it gets no further GET answered.
    closed: bool,
    /// Bytes of one answer; a single larger frame is sent all the same.
    max_body: usize,
}

/// The POST that waits until its packets may come.
#[derive(Debug)]
struct Post {
    ready: oneshot::Sender<()>,
    /// It closes the session, and waits until then for a GET that it has overtaken.
    overtakes_until: Option<Instant>,
}

impl Polling {
    pub(super) fn new(commands: mpsc::Receiver<Command>, max_body: usize) -> Self {
        Self {
            commands,
            poll: None,
            post: None,
            probe: None,
            closed: false,
            max_body,
        }
    }

    /// Waits for a request, for data that the open poll can take, or for the next step of the
    /// second transport. Cancel-safe.
    pub(super) async fn wait(&mut self, outbox: &Outbox) -> Woken {
        let due = self.wake_at(Instant::now());
        let Self {
            commands,
            poll,
            probe,
            ..
        } = self;
        let has_poll = poll.is_some();
        tokio::select! {
            biased;
            // First, so that requests which follow an upgrade find it done.
            event = probe_event(probe) => Woken::Probe(event),
            // Before the end of a poll: a client that closes posts that, and then gives its
            // poll up.
            command = commands.recv() => Woken::Command(command),
            result = outbox.readable(), if has_poll => match result {
                Ok(()) => Woken::PollHasData,
                Err(_) => Woken::Stop(CloseReason::TransportClose),
            },
            () = poll_gone(poll) => Woken::PollGone,
            () = until(due) => Woken::Tick,
        }
    }

    /// When [`Polling::tick`] has to be called.
    fn wake_at(&self, now: Instant) -> Option<Instant> {
        let upgrade = self.probe.as_ref().map(|(_, upgrade)| upgrade.wake_at());
        let post = self.post.as_ref().and_then(|post| post.overtakes_until);
        // A POST whose time is over waits for the packets before it, which no timer speeds up.
        let post = post.filter(|end| now < *end);
        [upgrade, post].into_iter().flatten().min()
    }

    pub(super) fn tick(&mut self, now: Instant) {
        let Some((_, upgrade)) = &mut self.probe else {
            return;
        };
        match upgrade.tick(now) {
            Step::EndPoll => {
                self.answer(Answer::Body(NOOP.to_vec()));
            }
            Step::Abandon => self.abandon(),
            Step::Wait | Step::AnswerProbe | Step::Complete => {}
        }
    }

    /// Keeps a GET open. A second one beside it ends the session: the first is told
    /// that the session is closed, the second that it was wrong.
    pub(super) fn open_poll(&mut self, answer: oneshot::Sender<Answer>) -> Result<(), CloseReason> {
        if self.poll.is_some() {
            // Whether the client still waits for the refusal makes no difference.
            let _ = answer.send(Answer::Refused);
            return Err(CloseReason::TransportError);
        }
        if self.closed {
            // Dropping it says that there is no such session.
            return Ok(());
        }
        self.poll = Some(answer);
        Ok(())
    }

    /// Answers the open poll with what is queued; `false` when the client is gone.
    pub(super) fn answer_poll(&mut self, outbox: &Outbox) -> bool {
        let mut body = Vec::new();
        outbox.drain(self.max_body, |frame| {
            payload::append_frames(&mut body, frame.bytes());
        });
        body.is_empty() || self.answer(Answer::Body(body))
    }

    /// Keeps a POST until the packets of the former one are looked at. There is at most
    /// one: the table refuses another while this one is not answered.
    pub(super) fn hold_post(&mut self, ready: oneshot::Sender<()>, closes: bool, now: Instant) {
        self.post = Some(Post {
            ready,
            overtakes_until: closes.then(|| now + OVERTAKEN),
        });
    }

    /// Lets the POST go on whose packets may come.
    pub(super) fn release_post(&mut self, now: Instant) {
        let polls = self.poll.is_some();
        let may_go = |post: &mut Post| polls || post.overtakes_until.is_none_or(|end| now >= end);
        if let Some(post) = self.post.take_if(may_go) {
            // A client that is gone meanwhile sends no packets.
            let _ = post.ready.send(());
        }
    }

    /// The packets that are on their way while another transport takes over.
    pub(super) fn rest(&mut self) -> Vec<Packet> {
        let mut rest = Vec::new();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Packets(packets) = command {
                rest.extend(packets);
            }
        }
        rest
    }

    /// Takes note that the client closes; it waits for its open poll to end.
    pub(super) fn client_closes(&mut self) {
        self.answer(Answer::Body(NOOP.to_vec()));
        self.closed = true;
    }

    /// Begins an upgrade, unless one is under way.
    pub(super) fn probe(&mut self, socket: WebSocket, timeout: Duration, now: Instant) {
        if self.probe.is_some() {
            discard(socket);
        } else {
            self.probe = Some((socket, Upgrade::new(timeout, now)));
        }
    }

    /// Carries an upgrade on; gives the WebSocket when it takes over.
    pub(super) fn probe_event(&mut self, event: &Event, now: Instant) -> Option<WebSocket> {
        let (socket, upgrade) = self.probe.as_mut()?;
        let step = match event {
            // What is no packet is no step of an upgrade either.
            Event::Text(text) => {
                upgrade.packet(&Packet::from_text(text).unwrap_or(Packet::Noop), now)
            }
            Event::Binary(bytes) => upgrade.packet(&Packet::Binary(bytes.clone()), now),
            Event::Ping(_) | Event::Pong(_) => Step::Wait,
            Event::Closed(_) => Step::Abandon,
        };
        match step {
            Step::AnswerProbe => {
                let pushed = socket.outbox().push(Frame::text(b"3probe"), Class::Normal);
                if pushed != Push::Queued {
                    self.abandon();
                }
                None
            }
            Step::Complete => {
                // A client pauses its polls before it upgrades, so one that is still
                // open was not sent by that client.
                self.answer(Answer::Refused);
                self.probe.take().map(|(socket, _)| socket)
            }
            Step::Abandon => {
                self.abandon();
                None
            }
            Step::Wait | Step::EndPoll => None,
        }
    }

    /// Tells the client the end as far as that needs no wait. An orderly end is told by
    /// [`Polling::deliver`].
    pub(super) fn end(&mut self, outbox: &std::sync::Arc<Outbox>, reason: CloseReason) {
        self.abandon();
        if reason.is_orderly() {
            outbox.close(None);
        } else {
            self.answer(Answer::Body(CLOSE.to_vec()));
        }
    }

    /// Waits until the client has come for everything that is queued, and once more for the
    /// close packet. That has an answer of its own, since the official client forgets what
    /// stands in front of it in the same one.
    pub(super) async fn deliver(mut self, outbox: &Outbox) {
        let mut last = CLOSE;
        loop {
            if outbox.queued_bytes() == 0 && self.answer(Answer::Body(last.to_vec())) {
                return;
            }
            match self.wait(outbox).await {
                Woken::PollHasData => {
                    self.answer_poll(outbox);
                }
                Woken::PollGone => self.poll = None,
                Woken::Command(Some(Command::Poll(answer))) => {
                    last = LATE_CLOSE;
                    if self.open_poll(answer).is_err() {
                        return;
                    }
                }
                Woken::Command(Some(Command::Ready { ready, .. })) => {
                    let _ = ready.send(());
                }
                // It is too late for what the client says now, unless it closes too.
                Woken::Command(Some(Command::Packets(packets))) => {
                    if packets.contains(&Packet::Close) {
                        return self.client_closes();
                    }
                }
                Woken::Command(Some(Command::Probe(socket))) => discard(socket),
                Woken::Command(None) | Woken::Stop(_) => return,
                Woken::Probe(_) | Woken::Tick | Woken::Socket(_) => {}
            }
        }
    }

    /// Answers the open poll; `false` when there is none, or nobody waits any more.
    fn answer(&mut self, answer: Answer) -> bool {
        self.poll
            .take()
            .is_some_and(|poll| poll.send(answer).is_ok())
    }

    fn abandon(&mut self) {
        if let Some((socket, _)) = self.probe.take() {
            discard(socket);
        }
    }
}

/// Closes a WebSocket and leaves the rest of the closing handshake to it.
pub(super) fn discard(mut socket: WebSocket) {
    socket.outbox().close(Some(Frame::close(1000, "")));
    // The socket notices that it is closed and ends in order, by itself.
    let ended = socket.next().now_or_never();
    debug_assert!(matches!(ended, Some(Event::Closed(_))));
}

async fn probe_event(probe: &mut Option<(WebSocket, Upgrade)>) -> Event {
    match probe {
        Some((socket, _)) => socket.next().await,
        None => pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => pending().await,
    }
}

async fn poll_gone(poll: &mut Option<oneshot::Sender<Answer>>) {
    match poll {
        Some(poll) => poll.closed().await,
        None => pending().await,
    }
}
