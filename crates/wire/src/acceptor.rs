//! What the connections of one server share.

use std::sync::Arc;

use crate::clock::Clock;
use crate::flusher::FlusherHandle;
use crate::heartbeat::Rhythm;
use crate::outbox::{Outbox, Terms};
use crate::socket::WebSocketConfig;

/// What the connections of one server share, so that each of them carries a pointer only: their settings,
/// the flusher that writes for them, and the clock that tells them when to ping.
#[derive(Debug)]
pub struct Acceptor {
    pub(crate) config: WebSocketConfig,
    pub(crate) terms: Arc<Terms>,
    /// `None` where peers are not pinged.
    pub(crate) clock: Option<Clock<Outbox>>,
}

impl Acceptor {
    /// Starts what the connections need on the current tokio runtime. It ends with the last of them.
    pub fn new(config: WebSocketConfig, flusher: FlusherHandle) -> Arc<Self> {
        let shortest = config.ping_interval.map(|i| i.min(config.ping_timeout));
        Arc::new(Self {
            terms: Arc::new(Terms {
                config: config.outbox,
                flusher: Some(flusher),
            }),
            clock: shortest.map(Clock::spawn),
            config,
        })
    }

    /// When peers are pinged and given up, if they are.
    pub(crate) fn rhythm(&self) -> Option<Rhythm> {
        let interval = self.config.ping_interval?;
        Some(Rhythm {
            interval,
            timeout: self.config.ping_timeout,
        })
    }
}
