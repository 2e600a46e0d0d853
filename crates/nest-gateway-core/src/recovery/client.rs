//! One client that may come back: its present life, and its former one.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::key::RecoveryKey;
use super::offset::Offset;
use super::outlet::{RecoverableOutlet, Resumed};
use super::store::{RecoveryRequest, RecoveryStore};
use crate::adapter::{Admission, Format, Outlet};
use crate::close::{CloseReason, DisconnectReason};
use crate::id::ClientId;
use crate::message::Delivery;
use crate::session::{Client, Parked, Session};

/// Why a client that wants to come back has to begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// Nobody is known by its key in this namespace, or its time was over.
    Unknown,
    /// Not everything is kept that it missed.
    Gap,
}

impl Lost {
    /// The name on the wire and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Gap => "gap",
        }
    }
}

/// A connected client that may come back. Dropped, it will not.
#[derive(Debug)]
pub struct Recoverable {
    store: Arc<RecoveryStore>,
    key: RecoveryKey,
    outlet: Arc<RecoverableOutlet>,
    parked: bool,
}

impl Recoverable {
    pub(super) fn new(
        store: Arc<RecoveryStore>,
        key: RecoveryKey,
        outlet: Arc<RecoverableOutlet>,
    ) -> Self {
        Self {
            store,
            key,
            outlet,
            parked: false,
        }
    }

    /// What the client has to say to come back.
    #[must_use]
    pub fn key(&self) -> &RecoveryKey {
        &self.key
    }

    /// Gives it the way out to its connection.
    pub fn attach(&self, link: Arc<dyn Outlet>) {
        self.outlet.attach(link);
    }

    /// Sends it an encoded message before anything else, outside of its session. An event
    /// counts as one that it got.
    pub fn greet(&self, message: Bytes) {
        // One that has gone already is noticed by its task.
        let _ = self.outlet.send(message, Delivery::RELIABLE);
    }

    /// Opens its session, as [`Session::open_as`].
    #[must_use]
    pub fn open(&self, id: ClientId, adapter: &'static str, admission: Admission) -> Session {
        let outlet = Arc::clone(&self.outlet) as Arc<dyn Outlet>;
        let session = Session::open_as(id, adapter, admission, outlet, Vec::new());
        self.store.here(self.key, session.client().clone());
        session
    }

    /// Its connection is lost: the session ends as by [`Session::park`], and the client may come
    /// back from then on. What is sent to it is kept from this call on, polled or not.
    pub fn lose(
        mut self,
        session: Session,
        reason: DisconnectReason,
    ) -> impl Future<Output = ()> + Send + 'static {
        self.outlet.detach();
        self.store.leaving(self.key);
        async move {
            if let Ok(parked) = session.park(reason).await {
                self.parked = true;
                let away = Away {
                    parked,
                    outlet: Arc::clone(&self.outlet),
                };
                self.store.park(self.key, away, Instant::now());
            }
        }
    }

    /// The client has left for good: the session ends as by [`Session::finish`].
    pub async fn end(self, session: Session, reason: DisconnectReason) {
        // From now on its key opens nothing.
        drop(self);
        session.finish(reason).await;
    }
}

impl Drop for Recoverable {
    fn drop(&mut self) {
        if !self.parked {
            self.store.forget(self.key);
        }
    }
}

/// What is kept of a client that is away.
pub(super) struct Away {
    parked: Parked,
    outlet: Arc<RecoverableOutlet>,
}

impl Away {
    pub(super) fn fits(&self, path: &str, format: Format) -> bool {
        let client = self.parked.client();
        client.is_some_and(|client| client.path() == path) && self.outlet.codec().format() == format
    }

    pub(super) fn can_resume(&self, offset: Offset) -> bool {
        self.outlet.can_resume(offset)
    }
}

/// The former life of a client that has come back, whole up to the last event that it got.
/// Dropped before it goes on, it is put back, so that the client can try again.
#[must_use = "resume it"]
pub struct Former {
    store: Arc<RecoveryStore>,
    request: RecoveryRequest,
    since: Instant,
    /// `None` once it went on.
    away: Option<Away>,
}

impl Former {
    pub(super) fn new(
        store: Arc<RecoveryStore>,
        request: RecoveryRequest,
        since: Instant,
        away: Away,
    ) -> Self {
        Self {
            store,
            request,
            since,
            away: Some(away),
        }
    }

    /// The client's id, which it keeps.
    #[must_use]
    pub fn id(&self) -> Option<ClientId> {
        let away = self.away.as_ref()?;
        away.parked.client().map(Client::id)
    }

    /// Its key, which it keeps.
    #[must_use]
    pub fn key(&self) -> &RecoveryKey {
        &self.request.key
    }

    /// Goes on with the former life over a new connection: `greeting` first, an encoded message,
    /// then what the client missed, then what is sent from now on; `on_connection` runs at the
    /// session's first poll.
    ///
    /// # Errors
    /// The admission is given back when what was kept has grown beyond its bounds meanwhile:
    /// the client has to begin anew.
    pub fn resume(
        mut self,
        link: Arc<dyn Outlet>,
        greeting: Bytes,
        adapter: &'static str,
        admission: Admission,
    ) -> Result<(Session, Recoverable), Box<Admission>> {
        let Some(Away { parked, outlet }) = self.away.take() else {
            return Err(Box::new(admission));
        };
        let resumed = outlet.resume(link, self.request.offset, greeting);
        if matches!(resumed, Resumed::Lost) {
            self.store.stats().not_recovered(Lost::Gap);
            return Err(Box::new(admission));
        }
        let session = Session::recover(parked, adapter, admission, Arc::clone(&outlet) as _);
        let key = self.request.key;
        let recoverable = Recoverable::new(Arc::clone(&self.store), key, outlet);
        self.store.here(key, session.client().clone());
        self.store.stats().recovered(session.client().id());
        if matches!(resumed, Resumed::Overflow) {
            session.client().close(CloseReason::SlowConsumer);
        }
        Ok((session, recoverable))
    }
}

impl Drop for Former {
    fn drop(&mut self) {
        if let Some(away) = self.away.take() {
            self.store.park(self.request.key, away, self.since);
        }
    }
}

impl std::fmt::Debug for Former {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Former")
            .field("key", &self.request.key)
            .finish_non_exhaustive()
    }
}
