//! The clients and rooms of one namespace.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::observer::{EmitContext, Observer};
use super::room::Room;
use super::rooms::Rooms;
use crate::config::Config;
use crate::id::ClientId;
use crate::message::Outgoing;
use crate::observe::Stats;
use crate::session::Client;

/// The clients and rooms of one namespace, of all adapters together.
///
/// It exists before the gateways do, so that their providers can hold a
/// [`WebSocketServer`](super::WebSocketServer).
pub struct Hub {
    pub(crate) pattern: Arc<str>,
    pub(crate) config: Arc<Config>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) clients: Room,
    pub(crate) rooms: Rooms,
    /// Fires towards the end of a shutdown's drain time: handlers that still run
    /// are cancelled.
    pub(crate) overdue: CancellationToken,
    observers: OnceLock<Box<[Observer]>>,
}

/// What a hub is made of.
pub(crate) struct HubOptions {
    pub(crate) pattern: Arc<str>,
    pub(crate) config: Arc<Config>,
    pub(crate) stats: Arc<Stats>,
}

impl Hub {
    pub(crate) fn new(options: HubOptions) -> Arc<Self> {
        Arc::new(Self {
            pattern: options.pattern,
            config: options.config,
            stats: options.stats,
            clients: Room::default(),
            rooms: Rooms::default(),
            overdue: CancellationToken::new(),
            observers: OnceLock::new(),
        })
    }

    /// Who hears of what is sent, from now on. Called once, when the gateways exist.
    pub(crate) fn observe_with(&self, observers: Vec<Observer>) {
        if !observers.is_empty() && self.observers.set(observers.into()).is_err() {
            debug_assert!(false, "a namespace is built once");
        }
    }

    /// Tells the observers, if there are any, of a message that was queued; `client` is set for
    /// one to a single client.
    pub(crate) fn sent(&self, message: Outgoing<'_>, client: Option<&Client>, receivers: usize) {
        if let Some(observers) = self.observers.get()
            && receivers > 0
        {
            EmitContext::new(message, client, receivers).tell(observers);
        }
    }

    /// The namespace's path or pattern, such as `/chat` or `/room/{id}`.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// One client.
    #[must_use]
    pub fn client(&self, id: ClientId) -> Option<Client> {
        self.clients.get(id)
    }

    /// All clients at this moment.
    #[must_use]
    pub fn clients(&self) -> Vec<Client> {
        self.clients.members()
    }

    /// How many clients are connected.
    #[must_use]
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// How many rooms have members; the room that each client has of its own is
    /// not counted.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// The names of all rooms that have members.
    #[must_use]
    pub fn room_names(&self) -> Vec<Arc<str>> {
        self.rooms.names()
    }

    /// Bytes queued towards all clients.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        let mut sum = 0;
        self.clients.for_each(|client| sum += client.queued_bytes());
        sum
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("pattern", &self.pattern)
            .field("clients", &self.clients.len())
            .finish_non_exhaustive()
    }
}
