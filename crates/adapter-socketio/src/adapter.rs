//! The adapter as applications choose it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nest_gateway_core::adapter::{Adapter, BoxFuture, Capabilities, Host, Mount};
use nest_gateway_core::config::{Config, OriginPolicy, SlowPolicy};
use nest_gateway_core::error::WsException;
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::recovery::{Recovery, RecoveryStore};
use nest_gateway_wire::{Flusher, OutboxConfig, SlowPolicy as WirePolicy};

use crate::NAME;
use crate::connection::{Connection, Shared};
use crate::endpoint::{AllowRequest, SocketIoEndpoint};
use crate::engine::{Cors, Engine, EngineConfig};
use crate::packet::AssemblyLimits;
use crate::parser::{Parser, ParserKind};

/// Serves gateways to Socket.IO clients. Limits that all adapters share come from the
/// application's configuration; what only Socket.IO has is set here.
///
/// ```
/// use std::time::Duration;
/// use nest_gateway_adapter_socketio::SocketIo;
///
/// let adapter = SocketIo::new().path("/realtime").connect_timeout(Duration::from_secs(5));
/// ```
#[derive(Clone)]
pub struct SocketIo {
    path: String,
    connect_timeout: Duration,
    upgrade_timeout: Duration,
    attachments: usize,
    attachment_timeout: Duration,
    polling_packets: usize,
    polling: bool,
    websocket: bool,
    cookie: Option<String>,
    allow_request: Option<AllowRequest>,
    recovery: Option<Recovery>,
    parser: ParserKind,
    #[cfg(feature = "deflate")]
    deflate: Option<nest_gateway_wire::DeflateConfig>,
}

impl fmt::Debug for SocketIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIo")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Default for SocketIo {
    fn default() -> Self {
        Self::new()
    }
}

impl SocketIo {
    /// An adapter with the defaults of the official server, at `/socket.io/`.
    pub fn new() -> Self {
        let limits = AssemblyLimits::default();
        let engine = EngineConfig::default();
        Self {
            path: "/socket.io".to_owned(),
            connect_timeout: Duration::from_secs(15),
            upgrade_timeout: engine.upgrade_timeout,
            attachments: limits.attachments,
            attachment_timeout: limits.time,
            polling_packets: engine.max_packets,
            polling: engine.polling,
            websocket: engine.websocket,
            cookie: engine.cookie,
            allow_request: None,
            recovery: None,
            parser: ParserKind::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// The path of all requests, with or without a trailing slash. Default `/socket.io/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let mut path = path.into();
        path.truncate(path.trim_end_matches('/').len());
        self.path = path;
        self
    }

    /// How long a connection may be in no namespace, and how long joining one may take.
    /// Default 15 s (the official server's is 45 s).
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a WebSocket may take to replace polling. Default 10 s.
    #[must_use]
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.upgrade_timeout = timeout;
        self
    }

    /// Binary attachments of one packet. Default 10.
    #[must_use]
    pub fn max_attachments(mut self, attachments: usize) -> Self {
        self.attachments = attachments;
        self
    }

    /// From a packet to its last attachment. Default 10 s.
    #[must_use]
    pub fn attachment_timeout(mut self, timeout: Duration) -> Self {
        self.attachment_timeout = timeout;
        self
    }

    /// Packets in one polling body. Default 64.
    #[must_use]
    pub fn max_polling_packets(mut self, packets: usize) -> Self {
        self.polling_packets = packets;
        self
    }

    /// Offers WebSocket only. Clients have to be told so too: `transports: ["websocket"]`.
    #[must_use]
    pub fn websocket_only(mut self) -> Self {
        self.polling = false;
        self
    }

    /// Offers long-polling only.
    #[must_use]
    pub fn polling_only(mut self) -> Self {
        self.websocket = false;
        self
    }

    /// Sets a cookie of this name to the session's id, so that a load balancer can keep a
    /// session on one node. Default: none.
    #[must_use]
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Switches connection state recovery on: a client that loses its connection, and comes
    /// back in time, has its id, rooms, data and the events that it missed, and
    /// `Client::recovered` is true. The connection guards are asked again. Takes a
    /// [`Recovery`] with all its bounds, or a `Duration` for their defaults. Default: off; the
    /// official server's window is 2 minutes.
    #[must_use]
    pub fn recovery(mut self, recovery: impl Into<Recovery>) -> Self {
        self.recovery = Some(recovery.into());
        self
    }

    /// Asks before a session is opened, on either transport; an error is answered 403 with
    /// its message. The connection guards of a namespace are asked later, when a client
    /// joins it.
    #[must_use]
    pub fn allow_request<F, T>(mut self, hook: F) -> Self
    where
        F: Fn(Handshake) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), WsException>> + Send + 'static,
    {
        self.allow_request = Some(Arc::new(move |handshake| Box::pin(hook(handshake))));
        self
    }

    /// Speaks msgpack instead of JSON: every packet is one binary message. Clients need
    /// `parser: require("socket.io-msgpack-parser")`; others are closed at their first
    /// packet.
    #[cfg(feature = "msgpack")]
    #[must_use]
    pub fn msgpack(mut self) -> Self {
        self.parser = ParserKind::Msgpack;
        self
    }

    /// Compresses messages of WebSockets whose client offers permessage-deflate (RFC 7692).
    /// Off by default, as on the official server: it costs time, and memory for each
    /// connection that keeps its window. A packet with attachments is sent as it is, and
    /// long-polling is left to what compresses HTTP in front of the application.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, config: nest_gateway_wire::DeflateConfig) -> Self {
        self.deflate = Some(config);
        self
    }

    fn engine_config(&self, config: &Config) -> EngineConfig {
        EngineConfig {
            ping_interval: config.ping_interval,
            ping_timeout: config.ping_timeout,
            upgrade_timeout: self.upgrade_timeout,
            close_timeout: config.close_timeout,
            max_payload: config.max_message_bytes,
            max_packets: self.polling_packets,
            polling: self.polling,
            websocket: self.websocket,
            outbox: OutboxConfig {
                max_bytes: config.outbox_bytes,
                max_messages: config.outbox_messages,
                policy: match config.slow_policy {
                    SlowPolicy::Close => WirePolicy::Close,
                    SlowPolicy::DropOldest => WirePolicy::DropOldest,
                    SlowPolicy::DropNewest => WirePolicy::DropNewest,
                },
                gap: Some(self.parser.gap_notice(config.max_namespaces_per_connection)),
            },
            cors: cors(&config.origins),
            cookie: self.cookie.clone(),
            #[cfg(feature = "deflate")]
            deflate: self.deflate,
            ..EngineConfig::default()
        }
    }

    fn check(&self) -> Result<(), String> {
        if !self.path.starts_with('/') {
            return Err(format!("path {:?} must begin with a slash", self.path));
        }
        if !self.polling && !self.websocket {
            return Err("no transport is left; drop websocket_only or polling_only".to_owned());
        }
        if self.polling_packets == 0 {
            return Err("max_polling_packets is 0, which would refuse every body".to_owned());
        }
        Ok(())
    }
}

impl Adapter for SocketIo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::all();
        // A Socket.IO client is told reasons, not numbers.
        capabilities.close_codes = false;
        capabilities.recovery = self.recovery.is_some();
        capabilities
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        self.check()?;
        let recovery = self
            .recovery
            .map(|recovery| RecoveryStore::new(recovery, &host));
        let recovery = recovery.transpose()?;
        let offsets = recovery.as_ref().map(|store| Arc::clone(store.offsets()));
        let tasks = recovery.iter().map(|store| {
            let sweeping = Arc::clone(store).run(host.shutdown().clone());
            Box::pin(sweeping) as BoxFuture<'static, ()>
        });
        let tasks = tasks.collect();
        let shared = Arc::new(Shared {
            parser: Arc::new(Parser::new(self.parser, offsets)),
            recovery,
            connect_timeout: self.connect_timeout,
            attachments: Arc::new(AssemblyLimits {
                attachments: self.attachments,
                bytes: host.config().max_message_bytes,
                time: self.attachment_timeout,
            }),
            host: Arc::clone(&host),
        });
        let config = self.engine_config(host.config());
        let engine = Engine::new(config, Flusher::spawn(), move |connection, head| {
            let handshake = Handshake::from_http(&head);
            let connection = Connection::new(Arc::clone(&shared), handshake, connection);
            // As a task of the host, so that a shutdown waits for it.
            shared.host.spawn(Box::new(connection).run());
            std::future::ready(())
        });
        let endpoint = SocketIoEndpoint {
            path: self.path.clone(),
            host,
            engine,
            allow_request: self.allow_request.clone(),
        };
        Ok(Mount {
            endpoint: Some(Arc::new(endpoint)),
            tasks,
        })
    }
}

/// Which origins may poll: those that may connect.
fn cors(origins: &OriginPolicy) -> Option<Cors> {
    match origins {
        OriginPolicy::SameHost => None,
        OriginPolicy::Allow(list) => Some(Cors::origins(list).with_credentials()),
        OriginPolicy::Any => Some(Cors::any()),
    }
}
