//! What the connections of one server share.

use std::sync::Arc;

use tokio::time::Instant;

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
    pub(crate) pulse: Option<Pulse>,
}

/// When peers are pinged, and who sees to it.
#[derive(Debug)]
pub(crate) struct Pulse {
    pub(crate) rhythm: Rhythm,
    pub(crate) clock: Clock<Outbox>,
}

impl Acceptor {
    /// Starts what the connections need on the current tokio runtime. It ends with the last of them.
    pub fn new(config: WebSocketConfig, flusher: FlusherHandle) -> Arc<Self> {
        let pulse = config.ping_interval.map(|interval| {
            let timeout = config.ping_timeout;
            Pulse {
                rhythm: Rhythm {
                    start: Instant::now(),
                    interval,
                    timeout,
                },
                clock: Clock::spawn(interval.min(timeout)),
            }
        });
        let terms = Terms {
            config: config.outbox,
            flusher: Some(flusher),
        };
        Arc::new(Self {
            config,
            terms: Arc::new(terms),
            pulse,
        })
    }
}
