//! An application whose sockets are open.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use nest_gateway_core::runtime::{Runtime, StartError};
use nest_gateway_wire::{AcceptConfig, Stopped, serve};
use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::hosted::Hosted;

/// Why an application does not listen.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A socket could not be bound.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// The address, as far as it is known.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// The same sentences as `Display`: `main` prints errors by `Debug`, and a
/// developer should be able to read them.
impl fmt::Debug for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An application that serves clients.
///
/// Dropping it stops accepting and leaves the clients that are connected to
/// themselves; [`Listening::shut_down`] ends it in an orderly way.
#[derive(Debug)]
pub struct Listening {
    runtime: Arc<Runtime>,
    address: SocketAddr,
    ports: BTreeMap<u16, SocketAddr>,
    servers: JoinSet<Stopped>,
    /// Fires when the clients are gone. Until then requests are answered: a
    /// client on long polling fetches its last messages with a new one.
    closing: CancellationToken,
}

impl Listening {
    pub(crate) async fn start(app: App, address: impl ToSocketAddrs) -> Result<Self, ListenError> {
        // All sockets are bound before the first one is served.
        let main = bind(address)
            .await
            .map_err(|cause| bind_error("the given address", cause))?;
        let address = local_addr(&main)?;
        let mut listeners = BTreeMap::from([(None, main)]);
        // Collected, since a mount's tasks must not be borrowed over an await:
        // the future of `listen` has to be `Send`.
        let numbers: Vec<_> = app.ports.iter().filter_map(|port| port.number).collect();
        for number in numbers {
            let wanted = SocketAddr::new(address.ip(), number);
            let bound = bind(wanted).await;
            let listener = bound.map_err(|cause| bind_error(&wanted.to_string(), cause))?;
            listeners.insert(Some(number), listener);
        }
        let mut listening = Self {
            runtime: Arc::clone(&app.runtime),
            address,
            ports: BTreeMap::new(),
            servers: JoinSet::new(),
            closing: CancellationToken::new(),
        };
        for mut port in app.ports {
            let Some(listener) = listeners.remove(&port.number) else {
                continue;
            };
            for task in port.mounts.iter_mut().flat_map(|m| m.tasks.drain(..)) {
                app.runtime.tasks().spawn(task);
            }
            // The user's routes are on the application's own port only.
            let router = match port.number {
                None => app.router.clone(),
                Some(number) => {
                    listening.ports.insert(number, local_addr(&listener)?);
                    Router::new()
                }
            };
            let hosted = Hosted::new(
                port.mounts,
                router,
                Arc::clone(&app.runtime),
                is_secure(&app.accept),
            );
            listening.serve(listener, hosted, app.accept.clone());
        }
        Ok(listening)
    }

    fn serve(&mut self, listener: TcpListener, hosted: Hosted, accept: AcceptConfig) {
        let closing = self.closing.clone().cancelled_owned();
        self.servers.spawn(serve(listener, hosted, accept, closing));
    }

    /// Where the application's own socket listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where the gateways with this `port` listen.
    #[must_use]
    pub fn addr_of_port(&self, port: u16) -> Option<SocketAddr> {
        self.ports.get(&port).copied()
    }

    /// The address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that runs.
    #[must_use]
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Shuts the application down from elsewhere.
    #[must_use]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle::new(Arc::clone(&self.runtime))
    }

    /// Serves until SIGTERM, SIGINT (Ctrl-C) or a [`ShutdownHandle`] says stop,
    /// then shuts down.
    ///
    /// Signals are caught from the call on, also before the future is polled, so
    /// that a program which then says that it is ready can be stopped at once.
    ///
    /// Returns whether every client had gone without a handler being cut short.
    #[must_use = "futures do nothing unless awaited"]
    pub fn until_signal(self) -> impl Future<Output = bool> + Send {
        let signal = signal();
        async move {
            let told = self.runtime.shutdown_token().clone();
            tokio::select! {
                () = signal => tracing::info!("signal received, shutting down"),
                () = told.cancelled() => {}
            }
            self.shut_down().await
        }
    }

    /// Serves until a [`ShutdownHandle`] says stop, then shuts down.
    ///
    /// Returns whether every client had gone without a handler being cut short.
    pub async fn until_shutdown(self) -> bool {
        let told = self.runtime.shutdown_token().clone();
        told.cancelled().await;
        self.shut_down().await
    }

    /// Shuts down: new clients get 503, connected ones are told (1001), handlers
    /// in flight finish and their answers are delivered, `on_disconnect` and the
    /// providers' shutdown hooks are awaited. Clients have `drain` of the
    /// configuration (10 s) for it.
    ///
    /// Returns whether every client had gone without a handler being cut short.
    pub async fn shut_down(mut self) -> bool {
        let deadline = Instant::now() + self.runtime.config().drain;
        let clean = self.runtime.shut_down().await;
        self.closing.cancel();
        // What is left are requests to the user's routes.
        let deadline = deadline.max(Instant::now() + MIN_CLOSE_TIME);
        let closed = async {
            let mut closed = true;
            while let Some(stopped) = self.servers.join_next().await {
                closed &= stopped.is_ok_and(|stopped| stopped.remaining == 0);
            }
            closed
        };
        clean && timeout_at(deadline, closed).await.unwrap_or(false)
    }
}

/// Connections get at least this long to close, however long the clients took.
const MIN_CLOSE_TIME: Duration = Duration::from_millis(200);

/// Shuts an application down from anywhere; cheap to clone.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    runtime: Arc<Runtime>,
}

impl ShutdownHandle {
    pub(crate) fn new(runtime: Arc<Runtime>) -> Self {
        Self { runtime }
    }

    /// Tells whoever waits in [`Listening::until_signal`] to shut down.
    pub fn trigger(&self) {
        self.runtime.shutdown_token().cancel();
    }

    /// Shuts down what runs, and waits for it. For applications that live in
    /// another server ([`App::into_router`]); the sockets are that server's.
    ///
    /// Returns whether every client had gone without a handler being cut short.
    pub async fn shut_down(&self) -> bool {
        self.runtime.shut_down().await
    }
}

/// Connections that may wait to be accepted. The usual 128 overflow when a
/// thousand clients reconnect at once, which costs each a second.
const BACKLOG: u32 = 1024;

/// Binds the first address that can be bound.
async fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the address names no host");
    for address in lookup_host(address).await? {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As `TcpListener::bind` does: a restarted server gets its port back.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(feature = "tls")]
fn is_secure(accept: &AcceptConfig) -> bool {
    accept.tls.is_some()
}

#[cfg(not(feature = "tls"))]
fn is_secure(_: &AcceptConfig) -> bool {
    false
}

fn local_addr(listener: &TcpListener) -> Result<SocketAddr, ListenError> {
    listener
        .local_addr()
        .map_err(|cause| bind_error("the bound socket", cause))
}

fn bind_error(address: &str, cause: io::Error) -> ListenError {
    ListenError::Bind {
        address: address.to_owned(),
        cause,
    }
}

/// SIGINT or SIGTERM, from now on.
#[cfg(unix)]
fn signal() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    async move {
        // A signal that cannot be caught does what it always did.
        let received = async |signal: std::io::Result<tokio::signal::unix::Signal>| match signal {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        };
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
        }
    }
}

/// Ctrl-C, where there are no signals.
#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signals only a handle can stop the application.
        std::future::pending::<()>().await;
    }
}
