//! What an adapter is given to serve: the namespaces of one port.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::percent_decode_str;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::{Admission, PathParams, Refusal};
use crate::broadcast::{to_params, trim_slash};
use crate::config::Config;
use crate::dispatch::HandshakeContext;
use crate::gateway::Namespace;
use crate::handshake::Handshake;
use crate::observe::Stats;
use crate::session::ClientData;

/// The namespaces of one port, and the checks in front of them.
pub struct Host {
    namespaces: matchit::Router<Arc<Namespace>>,
    all: Vec<Arc<Namespace>>,
    config: Arc<Config>,
    stats: Arc<Stats>,
    places: Arc<Places>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

/// A namespace that a path names.
#[derive(Clone, Debug)]
pub struct Found {
    pub(crate) namespace: Arc<Namespace>,
    path: Arc<str>,
    params: PathParams,
}

impl Found {
    /// The namespace's path or pattern.
    #[must_use]
    pub fn pattern(&self) -> &str {
        self.namespace.pattern()
    }

    /// For adapters whose paths are those of URLs: takes the percent-encoding
    /// (RFC 3986, section 2.1) out of the parameters, after the path was cut
    /// into segments, so that an encoded slash stays within its parameter.
    /// `None` when a parameter is not UTF-8.
    #[must_use]
    pub fn percent_decoded(mut self) -> Option<Self> {
        for (_, value) in self.params.iter_mut().filter(|(_, v)| v.contains('%')) {
            let decoded = percent_decode_str(value).decode_utf8().ok()?;
            *value = Box::from(decoded.as_ref());
        }
        Some(self)
    }
}

impl Host {
    /// A host of these namespaces. Their patterns were checked before.
    pub(crate) fn new(
        namespaces: Vec<Arc<Namespace>>,
        config: Arc<Config>,
        stats: Arc<Stats>,
        places: Arc<Places>,
        shutdown: CancellationToken,
        tasks: TaskTracker,
    ) -> Result<Self, String> {
        let mut router = matchit::Router::new();
        for namespace in &namespaces {
            let pattern = namespace.pattern().to_owned();
            router
                .insert(pattern.clone(), Arc::clone(namespace))
                .map_err(|error| format!("namespace {pattern}: {error}"))?;
        }
        Ok(Self {
            namespaces: router,
            all: namespaces,
            config,
            stats,
            places,
            shutdown,
            tasks,
        })
    }

    /// The limits, times and policies that the adapter obeys.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Counters of the application.
    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Fires when the application shuts down. Sessions notice by themselves;
    /// accept loops and tasks without a session use this.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Spawns the task of a connection. A shutdown waits for it, within the
    /// drain time.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The paths and patterns of the namespaces that the adapter may serve, for
    /// transports that have to be told beforehand.
    pub fn patterns<'a>(&'a self, adapter: &'a str) -> impl Iterator<Item = &'a str> {
        let served = self.all.iter().filter(move |n| n.is_served_by(adapter));
        served.map(|namespace| namespace.pattern())
    }

    /// The namespace at this path, if the adapter may serve it. A trailing
    /// slash does not matter.
    #[must_use]
    pub fn find(&self, path: &str, adapter: &str) -> Option<Found> {
        let path = trim_slash(path);
        let found = self.namespaces.at(path).ok()?;
        if !found.value.is_served_by(adapter) {
            return None;
        }
        Some(Found {
            params: to_params(&found.params),
            namespace: Arc::clone(found.value),
            // Clients of a plain namespace share its name.
            path: if found.params.is_empty() {
                Arc::clone(&found.value.hub().namespace)
            } else {
                path.into()
            },
        })
    }

    /// The checks that cost nothing: shutdown, origin, the number of clients.
    /// Adapters may call it before [`Host::admit`] to refuse a connection before
    /// they know the namespace.
    ///
    /// # Errors
    /// Why the client may not connect.
    pub fn precheck(&self, handshake: &Handshake) -> Result<(), Refusal> {
        if self.shutdown.is_cancelled() {
            return Err(Refusal::ShuttingDown);
        }
        let (origin, host) = (handshake.header("origin"), handshake.header("host"));
        if !self.config.origins.permits(origin, host) {
            return Err(Refusal::Origin);
        }
        self.places.check(handshake, &self.config)
    }

    /// Asks whether the client may come in: shutdown, origin, limits, then the
    /// connection guards, which may take their time.
    ///
    /// `recovering` says that the client wants to continue a session that it
    /// lost; the guards run all the same.
    ///
    /// # Errors
    /// Why the client may not connect.
    pub async fn admit(
        &self,
        found: Found,
        handshake: Handshake,
        adapter: &'static str,
        recovering: bool,
    ) -> Result<Admission, Refusal> {
        let place = self.take_place(&handshake)?;
        let context = HandshakeContext {
            handshake,
            path: found.path,
            params: found.params,
            namespace: Arc::clone(&found.namespace.hub().namespace),
            adapter,
            recovering,
            data: ClientData::default(),
        };
        self.ask_guards(&found.namespace, &context).await?;
        Ok(Admission {
            namespace: found.namespace,
            path: context.path,
            params: context.params,
            handshake: context.handshake,
            data: context.data,
            place,
        })
    }

    fn take_place(&self, handshake: &Handshake) -> Result<Place, Refusal> {
        let checked = self
            .precheck(handshake)
            .and_then(|()| self.places.take(handshake, &self.config));
        if let Err(refusal) = &checked {
            self.stats.refused(refusal);
        }
        checked
    }

    async fn ask_guards(
        &self,
        namespace: &Namespace,
        context: &HandshakeContext,
    ) -> Result<(), Refusal> {
        use futures_util::FutureExt as _;
        let asked = std::panic::AssertUnwindSafe(namespace.can_connect(context));
        let answer = asked.catch_unwind().await.unwrap_or_else(|panic| {
            let text = crate::observe::panic_text(&*panic);
            Err(crate::error::WsException::internal(format!(
                "connection guard panicked: {text}"
            )))
        });
        answer.map_err(|exception| {
            exception.log("connect");
            let refusal = Refusal::Guard(exception);
            self.stats.refused(&refusal);
            refusal
        })
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// The counted places for clients, of an application or of one port.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One client's place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
}

impl Places {
    fn check(&self, handshake: &Handshake, config: &Config) -> Result<(), Refusal> {
        if config.max_clients.is_none() && config.max_clients_per_address.is_none() {
            return Ok(());
        }
        self.lock().check(address(handshake), config)
    }

    fn take(self: &Arc<Self>, handshake: &Handshake, config: &Config) -> Result<Place, Refusal> {
        let counted = config.max_clients_per_address.is_some();
        let address = address(handshake).filter(|_| counted);
        let mut taken = self.lock();
        taken.check(address, config)?;
        taken.all += 1;
        if let Some(address) = address {
            *taken.by_address.entry(address).or_default() += 1;
        }
        Ok(Place {
            places: Arc::clone(self),
            address,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn check(&self, address: Option<IpAddr>, config: &Config) -> Result<(), Refusal> {
        if config.max_clients.is_some_and(|max| self.all >= max) {
            return Err(Refusal::Full);
        }
        let of_address = address.and_then(|address| self.by_address.get(&address));
        if let (Some(max), Some(count)) = (config.max_clients_per_address, of_address)
            && *count >= max
        {
            return Err(Refusal::AddressFull);
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(address) = self.address
            && let Some(count) = taken.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

fn address(handshake: &Handshake) -> Option<IpAddr> {
    handshake.peer().map(|peer| peer.ip())
}
