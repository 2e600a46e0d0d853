//! The adapter as applications choose it.

use std::fmt;
use std::sync::Arc;

use nest_gateway_core::adapter::{Adapter, Capabilities, Host, Mount};
use socketioxide::SocketIo;
use socketioxide::adapter::{Adapter as TheirAdapter, LocalAdapter};
use socketioxide_core::adapter::{DefinedAdapter, Spawnable as _};

use super::NAME;
use super::door::{Door, Shared};
use super::occupancy::Occupancy;
use super::seat::QueueLimits;
use crate::parser::{Parser, ParserKind};

/// Serves gateways on a `socketioxide::SocketIo` that the application has already.
///
/// Every namespace of a gateway, patterns included, is registered on it when the
/// application is built; the namespaces that it had stay as they are. Whoever serves it,
/// and where, does not change: the application's own router with socketioxide's layer.
///
/// ```
/// use nest_gateway_adapter_socketio::SocketIoxide;
/// use socketioxide::SocketIo;
///
/// let (layer, io) = SocketIo::new_layer();
/// let adapter = SocketIoxide::new(io.clone()).queue(256, 1024 * 1024);
/// # drop((layer, adapter));
/// ```
///
/// Limits of messages and of the heartbeat are those of the `SocketIo`
/// (`ws_max_message_size`, `max_payload`, `ping_interval`, ..), since it reads the wire;
/// `Config::max_message_bytes` is checked once more behind it. All other limits are the
/// application's.
#[derive(Clone)]
pub struct SocketIoxide<A: TheirAdapter = LocalAdapter> {
    io: SocketIo<A>,
    queue: QueueLimits,
    close_at_shutdown: bool,
}

impl<A: TheirAdapter> SocketIoxide<A> {
    /// Gateways on this `SocketIo`.
    pub fn new(io: SocketIo<A>) -> Self {
        Self {
            io,
            queue: QueueLimits::default(),
            close_at_shutdown: false,
        }
    }

    /// How many messages of one client, and how many bytes of them, may wait between
    /// socketioxide and the gateway. Default 1,024 and 1 MiB; a single message always fits.
    ///
    /// socketioxide hands each message over as soon as it has read it and cannot be asked to
    /// wait, so this is not backpressure: a client that goes beyond is disconnected, and
    /// counted by `nest_gateway_inbox_overflows_total`. It is wider than the inbox of the
    /// other adapters, whose clients are held up instead.
    #[must_use]
    pub fn queue(mut self, messages: usize, bytes: usize) -> Self {
        self.queue = QueueLimits { messages, bytes };
        self
    }

    /// Closes the whole `SocketIo`, with all of its namespaces, when the application shuts
    /// down, after the gateways' handlers have ended: clients see their connection close,
    /// and the official one connects again, to whoever serves it then. Choose it when the
    /// application listens by itself ([`App::listen`]), whose shutdown otherwise waits its
    /// whole drain time for connections that stay open.
    ///
    /// Without it (the default) a client of a gateway gets a DISCONNECT packet at shutdown,
    /// after which the official client does not connect again by itself, and keeps its
    /// connection and its other namespaces: socketioxide closes a connection only together
    /// with all others.
    ///
    /// [`App::listen`]: https://docs.rs/nest-gateway/latest/nest_gateway/struct.App.html#method.listen
    #[must_use]
    pub fn close_at_shutdown(mut self) -> Self {
        self.close_at_shutdown = true;
        self
    }
}

impl<A: TheirAdapter> fmt::Debug for SocketIoxide<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIoxide")
            .field("queue", &self.queue)
            .field("close_at_shutdown", &self.close_at_shutdown)
            .finish_non_exhaustive()
    }
}

impl<A: TheirAdapter + DefinedAdapter> Adapter for SocketIoxide<A> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::all();
        // A Socket.IO client is told reasons, not numbers.
        capabilities.close_codes = false;
        // Its CONNECT carries nothing but an id.
        capabilities.recovery = false;
        capabilities.backpressure = false;
        capabilities
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        if self.queue.messages == 0 || self.queue.bytes == 0 {
            return Err("a queue of 0 would refuse every message".to_owned());
        }
        let shared = Arc::new(Shared {
            host: Arc::clone(&host),
            io: self.io.clone(),
            codec: Arc::new(Parser::new(ParserKind::Json, None)),
            queue: self.queue,
            close_at_shutdown: self.close_at_shutdown,
            occupancy: Arc::new(Occupancy::default()),
        });
        let patterns: Vec<String> = host.patterns(NAME).map(str::to_owned).collect();
        if let Some(taken) = patterns.iter().find(|path| self.io.of(path).is_some()) {
            return Err(format!(
                "the SocketIo has a handler for namespace {taken} already; \
                 drop it, or give the gateway another namespace"
            ));
        }
        for pattern in patterns {
            let is_pattern = pattern.contains('{');
            let door = Door::new(Arc::clone(&shared), is_pattern);
            if is_pattern {
                self.io
                    .dyn_ns(pattern.clone(), door)
                    .map_err(|error| format!("namespace {pattern}: {error}"))?;
            } else {
                // With an adapter for several nodes this ends later, in a task of its own.
                self.io.ns(pattern, door).spawn();
            }
        }
        if self.close_at_shutdown {
            // Not a task of the mount: those begin when the application listens or becomes a
            // router, and one whose gateways are all here needs neither.
            host.spawn(close_at_shutdown(shared));
        }
        Ok(Mount::default())
    }
}

async fn close_at_shutdown<A: TheirAdapter>(shared: Arc<Shared<A>>) {
    shared.host.shutdown().cancelled().await;
    shared.occupancy.empty().await;
    shared.io.close().await;
}
