//! The clients that may come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::client::{Away, Former, Lost, Recoverable};
use super::key::RecoveryKey;
use super::log::{Bounds, Log};
use super::offset::{Offset, Offsets};
use super::options::Recovery;
use super::outlet::RecoverableOutlet;
use super::register::{Register, Taken};
use crate::adapter::{Codec, Format, Host};
use crate::close::CloseReason;
use crate::config::Config;
use crate::observe::Stats;
use crate::session::Client;

/// How long a client that comes back may wait for its former session to end: handlers in flight
/// and `on_disconnect` come first.
const PATIENCE: Duration = Duration::from_secs(2);

/// All clients of one adapter that may come back.
pub struct RecoveryStore {
    offsets: Arc<Offsets>,
    pub(super) room: Arc<Room>,
    stats: Arc<Stats>,
    clients: Mutex<Register<Client, Away>>,
    /// Somebody was parked, or ended.
    changed: Notify,
}

/// What a client says that wants to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryRequest {
    /// Who it was.
    pub key: RecoveryKey,
    /// The last event that it got.
    pub offset: Offset,
}

impl RecoveryStore {
    /// The store of an adapter on this port.
    ///
    /// # Errors
    /// A sentence about an option that makes no sense.
    pub fn new(options: Recovery, host: &Host) -> Result<Arc<Self>, String> {
        options.check()?;
        Ok(Self::of(options, host.config(), Arc::clone(host.stats())))
    }

    pub(super) fn of(options: Recovery, config: &Config, stats: Arc<Stats>) -> Arc<Self> {
        // A loss is noticed after one silent heartbeat, and from then on the window runs.
        let age = options.window + config.ping_interval + config.ping_timeout;
        let room = Room {
            bounds: Bounds {
                events: options.events,
                bytes: options.bytes.min(config.outbox_bytes / 2),
                age: u32::try_from(age.as_secs() + 1).unwrap_or(u32::MAX),
            },
            total: options.total_bytes,
            used: AtomicUsize::new(0),
            begin: Instant::now(),
            stats: Arc::clone(&stats),
        };
        Arc::new(Self {
            offsets: Arc::default(),
            room: Arc::new(room),
            stats,
            clients: Mutex::new(Register::new(options.window, options.clients)),
            changed: Notify::new(),
        })
    }

    /// What numbers the events, for the adapter's codec.
    #[must_use]
    pub fn offsets(&self) -> &Arc<Offsets> {
        &self.offsets
    }

    /// Makes a client one that may come back. `None` when the operating system has no random
    /// bytes for its key.
    #[must_use]
    pub fn begin(self: &Arc<Self>, codec: Arc<dyn Codec>) -> Option<Recoverable> {
        let key = RecoveryKey::random()?;
        let start = self.offsets.next();
        let outlet = RecoverableOutlet::new(codec, Arc::clone(&self.room), start);
        Some(Recoverable::new(Arc::clone(self), key, Arc::new(outlet)))
    }

    /// Whether somebody is known by this key, so that the guards can be told that a client wants
    /// to come back.
    #[must_use]
    pub fn knows(&self, key: &RecoveryKey) -> bool {
        self.lock().knows(key)
    }

    /// Takes the former life of a client that comes back, once the guards have let it in. If
    /// its former connection is still there (the client noticed the loss before the server did),
    /// that is ended first; this waits for it, 2 s at most.
    ///
    /// A key opens only the namespace that it belongs to, and only in the format in which events
    /// are kept for it.
    ///
    /// # Errors
    /// [`Lost`] says why the client has to begin anew. Its former life has ended then.
    pub async fn claim(
        self: &Arc<Self>,
        request: RecoveryRequest,
        path: &str,
        format: Format,
    ) -> Result<Former, Lost> {
        let claimed = tokio::time::timeout(PATIENCE, self.taken(request.key)).await;
        let former = match claimed {
            Ok(Some((since, away))) if away.fits(path, format) => {
                if away.can_resume(request.offset) {
                    Ok(Former::new(Arc::clone(self), request, since, away))
                } else {
                    Err(Lost::Gap)
                }
            }
            _ => Err(Lost::Unknown),
        };
        if let Err(lost) = &former {
            self.stats.not_recovered(*lost);
        }
        former
    }

    /// Ends the clients that do not come back in time, until the application shuts down. The
    /// adapter returns it among the tasks of its [`Mount`](crate::adapter::Mount).
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let next = self.sweep(Instant::now());
            let next = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next.into()).await,
                    None => changed.await,
                }
            };
            tokio::select! {
                () = next => {}
                () = shutdown.cancelled() => {
                    let ended = self.lock().clear();
                    self.gone(ended);
                    return;
                }
            }
        }
    }

    /// Waits until the former session has ended; `None` when nobody is known by this key, or the
    /// time is over.
    async fn taken(&self, key: RecoveryKey) -> Option<(Instant, Away)> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let taken = self.lock().take(&key, Instant::now());
            match taken {
                Taken::Away(since, away) => {
                    self.stats.no_longer_away();
                    return Some((since, away));
                }
                Taken::Nobody => return None,
                Taken::Here(client) => client.close(CloseReason::Superseded),
                Taken::Leaving => {}
            }
            changed.await;
        }
    }

    /// A client connected, for the first time or again.
    pub(super) fn here(&self, key: RecoveryKey, client: Client) {
        self.lock().here(key, client);
    }

    /// The connection is gone; `park` or `forget` follows.
    pub(super) fn leaving(&self, key: RecoveryKey) {
        self.lock().leaving(&key);
    }

    /// Keeps what there is of a client that is away since then.
    pub(super) fn park(&self, key: RecoveryKey, away: Away, since: Instant) {
        self.stats.away();
        let evicted = self.lock().park(key, away, since);
        self.gone(evicted);
        self.changed.notify_waiters();
    }

    /// The client will not come back.
    pub(super) fn forget(&self, key: RecoveryKey) {
        let forgotten = self.lock().forget(&key);
        self.gone(forgotten);
        self.changed.notify_waiters();
    }

    /// Ends those whose time is over, and says when to come again.
    fn sweep(&self, now: Instant) -> Option<Instant> {
        let (ended, next) = self.lock().sweep(now);
        self.gone(ended);
        next
    }

    /// Leaving rooms and dropping a client's data may run code of others, so this is never
    /// called under the lock.
    fn gone(&self, ended: impl IntoIterator<Item = Away>) {
        for away in ended {
            drop(away);
            self.stats.no_longer_away();
        }
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    fn lock(&self) -> MutexGuard<'_, Register<Client, Away>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for RecoveryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveryStore")
            .field("away", &self.lock().away())
            .finish_non_exhaustive()
    }
}

/// The bounds of what is kept, which all logs of an adapter share.
pub(super) struct Room {
    bounds: Bounds,
    total: usize,
    used: AtomicUsize,
    begin: Instant,
    stats: Arc<Stats>,
}

impl Room {
    /// Keeps an event in a client's log. When all logs together are too large, this one gives
    /// up what it can.
    pub(super) fn keep(&self, log: &mut Log, offset: Offset, event: Bytes) {
        let before = log.cost();
        let now = u32::try_from(self.begin.elapsed().as_secs()).unwrap_or(u32::MAX);
        log.push(offset, event, now, &self.bounds);
        self.take(log.cost());
        self.give_back(before);
        while self.used.load(Ordering::Relaxed) > self.total {
            let before = log.cost();
            if !log.give_up_oldest() {
                break;
            }
            self.give_back(before - log.cost());
        }
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        self.stats.kept(bytes);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.stats.no_longer_kept(bytes);
    }
}
