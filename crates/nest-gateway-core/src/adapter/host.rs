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
use crate::handshake::{Handshake, host_of};
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

    /// A part of a connection's life that runs in a task of somebody else, and
    /// which a shutdown waits for as for those of [`Host::spawn`].
    pub fn track<F: Future>(&self, part: F) -> impl Future<Output = F::Output> + use<F> {
        self.tasks.track_future(part)
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

    /// The checks that cost nothing: shutdown, host, origin, the number of
    /// clients. Adapters may call it before [`Host::admit`] to refuse a connection
    /// before they know the namespace. A refusal is counted.
    ///
    /// # Errors
    /// Why the client may not connect.
    pub fn precheck(&self, handshake: &Handshake) -> Result<(), Refusal> {
        self.counted(self.check(handshake))
    }

    /// The check of a request that belongs to a client who is in: whether it was
    /// sent to a host that is allowed. A refusal is counted.
    ///
    /// # Errors
    /// [`Refusal::Host`].
    pub fn check_host(&self, head: &http::request::Parts) -> Result<(), Refusal> {
        self.counted(self.permit_host(host_of(head)))
    }

    /// Counts and logs a refusal. [`Host::precheck`] and [`Host::admit`] do so
    /// themselves; adapters call it for checks of their own.
    pub fn counted<T>(&self, checked: Result<T, Refusal>) -> Result<T, Refusal> {
        checked.inspect_err(|refusal| self.stats.refused(refusal))
    }

    fn check(&self, handshake: &Handshake) -> Result<(), Refusal> {
        if self.shutdown.is_cancelled() {
            return Err(Refusal::ShuttingDown);
        }
        let (origin, host) = (handshake.header("origin"), handshake.host());
        // What did not come by HTTP did not come from a browser either.
        if handshake.is_http() {
            self.permit_host(host)?;
        }
        if !self.config.origins.permits(origin, host) {
            return Err(Refusal::Origin);
        }
        self.places.check(handshake, &self.config)
    }

    fn permit_host(&self, host: Option<&str>) -> Result<(), Refusal> {
        let permitted = self.config.allowed_hosts.permits(host);
        permitted.then_some(()).ok_or(Refusal::Host)
    }

    /// Asks whether the client may come in: shutdown, host, origin, limits, then
    /// the connection guards, which may take their time. A refusal is counted.
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
            .check(handshake)
            .and_then(|()| self.places.take(handshake, &self.config));
        self.counted(checked)
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
        self.counted(answer.map_err(|exception| {
            exception.log("connect");
            Refusal::Guard(exception)
        }))
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

/// One client's place; dropping it gives it back. Where places are unlimited
/// nobody counts them.
#[derive(Debug)]
pub(crate) struct Place {
    _counted: Option<Box<Counted>>,
}

#[derive(Debug)]
struct Counted {
    places: Arc<Places>,
    /// Where addresses are counted.
    address: Option<IpAddr>,
}

impl Places {
    fn check(&self, handshake: &Handshake, config: &Config) -> Result<(), Refusal> {
        if !is_limited(config) {
            return Ok(());
        }
        self.lock().check(address(handshake), config)
    }

    fn take(self: &Arc<Self>, handshake: &Handshake, config: &Config) -> Result<Place, Refusal> {
        if !is_limited(config) {
            return Ok(Place { _counted: None });
        }
        let counted = config.max_clients_per_address.is_some();
        let address = address(handshake).filter(|_| counted);
        let mut taken = self.lock();
        taken.check(address, config)?;
        taken.all += 1;
        if let Some(address) = address {
            *taken.by_address.entry(address).or_default() += 1;
        }
        let counted = Counted {
            places: Arc::clone(self),
            address,
        };
        Ok(Place {
            _counted: Some(Box::new(counted)),
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

impl Drop for Counted {
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

fn is_limited(config: &Config) -> bool {
    config.max_clients.is_some() || config.max_clients_per_address.is_some()
}

fn address(handshake: &Handshake) -> Option<IpAddr> {
    handshake.peer().map(|peer| peer.ip())
}
