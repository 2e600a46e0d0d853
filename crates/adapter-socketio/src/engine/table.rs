//! The sessions of one server, by their secret names.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nest_gateway_wire::WebSocket;
use tokio::sync::{Notify, mpsc, oneshot};

use super::close::CloseReason;
use super::packet::Packet;
use super::sender::Sender;
use super::service::Core;
use super::sid::Sid;

/// What an HTTP request asks of the task that owns the session.
#[derive(Debug)]
pub(super) enum Command {
    /// A GET that waits for messages.
    Poll(oneshot::Sender<Answer>),
    /// A POST that waits until its packets may come.
    Ready {
        ready: oneshot::Sender<()>,
        /// Whether a close packet is among them.
        closes: bool,
    },
    /// The packets of a POST.
    Packets(Vec<Packet>),
    /// A WebSocket that wants to take over.
    Probe(WebSocket),
}

/// What a GET is answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// 200 with the body of a poll.
    Body(Vec<u8>),
    /// 400: the poll did not fit; the session ended.
    Refused,
}

/// How a session can be reached.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// It polls; requests go through this bounded channel.
    Polling(mpsc::Sender<Command>),
    /// It has a WebSocket, and nothing but the socket is heard.
    WebSocket,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<Sid, Entry>,
    /// Sessions that the server ended just now, the oldest first.
    ended: VecDeque<(Instant, Sid)>,
    closing: bool,
}

/// How long a POST that its client sent before it heard of the end is answered as if there were
/// none: about as long as the answer to the last GET may be on its way.
const JUST_ENDED: Duration = Duration::from_secs(1);

/// Ended sessions that are remembered; with more of them the oldest are forgotten.
const MAX_ENDED: usize = 256;

#[derive(Debug)]
struct Entry {
    route: Route,
    sender: Sender,
    posting: bool,
}

/// An open POST. Dropped before it is done (the client went away in the middle of the
/// body, or sent nonsense), it ends the session, since the order of messages is lost.
#[derive(Debug)]
pub(super) struct Posting {
    core: Arc<Core>,
    sid: Sid,
    sender: Sender,
    failure: Option<CloseReason>,
}

impl Posting {
    /// The POST was answered, and the session goes on.
    pub(super) fn done(&mut self) {
        self.failure = None;
    }

    /// What was posted is not a body of packets.
    pub(super) fn broken(&mut self) {
        self.failure = Some(CloseReason::ParseError);
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        if let Some(reason) = self.failure {
            self.sender.close(reason);
        }
        if let Some(entry) = self.core.table.lock().sessions.get_mut(&self.sid) {
            entry.posting = false;
        }
    }
}

/// Why a session cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// There are as many sessions as allowed.
    Full,
    /// The server ends.
    Closing,
}

impl Table {
    /// Adds a session unless there are `max` of them already.
    pub(super) fn insert(
        &self,
        sid: Sid,
        route: Route,
        sender: Sender,
        max: Option<usize>,
    ) -> Result<(), NoRoom> {
        let mut state = self.lock();
        if state.closing {
            return Err(NoRoom::Closing);
        }
        if max.is_some_and(|max| state.sessions.len() >= max) {
            return Err(NoRoom::Full);
        }
        state.sessions.insert(
            sid,
            Entry {
                route,
                sender,
                posting: false,
            },
        );
        Ok(())
    }

    pub(super) fn route(&self, sid: &Sid) -> Option<(Route, Sender)> {
        let state = self.lock();
        let entry = state.sessions.get(sid)?;
        Some((entry.route.clone(), entry.sender.clone()))
    }

    /// Marks the one POST that a session may have open; `None` while another one is, or
    /// when the session is gone.
    pub(super) fn begin_post(core: &Arc<Core>, sid: &Sid) -> Option<Posting> {
        let mut state = core.table.lock();
        let entry = state.sessions.get_mut(sid)?;
        if std::mem::replace(&mut entry.posting, true) {
            return None;
        }
        let sender = entry.sender.clone();
        let failure = Some(CloseReason::TransportError);
        Some(Posting {
            core: Arc::clone(core),
            sid: *sid,
            sender,
            failure,
        })
    }

    pub(super) fn set_upgraded(&self, sid: &Sid) {
        if let Some(entry) = self.lock().sessions.get_mut(sid) {
            entry.route = Route::WebSocket;
        }
    }

    pub(super) fn remove(&self, sid: &Sid) {
        let removed = self.lock().sessions.remove(sid);
        drop(removed);
        self.changed.notify_waiters();
    }

    /// Takes note that the server has ended a session in order, and that the client may not have
    /// heard of it yet.
    pub(super) fn note_end(&self, sid: Sid, now: Instant) {
        let mut state = self.lock();
        if state.ended.len() >= MAX_ENDED {
            state.ended.pop_front();
        }
        state.ended.push_back((now, sid));
    }

    /// Whether the server has ended this session just now.
    pub(super) fn has_just_ended(&self, sid: &Sid, now: Instant) -> bool {
        let mut state = self.lock();
        while let Some((ended, _)) = state.ended.front()
            && now.duration_since(*ended) > JUST_ENDED
        {
            state.ended.pop_front();
        }
        state.ended.iter().any(|(_, ended)| ended == sid)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Takes no more sessions and asks the present ones to close.
    pub(super) fn close_all(&self, reason: CloseReason) {
        let senders: Vec<Sender> = {
            let mut state = self.lock();
            state.closing = true;
            state
                .sessions
                .values()
                .map(|entry| entry.sender.clone())
                .collect()
        };
        for sender in senders {
            sender.close(reason);
        }
    }

    /// Waits until the last session is gone.
    pub(super) async fn emptied(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.lock().sessions.is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, so the table is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_sessions_are_remembered_for_a_moment_and_within_bounds() {
        let (table, now) = (Table::default(), Instant::now());
        let sids: Vec<_> = (0..=MAX_ENDED).map(|_| Sid::random().unwrap()).collect();
        for sid in &sids {
            table.note_end(*sid, now);
        }
        assert!(!table.has_just_ended(&sids[0], now), "too many of them");
        assert!(table.has_just_ended(&sids[1], now + JUST_ENDED));
        let late = now + JUST_ENDED + Duration::from_millis(1);
        assert!(!table.has_just_ended(&sids[1], late));
        assert!(table.lock().ended.is_empty());
    }
}
