//! An application: modules, adapters and options, until it is started.

use std::sync::Arc;

use axum::Router;
use nest_gateway_core::adapter::Adapter;
use nest_gateway_core::broadcast::WebSocketServer;
use nest_gateway_core::config::Config;
use nest_gateway_core::dispatch::{Enhancer, ExceptionFilter, Guard, Interceptor, Pipe};
use nest_gateway_core::gateway::{GatewayDescriptor, Module, ModuleSource, Provider};
use nest_gateway_core::observe::Stats;
use nest_gateway_core::runtime::{Port, Runtime, RuntimeBuilder, StartError, Started};
use nest_gateway_wire::AcceptConfig;
use tokio::net::ToSocketAddrs;

use crate::hosted::Hosted;
use crate::listening::{ListenError, Listening, ShutdownHandle};

/// A started application: providers built, hooks run, no socket open yet.
///
/// ```no_run
/// # use nest_gateway::{App, Module, ModuleDescriptor};
/// # struct ChatModule;
/// # impl Module for ChatModule { fn describe() -> ModuleDescriptor { ModuleDescriptor::new("ChatModule") } }
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::new::<ChatModule>().listen("127.0.0.1:3000").await?;
/// println!("listening on {}", app.url());
/// app.until_signal().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct App {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) ports: Vec<Port>,
    pub(crate) router: Router,
    pub(crate) accept: AcceptConfig,
}

/// An application that is being put together.
#[derive(Debug)]
#[must_use = "call `listen` or `build`"]
pub struct AppBuilder {
    runtime: RuntimeBuilder,
    router: Router,
    accept: AcceptConfig,
    #[cfg(feature = "asyncapi")]
    published: Option<crate::published::Published>,
}

impl App {
    /// Begins an application of this root module.
    #[expect(clippy::new_ret_no_self, reason = "reads as it does in NestJS")]
    pub fn new<M: Module>() -> AppBuilder {
        Self::from_module(ModuleSource::of::<M>())
    }

    /// Begins an application of a module that was described by hand.
    pub fn from_module(module: impl Into<ModuleSource>) -> AppBuilder {
        AppBuilder {
            runtime: RuntimeBuilder::from_module(module),
            router: Router::new(),
            accept: AcceptConfig::default(),
            #[cfg(feature = "asyncapi")]
            published: None,
        }
    }

    /// A provider, in whichever module it is.
    #[must_use]
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.runtime.get::<T>()
    }

    /// The server of a gateway.
    #[must_use]
    pub fn server_of<G: 'static>(&self) -> Option<WebSocketServer> {
        self.runtime.server_of::<G>()
    }

    /// All gateways as plain data.
    pub fn gateways(&self) -> impl Iterator<Item = &GatewayDescriptor> {
        self.runtime.gateways()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        self.runtime.stats()
    }

    /// Everything that runs, for those who host the application themselves.
    #[must_use]
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Shuts the application down from elsewhere.
    #[must_use]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::new(Arc::clone(&self.runtime))
    }

    /// Opens the sockets: the application's own at `address`, and one for each
    /// gateway with a `port` at the same host.
    ///
    /// # Errors
    /// When a socket cannot be bound; none is open then.
    pub async fn listen(self, address: impl ToSocketAddrs) -> Result<Listening, ListenError> {
        Listening::start(self, address).await
    }

    /// The application as a router, to be mounted in somebody else's axum:
    /// `Router::new().merge(app.into_router())`. It answers everything that the
    /// other router does not. Gateways with a `port` of their own are not part
    /// of it.
    ///
    /// Take a [`App::shutdown_handle`] first: the host decides when to stop. To be
    /// called within a tokio runtime, on which the adapters' own tasks begin here.
    pub fn into_router(self) -> Router {
        let own = self.ports.into_iter().find(|port| port.number.is_none());
        let mut mounts = own.map(|port| port.mounts).unwrap_or_default();
        for task in mounts.iter_mut().flat_map(|mount| mount.tasks.drain(..)) {
            self.runtime.tasks().spawn(task);
        }
        let hosted = Hosted::new(mounts, self.router, Arc::clone(&self.runtime), false);
        Router::new().fallback_service(hosted)
    }
}

impl AppBuilder {
    /// Serves the gateways with this adapter. With none chosen, every adapter
    /// that a cargo feature enables is used with its defaults.
    pub fn adapter(mut self, adapter: impl Adapter) -> Self {
        self.runtime = self.runtime.adapter(adapter);
        self
    }

    /// Adds another root module.
    pub fn module<M: Module>(mut self) -> Self {
        self.runtime = self.runtime.module(ModuleSource::of::<M>());
        self
    }

    /// Adds a provider that every module sees, such as a value made in `main`:
    /// `.provide(Provider::value(config))`.
    pub fn provide(mut self, provider: Provider) -> Self {
        self.runtime = self.runtime.provide(provider);
        self
    }

    /// Replaces a provider, for tests.
    pub fn override_provider(mut self, provider: Provider) -> Self {
        self.runtime = self.runtime.override_provider(provider);
        self
    }

    /// HTTP routes on the same port. Their handlers get providers through
    /// [`Inject`](crate::Inject).
    pub fn routes(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }

    /// Serves the AsyncAPI 3 document of the application at `GET /asyncapi.json`,
    /// on the application's own port, with this title and version in its `info`:
    /// `.publish_contract(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))`.
    /// It is the document that `nest-gateway contract --asyncapi` writes, made
    /// once at the start, of all gateways, also of those with another `port`.
    ///
    /// Everybody who reaches the port can read it: gateways' guards are not in
    /// front of HTTP routes. Without this call nothing is served. Bodies and
    /// replies have their schemas with the feature `schema`.
    ///
    /// # Panics
    /// At the start, when [`AppBuilder::routes`] has a route of the same path.
    #[cfg(feature = "asyncapi")]
    pub fn publish_contract(
        mut self,
        title: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        self.published = Some(crate::published::Published::new(title, version));
        self
    }

    /// Changes limits, times and policies.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        self.runtime = self.runtime.configure(change);
        self
    }

    /// Changes the limits of the accept loop, and with the feature `tls` its
    /// encryption: `.accept(|accept| accept.tls = Some(server_config))`.
    pub fn accept(mut self, change: impl FnOnce(&mut AcceptConfig)) -> Self {
        change(&mut self.accept);
        self
    }

    /// A guard in front of all gateways: a provider of the root module.
    pub fn use_guard<G: Guard>(self) -> Self {
        self.guard(Enhancer::<dyn crate::core::dispatch::DynGuard>::of::<G>())
    }

    /// A guard in front of all gateways, as a value.
    pub fn use_guard_value<G: Guard>(self, guard: G) -> Self {
        self.guard(Enhancer::<dyn crate::core::dispatch::DynGuard>::value(
            guard,
        ))
    }

    /// An interceptor around all handlers: a provider of the root module.
    pub fn use_interceptor<I: Interceptor>(mut self) -> Self {
        let interceptor = Enhancer::<dyn crate::core::dispatch::DynInterceptor>::of::<I>();
        self.runtime = self.runtime.enhance(|all| all.interceptor(interceptor));
        self
    }

    /// An interceptor around all handlers, as a value.
    pub fn use_interceptor_value<I: Interceptor>(mut self, value: I) -> Self {
        let interceptor = Enhancer::<dyn crate::core::dispatch::DynInterceptor>::value(value);
        self.runtime = self.runtime.enhance(|all| all.interceptor(interceptor));
        self
    }

    /// A pipe for all bodies: a provider of the root module.
    pub fn use_pipe<P: Pipe>(mut self) -> Self {
        let pipe = Enhancer::<dyn crate::core::dispatch::DynPipe>::of::<P>();
        self.runtime = self.runtime.enhance(|all| all.pipe(pipe));
        self
    }

    /// A pipe for all bodies, as a value.
    pub fn use_pipe_value<P: Pipe>(mut self, value: P) -> Self {
        let pipe = Enhancer::<dyn crate::core::dispatch::DynPipe>::value(value);
        self.runtime = self.runtime.enhance(|all| all.pipe(pipe));
        self
    }

    /// An exception filter behind all others: a provider of the root module.
    pub fn use_filter<F: ExceptionFilter>(mut self) -> Self {
        let filter = Enhancer::<dyn crate::core::dispatch::DynFilter>::of::<F>();
        self.runtime = self.runtime.enhance(|all| all.filter(filter));
        self
    }

    /// An exception filter behind all others, as a value.
    pub fn use_filter_value<F: ExceptionFilter>(mut self, value: F) -> Self {
        let filter = Enhancer::<dyn crate::core::dispatch::DynFilter>::value(value);
        self.runtime = self.runtime.enhance(|all| all.filter(filter));
        self
    }

    /// Starts the application without opening a socket.
    ///
    /// # Errors
    /// What is wrong with it, with names and the fix.
    pub async fn build(self) -> Result<App, StartError> {
        let mut this = self.with_default_adapters();
        let Started { runtime, ports } = this.runtime.start().await?;
        this.accept.drain_timeout = runtime.config().drain;
        #[cfg(feature = "asyncapi")]
        if let Some(published) = this.published {
            this.router = this.router.merge(published.router(&runtime));
        }
        Ok(App {
            runtime: Arc::new(runtime),
            ports,
            router: this.router,
            accept: this.accept,
        })
    }

    /// [`AppBuilder::build`] and [`App::listen`] in one.
    ///
    /// With the environment variable `NEST_GATEWAY_DESCRIBE=1` the process
    /// prints a description of its gateways as a line of JSON instead, and ends:
    /// that is how `nest-gateway list` and `nest-gateway contract` see it.
    /// Nothing is constructed for that, so no database is needed.
    ///
    /// # Errors
    /// Those of both.
    pub async fn listen(self, address: impl ToSocketAddrs) -> Result<Listening, ListenError> {
        if crate::describe::is_asked_for() {
            let this = self.with_default_adapters();
            crate::describe::print_and_exit(&this.runtime.describe()?);
        }
        self.build().await?.listen(address).await
    }

    fn guard(mut self, guard: Enhancer<dyn crate::core::dispatch::DynGuard>) -> Self {
        self.runtime = self.runtime.enhance(|all| all.guard(guard));
        self
    }

    #[cfg_attr(
        not(any(feature = "native", feature = "socketio")),
        expect(unused_mut, reason = "there is no adapter to add")
    )]
    fn with_default_adapters(mut self) -> Self {
        if self.runtime.has_adapters() {
            return self;
        }
        #[cfg(feature = "native")]
        {
            self.runtime = self.runtime.adapter(crate::Native::new());
        }
        #[cfg(feature = "socketio")]
        {
            self.runtime = self.runtime.adapter(crate::SocketIo::new());
        }
        self
    }
}
