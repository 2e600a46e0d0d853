//! The clients and rooms of one namespace.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::observer::{EmitContext, Observer};
use super::paths::{PathKey, Paths};
use super::pattern::{Pattern, trim_slash};
use super::room::Room;
use super::rooms::{Indexes, Rooms};
use super::rounds::Rounds;
use crate::adapter::PathParams;
use crate::config::Config;
use crate::id::ClientId;
use crate::message::Outgoing;
use crate::observe::Stats;
use crate::session::Client;

/// The clients and rooms of one namespace, of all adapters together.
///
/// It exists before the gateways do, so that their providers can hold a
/// [`WebSocketServer`](super::WebSocketServer).
///
/// Each path of a pattern (`/room/{id}`) is a namespace with a hub of its own,
/// which its clients hold. The hub of the pattern itself lists the clients and
/// rooms of all of them once more, so that an emit to all paths, or to one
/// client wherever it is, costs what it costs anywhere else.
pub struct Hub {
    pub(crate) namespace: Arc<str>,
    pub(crate) config: Arc<Config>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) clients: Room,
    rooms: Rooms,
    /// Shared by all namespaces of the application.
    pub(crate) rounds: Arc<Rounds>,
    /// Fires towards the end of a shutdown's drain time: handlers that still run
    /// are cancelled.
    pub(crate) overdue: CancellationToken,
    observers: Arc<OnceLock<Box<[Observer]>>>,
    kind: Kind,
}

/// What a hub is the hub of.
enum Kind {
    /// A namespace with one path.
    Plain,
    /// All paths of a pattern together.
    Pattern { pattern: Box<Pattern>, paths: Paths },
    /// One path of a pattern.
    Path { all: Arc<Hub>, key: PathKey },
}

/// What a hub is made of.
pub(crate) struct HubOptions {
    pub(crate) namespace: Arc<str>,
    pub(crate) config: Arc<Config>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) rounds: Arc<Rounds>,
}

impl Hub {
    pub(crate) fn new(options: HubOptions) -> Arc<Self> {
        let kind = match Pattern::new(&options.namespace) {
            Some(pattern) => Kind::Pattern {
                pattern: Box::new(pattern),
                paths: Paths::default(),
            },
            None => Kind::Plain,
        };
        Arc::new(Self {
            namespace: options.namespace,
            config: options.config,
            stats: options.stats,
            clients: Room::default(),
            rooms: Rooms::default(),
            rounds: options.rounds,
            overdue: CancellationToken::new(),
            observers: Arc::default(),
            kind,
        })
    }

    /// The hub of another path, with what all paths of a pattern share.
    fn related(&self, namespace: Arc<str>, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            namespace,
            config: Arc::clone(&self.config),
            stats: Arc::clone(&self.stats),
            clients: Room::default(),
            rooms: Rooms::default(),
            rounds: Arc::clone(&self.rounds),
            overdue: self.overdue.clone(),
            observers: Arc::clone(&self.observers),
            kind,
        })
    }

    /// The hub that a client belongs to which asked for this path, with these
    /// parameters in it: this one, unless it is that of a pattern.
    pub(crate) fn of_path(self: &Arc<Self>, path: &Arc<str>, params: &PathParams) -> Arc<Self> {
        let Kind::Pattern { pattern, paths } = &self.kind else {
            return Arc::clone(self);
        };
        paths.open(params, |key| {
            let name = pattern.path(params);
            let name = if name == **path {
                Arc::clone(path)
            } else {
                name.into()
            };
            let all = Arc::clone(self);
            self.related(name, Kind::Path { all, key })
        })
    }

    /// The parameters of the path, if it is one of a pattern.
    pub(crate) fn params(&self) -> &[(Box<str>, Box<str>)] {
        match &self.kind {
            Kind::Path { key, .. } => key,
            Kind::Plain | Kind::Pattern { .. } => &[],
        }
    }

    /// The hub of one path of the namespace, whether or not somebody is there.
    pub(crate) fn at(self: &Arc<Self>, path: &str) -> Arc<Self> {
        let path = trim_slash(path);
        match &self.kind {
            Kind::Path { all, .. } => return all.at(path),
            Kind::Plain if path == &*self.namespace => return Arc::clone(self),
            Kind::Plain => {}
            Kind::Pattern { pattern, .. } => {
                if let Some(params) = pattern.params(path) {
                    return self.of_path(&path.into(), &params);
                }
            }
        }
        tracing::debug!(
            namespace = &*self.namespace,
            path,
            "no path of the namespace"
        );
        // Nobody can come to this one.
        self.related(path.into(), Kind::Plain)
    }

    /// Who hears of what is sent, from now on. Called once, when the gateways exist.
    pub(crate) fn observe_with(&self, observers: Vec<Observer>) {
        if !observers.is_empty() && self.observers.set(observers.into()).is_err() {
            debug_assert!(false, "a namespace is built once");
        }
    }

    /// Whether somebody hears of every message that was queued.
    pub(crate) fn is_observed(&self) -> bool {
        self.observers.get().is_some()
    }

    /// Tells the observers, if there are any, of a message that was queued; `client` is set for
    /// one to a single client.
    pub(crate) fn sent(&self, message: Outgoing<'_>, client: Option<&Client>, receivers: usize) {
        if let Some(observers) = self.observers.get()
            && receivers > 0
        {
            EmitContext::new(&self.namespace, message, client, receivers).tell(observers);
        }
    }

    /// Lists the client, in place of one with the same id.
    pub(crate) fn enter(&self, client: &Client) {
        self.clients.insert(client.clone());
        if let Kind::Path { all, .. } = &self.kind {
            all.clients.insert(client.clone());
        }
    }

    /// Takes the client, which has left its rooms, off the list.
    pub(crate) fn leave(&self, client: ClientId) {
        if let Kind::Path { all, .. } = &self.kind {
            all.clients.remove(client);
        }
        self.clients.remove(client);
    }

    /// Where joins and leaves of the clients are written down.
    pub(crate) fn rooms(&self) -> Indexes<'_> {
        let all = match &self.kind {
            Kind::Path { all, .. } => Some(&all.rooms),
            Kind::Plain | Kind::Pattern { .. } => None,
        };
        Indexes::new(&self.rooms, all)
    }

    /// The room of this name, if it has members.
    pub(super) fn room(&self, name: &str) -> Option<Arc<Room>> {
        self.rooms.get(name)
    }

    /// The namespace's path or pattern, such as `/chat` or `/room/{id}`; of one
    /// path of a pattern that path: `/room/7`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The paths at which there are clients: of a pattern each that somebody
    /// is at, in no order, else its own or none.
    #[must_use]
    pub fn paths(&self) -> Vec<Arc<str>> {
        let mut paths = Vec::new();
        self.for_each_path(|hub| {
            if hub.client_count() > 0 {
                paths.push(Arc::clone(&hub.namespace));
            }
        });
        paths
    }

    fn for_each_path(&self, mut visit: impl FnMut(&Self)) {
        match &self.kind {
            Kind::Pattern { paths, .. } => paths.hubs().iter().for_each(|hub| visit(hub)),
            Kind::Plain | Kind::Path { .. } => visit(self),
        }
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
    /// not counted. Rooms of the same name at several paths of a pattern are
    /// several rooms.
    #[must_use]
    pub fn room_count(&self) -> usize {
        let mut count = 0;
        self.for_each_path(|hub| count += hub.rooms.len());
        count
    }

    /// The names of all rooms that have members, each once.
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
            .field("namespace", &self.namespace)
            .field("clients", &self.clients.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Kind::Path { all, key } = &self.kind
            && let Kind::Pattern { paths, .. } = &all.kind
        {
            paths.forget(key);
        }
    }
}
