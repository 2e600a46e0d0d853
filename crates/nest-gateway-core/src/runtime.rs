//! An application without a transport: everything from modules to mounted
//! adapters.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapter::{Adapter, Host, Mount, Places};
use crate::broadcast::{Hub, HubOptions, Rounds, Servers, WebSocketServer};
use crate::config::Config;
use crate::describe::Description;
use crate::dispatch::{BoundEnhancers, Enhancers};
use crate::error::BoxError;
use crate::gateway::{
    Ambient, Attachment, Container, ContainerError, GatewayDescriptor, GatewayProblem, Key, Module,
    ModuleDescriptor, ModuleSource, Namespace, NamespaceBuilder, Provider, ResolveError,
    check_gateways,
};
use crate::observe::Stats;

/// What an application is made of, before it is started.
#[must_use = "call `start`"]
pub struct RuntimeBuilder {
    modules: Vec<ModuleSource>,
    provided: Vec<Provider>,
    overrides: Vec<Provider>,
    adapters: Vec<Arc<dyn Adapter>>,
    enhancers: Enhancers,
    config: Config,
}

impl RuntimeBuilder {
    /// An application of this root module.
    pub fn new<M: Module>() -> Self {
        Self::from_module(ModuleSource::of::<M>())
    }

    /// An application of a module that was described by hand.
    pub fn from_module(module: impl Into<ModuleSource>) -> Self {
        Self {
            modules: vec![module.into()],
            provided: Vec::new(),
            overrides: Vec::new(),
            adapters: Vec::new(),
            enhancers: Enhancers::new(),
            config: Config::default(),
        }
    }

    /// Adds another root module.
    pub fn module(mut self, module: impl Into<ModuleSource>) -> Self {
        self.modules.push(module.into());
        self
    }

    /// Adds a provider that every module sees, such as a value made in `main`.
    pub fn provide(mut self, provider: Provider) -> Self {
        self.provided.push(provider);
        self
    }

    /// Replaces a provider, for tests.
    pub fn override_provider(mut self, provider: Provider) -> Self {
        self.overrides.push(provider);
        self
    }

    /// Adds an adapter. The first that claims a request gets it.
    pub fn adapter(mut self, adapter: impl Adapter) -> Self {
        self.adapters.push(Arc::new(adapter));
        self
    }

    /// Whether any adapter was added.
    #[must_use]
    pub fn has_adapters(&self) -> bool {
        !self.adapters.is_empty()
    }

    /// Changes the guards, interceptors, pipes and filters of all gateways.
    pub fn enhance(mut self, change: impl FnOnce(Enhancers) -> Enhancers) -> Self {
        self.enhancers = change(self.enhancers);
        self
    }

    /// Changes limits, times and policies.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Describes the application as data, for tools. Nothing is constructed.
    ///
    /// # Errors
    /// When providers or gateways do not fit together.
    pub fn describe(self) -> Result<Description, StartError> {
        let mut modules = self.modules;
        modules.push(own_module(self.provided, &Arc::default()).into());
        let planned = Container::plan(modules, self.overrides)?;
        let gateways: Vec<_> = planned.attachments::<GatewayDescriptor>().collect();
        let adapters: Vec<_> = self.adapters.iter().map(|adapter| adapter.name()).collect();
        check(&gateways, &adapters)?;
        let descriptors = gateways.iter().map(|gateway| &*gateway.value);
        Ok(Description::new(adapters, &self.enhancers, descriptors))
    }

    /// Starts the application: constructs the providers, runs the modules' init
    /// hooks, then every `after_init`, and mounts the adapters. No socket is
    /// bound by this.
    ///
    /// # Errors
    /// What is wrong, with names and the fix. Nothing is left running.
    pub async fn start(self) -> Result<Started, StartError> {
        self.config.check().map_err(StartError::Config)?;
        let stats = Arc::new(Stats::default());
        let mut modules = self.modules;
        modules.push(own_module(self.provided, &stats).into());
        let planned = Container::plan(modules, self.overrides)?;
        let gateways: Vec<_> = planned.attachments::<GatewayDescriptor>().collect();
        let adapter_names: Vec<_> = self.adapters.iter().map(|adapter| adapter.name()).collect();
        check(&gateways, &adapter_names)?;

        let config = Arc::new(self.config);
        let rounds = Arc::new(Rounds::new(&config));
        rounds.staff();
        let hubs = Hubs::new(&gateways, &config, &stats, &rounds);
        let ambient = Ambient::new().with(hubs.servers(&gateways));
        let container = Arc::new(planned.construct(ambient).await?);
        let namespaces = build_namespaces(&gateways, &hubs, &container, &self.enhancers)?;
        container.init().await?;
        for gateway in namespaces.iter().flat_map(|(_, n)| n.gateways()) {
            gateway
                .after_init()
                .await
                .map_err(|cause| StartError::AfterInit {
                    gateway: gateway.name().to_owned(),
                    cause,
                })?;
        }
        let shutdown = CancellationToken::new();
        let tasks = TaskTracker::new();
        let runtime = Runtime {
            servers: hubs.servers(&gateways),
            descriptors: gateways.iter().map(|g| Arc::clone(&g.value)).collect(),
            namespaces: namespaces.iter().map(|(_, n)| Arc::clone(n)).collect(),
            adapters: adapter_names,
            enhancers: self.enhancers,
            container,
            config,
            stats,
            shutdown,
            tasks,
        };
        let ports = runtime.mount(&self.adapters, &namespaces)?;
        #[cfg(feature = "metrics")]
        runtime.sample_queues();
        Ok(Started { runtime, ports })
    }
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("modules", &self.modules)
            .finish_non_exhaustive()
    }
}

/// Why an application did not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An option makes no sense.
    #[error("{0}")]
    Config(String),
    /// The providers do not fit together, or one could not be constructed.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// Gateways are declared wrongly; all mistakes are listed.
    #[error("{}", join(.0))]
    Gateways(Vec<GatewayProblem>),
    /// A gateway needs what its module does not see.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// `after_init` of a gateway failed.
    #[error("after_init of {gateway} failed: {cause}")]
    AfterInit {
        /// The gateway.
        gateway: String,
        /// Its error.
        cause: BoxError,
    },
    /// An adapter could not be mounted.
    #[error("adapter {adapter}: {reason}")]
    Mount {
        /// The adapter.
        adapter: &'static str,
        /// What is wrong, and the fix.
        reason: String,
    },
}

/// The same sentences as `Display`: `main` prints errors by `Debug`, and a
/// developer should be able to read them.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn join(problems: &[GatewayProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A started application: gateways that wait for clients.
pub struct Runtime {
    container: Arc<Container>,
    servers: Servers,
    descriptors: Vec<Arc<GatewayDescriptor>>,
    namespaces: Vec<Arc<Namespace>>,
    adapters: Vec<&'static str>,
    enhancers: Enhancers,
    config: Arc<Config>,
    stats: Arc<Stats>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

/// A started application, and what is to be put behind sockets.
#[derive(Debug)]
pub struct Started {
    /// What runs.
    pub runtime: Runtime,
    /// What is served on each port.
    pub ports: Vec<Port>,
}

/// What is served on one port: its own, or that of the application (`None`).
pub struct Port {
    /// The port that gateways asked for; `None` for the application's.
    pub number: Option<u16>,
    /// The adapters there, in the order in which they were added.
    pub mounts: Vec<Mount>,
    /// What the mounts serve.
    pub host: Arc<Host>,
}

impl Runtime {
    /// The provider of this type, in whichever module it is.
    #[must_use]
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.container.get::<T>()
    }

    /// The container.
    #[must_use]
    pub fn container(&self) -> &Arc<Container> {
        &self.container
    }

    /// The server of a gateway.
    #[must_use]
    pub fn server_of<G: 'static>(&self) -> Option<WebSocketServer> {
        self.servers.of(Key::of::<G>())
    }

    /// The server of a namespace.
    #[must_use]
    pub fn server(&self, namespace: &str) -> Option<WebSocketServer> {
        self.servers.namespace(namespace)
    }

    /// All gateways as plain data, in registration order.
    pub fn gateways(&self) -> impl Iterator<Item = &GatewayDescriptor> {
        self.descriptors.iter().map(|descriptor| &**descriptor)
    }

    /// Describes the application as data, for tools: the same as
    /// [`RuntimeBuilder::describe`] says before the start.
    #[must_use]
    pub fn description(&self) -> Description {
        Description::new(self.adapters.clone(), &self.enhancers, self.gateways())
    }

    /// All namespaces.
    #[must_use]
    pub fn namespaces(&self) -> &[Arc<Namespace>] {
        &self.namespaces
    }

    /// The limits, times and policies.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Bytes queued towards all clients.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.namespaces.iter().map(|n| n.hub().queued_bytes()).sum()
    }

    /// Fires when the application shuts down.
    #[must_use]
    pub fn shutdown_token(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// The tasks of connections.
    #[must_use]
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Shuts down: clients are told, handlers in flight finish and answer,
    /// `on_disconnect` is awaited, then the providers' shutdown hooks run. Takes
    /// at most `drain` of the configuration for the clients and as long again
    /// for the hooks.
    ///
    /// Handlers that still run after nine tenths of it (or half a second before
    /// its end, if that is later) are cancelled, which leaves the time to tell
    /// their clients and their gateways.
    ///
    /// Returns whether every client had gone before that.
    pub async fn shut_down(&self) -> bool {
        let drain = self.config.drain;
        self.shutdown.cancel();
        for namespace in &self.namespaces {
            namespace.shut_down();
        }
        self.tasks.close();
        let last_words = (drain / 10).min(MAX_LAST_WORDS);
        let clean = tokio::time::timeout(drain.saturating_sub(last_words), self.tasks.wait())
            .await
            .is_ok();
        if !clean {
            tracing::warn!(clients = self.stats.clients(), "drain time is over");
            for namespace in &self.namespaces {
                namespace.end_drain();
            }
            let _ = tokio::time::timeout(last_words, self.tasks.wait()).await;
        }
        let hooks = tokio::time::timeout(drain.max(MIN_HOOK_TIME), self.container.shutdown());
        if hooks.await.is_err() {
            tracing::warn!("a shutdown hook took too long");
        }
        clean
    }

    /// Keeps the gauge of queued bytes fresh until the shutdown.
    #[cfg(feature = "metrics")]
    fn sample_queues(&self) {
        const EVERY: Duration = Duration::from_secs(5);
        let (shutdown, namespaces) = (self.shutdown.clone(), self.namespaces.clone());
        let stats = Arc::clone(&self.stats);
        self.tasks.spawn(async move {
            while tokio::time::timeout(EVERY, shutdown.cancelled())
                .await
                .is_err()
            {
                let queued: usize = namespaces.iter().map(|n| n.hub().queued_bytes()).sum();
                #[expect(clippy::cast_precision_loss, reason = "a gauge")]
                metrics::gauge!(crate::observe::names::QUEUED_BYTES).set(queued as f64);
                #[expect(clippy::cast_precision_loss, reason = "a gauge")]
                let kept = stats.recovery_bytes() as f64;
                metrics::gauge!(crate::observe::names::RECOVERY_BYTES).set(kept);
            }
        });
    }

    fn mount(
        &self,
        adapters: &[Arc<dyn Adapter>],
        namespaces: &[AtPort],
    ) -> Result<Vec<Port>, StartError> {
        let mut ports = Vec::new();
        let places = Arc::new(Places::default());
        // The application's own port is there even without a gateway on it.
        let mut by_port: BTreeMap<Option<u16>, Vec<Arc<Namespace>>> =
            BTreeMap::from([(None, Vec::new())]);
        for (port, namespace) in namespaces {
            by_port
                .entry(*port)
                .or_default()
                .push(Arc::clone(namespace));
        }
        for (number, namespaces) in by_port {
            let host = Host::new(
                namespaces,
                Arc::clone(&self.config),
                Arc::clone(&self.stats),
                Arc::clone(&places),
                self.shutdown.clone(),
                self.tasks.clone(),
            );
            let host = Arc::new(host.map_err(StartError::Config)?);
            let mounts = adapters.iter().map(|adapter| {
                let mounted = adapter.mount(Arc::clone(&host));
                mounted.map_err(|reason| StartError::Mount {
                    adapter: adapter.name(),
                    reason,
                })
            });
            ports.push(Port {
                number,
                mounts: mounts.collect::<Result<_, _>>()?,
                host,
            });
        }
        Ok(ports)
    }
}

/// The end of the drain time that is kept for telling clients whose handlers
/// were cancelled; a tenth of it when that is shorter.
const MAX_LAST_WORDS: Duration = Duration::from_millis(500);
/// Shutdown hooks get at least this long, however short the drain is.
const MIN_HOOK_TIME: Duration = Duration::from_secs(1);

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("namespaces", &self.namespaces)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("number", &self.number)
            .field("mounts", &self.mounts.len())
            .finish_non_exhaustive()
    }
}

/// A namespace with the port that it is served on.
type AtPort = (Option<u16>, Arc<Namespace>);

type Gateways = [Attachment<GatewayDescriptor>];

fn check(gateways: &Gateways, adapters: &[&'static str]) -> Result<(), StartError> {
    let descriptors: Vec<_> = gateways.iter().map(|g| &*g.value).collect();
    let problems = check_gateways(&descriptors, adapters);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(StartError::Gateways(problems))
    }
}

/// What every module sees: what the application was given, and its counters.
fn own_module(provided: Vec<Provider>, stats: &Arc<Stats>) -> ModuleDescriptor {
    let module = ModuleDescriptor::new("App").provide(Provider::arc(Arc::clone(stats)));
    let module = provided.into_iter().fold(module, ModuleDescriptor::provide);
    module.export_all().global()
}

/// One hub for each namespace of each port, in registration order.
struct Hubs(Vec<(Place, Arc<Hub>)>);

/// Where a namespace is: its port and its path.
type Place = (Option<u16>, String);

impl Hubs {
    fn new(
        gateways: &Gateways,
        config: &Arc<Config>,
        stats: &Arc<Stats>,
        rounds: &Arc<Rounds>,
    ) -> Self {
        let mut hubs: Vec<(Place, Arc<Hub>)> = Vec::new();
        for gateway in gateways {
            let place = place(&gateway.value);
            if hubs.iter().all(|(known, _)| *known != place) {
                let hub = Hub::new(HubOptions {
                    namespace: place.1.as_str().into(),
                    config: Arc::clone(config),
                    stats: Arc::clone(stats),
                    rounds: Arc::clone(rounds),
                });
                hubs.push((place, hub));
            }
        }
        Self(hubs)
    }

    fn servers(&self, gateways: &Gateways) -> Servers {
        let mut servers = Servers::default();
        for gateway in gateways {
            let place = place(&gateway.value);
            if let Some((_, hub)) = self.0.iter().find(|(known, _)| *known == place) {
                servers.insert(gateway.provider, WebSocketServer::new(Arc::clone(hub)));
            }
        }
        servers
    }
}

fn place(gateway: &GatewayDescriptor) -> Place {
    (gateway.port(), gateway.namespace().to_owned())
}

/// Who needs the global enhancers, in the words of start-up errors.
struct App;

fn build_namespaces(
    gateways: &Gateways,
    hubs: &Hubs,
    container: &Arc<Container>,
    enhancers: &Enhancers,
) -> Result<Vec<AtPort>, StartError> {
    let mut namespaces = Vec::new();
    // Global enhancers are providers of the root module.
    let global = match container.roots().first() {
        Some(root) => {
            BoundEnhancers::resolve(enhancers, &container.resolver_for(Key::of::<App>(), *root))?
        }
        None => BoundEnhancers::default(),
    };
    for (at, hub) in &hubs.0 {
        let here = || gateways.iter().filter(|g| place(&g.value) == *at);
        let Some(first) = here().next() else { continue };
        let adapters = first.value.adapters().to_vec();
        let mut builder = NamespaceBuilder::new(Arc::clone(hub), adapters, global.clone());
        for gateway in here() {
            let instance = instance_of(container, gateway)?;
            builder.gateway(&gateway.value, &instance, container, gateway.module)?;
        }
        namespaces.push((at.0, Arc::new(builder.build())));
    }
    Ok(namespaces)
}

fn instance_of(
    container: &Container,
    gateway: &Attachment<GatewayDescriptor>,
) -> Result<Arc<dyn Any + Send + Sync>, StartError> {
    gateway
        .value
        .instance(container)
        .ok_or_else(|| StartError::Config(format!("{} was not constructed", gateway.provider)))
}
