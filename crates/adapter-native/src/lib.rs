//! The native adapter: plain RFC 6455 with a small JSON envelope.
//!
//! A namespace is a path: a gateway at `/chat` is reached by
//! `new WebSocket("ws://host/chat")`. Frames carry
//! `{"event": string, "data"?: any, "id"?: number | string}` in both directions; CONTRACT
//! section 2 and the book's wire reference have the details.
//!
//! ```
//! use nest_gateway_adapter_native::Native;
//!
//! let adapter = Native::new().at("/ws").subprotocol("chat.v1");
//! ```

mod close;
mod codec;
mod connection;
mod encoding;
mod endpoint;
mod envelope;
#[cfg(feature = "msgpack")]
mod msgpack;
mod outlet;
mod recovery;

use std::sync::Arc;

use nest_gateway_core::adapter::{Adapter, BoxFuture, Capabilities, Codec, Host, Mount};
use nest_gateway_core::recovery::{Recovery, RecoveryStore};
use nest_gateway_wire::is_token;

use self::endpoint::NativeEndpoint;

/// The adapter's name.
pub const NAME: &str = "native";

/// The subprotocol by which a client asks for the msgpack envelope.
#[cfg(feature = "msgpack")]
pub const MSGPACK_SUBPROTOCOL: &str = "nest-gateway.msgpack";

/// The codec of the JSON envelope, for tools that look at what clients get or
/// measure what it costs.
pub fn json_codec() -> impl Codec {
    codec::JsonCodec::PLAIN
}

/// The native adapter, and its options.
#[derive(Clone, Debug, Default)]
#[must_use = "give it to `App::adapter`"]
pub struct Native {
    prefix: String,
    subprotocols: Vec<String>,
    recovery: Option<Recovery>,
    #[cfg(feature = "deflate")]
    deflate: Option<nest_gateway_wire::DeflateConfig>,
}

impl Native {
    /// The adapter with its defaults: namespaces at their own paths, no
    /// subprotocols but the msgpack one (with the feature `msgpack`).
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts all namespaces under a path: with `/ws`, `/chat` is at `/ws/chat`
    /// and `/` at `/ws`.
    pub fn at(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Accepts a subprotocol, whose name is a token (RFC 6455, section 4.1);
    /// another one stops the start-up. A client that offers several gets the first of
    /// its own list that was configured; one that offers only unknown ones is
    /// accepted without any.
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// Switches connection state recovery on: a client that loses its connection, and comes
    /// back in time with `?session=..&offset=..`, has its id, rooms, data and the events
    /// that it missed, and `Client::recovered` is true. The connection guards are asked
    /// again. Takes a [`Recovery`] with all its bounds, or a `Duration` for their
    /// defaults. Default: off.
    ///
    /// The first frame then is the event `$session`, and events have an `offset`; see the
    /// book's wire reference. The session is a secret that stands in the query, which
    /// proxies like to log.
    pub fn recovery(mut self, recovery: impl Into<Recovery>) -> Self {
        self.recovery = Some(recovery.into());
        self
    }

    /// Compresses messages for clients that offer permessage-deflate (RFC
    /// 7692). Off by default: it costs time, and memory for each connection that
    /// keeps its window.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, config: nest_gateway_wire::DeflateConfig) -> Self {
        self.deflate = Some(config);
        self
    }
}

impl Adapter for Native {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::all();
        capabilities.multiplexing = false;
        capabilities.recovery = self.recovery.is_some();
        capabilities
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        let prefix = self.prefix.trim_end_matches('/');
        if !prefix.is_empty() && !prefix.starts_with('/') {
            return Err(format!(
                "the path \"{}\" does not begin with a slash; write Native::new().at(\"/{}\")",
                self.prefix, self.prefix
            ));
        }
        if let Some(name) = self.subprotocols.iter().find(|name| !is_token(name)) {
            return Err(format!(
                "no client can offer the subprotocol \"{name}\", since it is no token; write a name \
                 of letters, digits and any of !#$%&'*+-.^_`|~, as in \"chat.v2\""
            ));
        }
        let recovery = self
            .recovery
            .map(|recovery| RecoveryStore::new(recovery, &host));
        let recovery = recovery.transpose()?;
        let tasks = recovery.iter().map(|store| {
            let sweeping = Arc::clone(store).run(host.shutdown().clone());
            Box::pin(sweeping) as BoxFuture<'static, ()>
        });
        let tasks = tasks.collect();
        let endpoint = NativeEndpoint::new(prefix.to_owned(), self.clone(), host, recovery);
        Ok(Mount {
            endpoint: Some(Arc::new(endpoint)),
            tasks,
        })
    }
}
