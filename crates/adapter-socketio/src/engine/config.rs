//! Limits and times of an Engine.IO server.

use std::time::Duration;

use nest_gateway_wire::OutboxConfig;

use super::cors::Cors;

/// Limits and times; every field has a default and is used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineConfig {
    /// From one sign of life to the next ping. Default 25 s.
    pub ping_interval: Duration,
    /// From a ping to the end of a client that does not answer. Default 20 s.
    pub ping_timeout: Duration,
    /// From the second transport's handshake to the end of the upgrade. Default 10 s.
    pub upgrade_timeout: Duration,
    /// How long a closed session waits for the client to take what is queued, and for
    /// the answer to a close frame. Default 5 s.
    pub close_timeout: Duration,
    /// How long the body of a POST may take to arrive. Default 30 s.
    pub body_timeout: Duration,
    /// The largest message, and the largest body of a POST, in bytes. Default 1,000,000.
    pub max_payload: usize,
    /// The packets in the body of a POST. Default 64.
    pub max_packets: usize,
    /// Sessions at a time; more are answered 503. Default: unlimited.
    pub max_sessions: Option<usize>,
    /// Whether HTTP long-polling is offered. Default: yes.
    pub polling: bool,
    /// Whether WebSocket is offered, from the start and as an upgrade. Default: yes.
    pub websocket: bool,
    /// The bounds of what is queued for a session, and the policy when they are reached.
    pub outbox: OutboxConfig,
    /// What of permessage-deflate is accepted when a client offers it for its WebSocket.
    /// Default: nothing.
    #[cfg(feature = "deflate")]
    pub deflate: Option<nest_gateway_wire::DeflateConfig>,
    /// Which other origins a browser may call from. Default: none.
    pub cors: Option<Cors>,
    /// The name of a cookie with the session's id, for load balancers that keep a
    /// session on one node. Default: none.
    pub cookie: Option<String>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(30),
            max_payload: 1_000_000,
            max_packets: 64,
            max_sessions: None,
            polling: true,
            websocket: true,
            outbox: OutboxConfig::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
            cors: None,
            cookie: None,
        }
    }
}
