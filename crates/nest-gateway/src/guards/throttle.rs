//! How often a client may use an event.

use std::collections::HashMap;
use std::time::Duration;

use nest_gateway_core::dispatch::{ExecutionContext, Guard};
use nest_gateway_core::error::WsException;
use tokio::time::Instant;

/// Lets each client use each event so many times in a period; more is answered
/// with code `rate_limited` and the milliseconds to wait in `details`.
///
/// It counts by client and event: as a gateway's guard, every event has a
/// count of its own. The count refills steadily (a token bucket), so a client
/// may burst to the limit once.
///
/// ```
/// # use std::time::Duration;
/// # use nest_gateway::guards::ThrottleGuard;
/// let guard = ThrottleGuard::new(5, Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ThrottleGuard {
    limit: u32,
    period: Duration,
}

impl ThrottleGuard {
    /// At most `limit` messages in each `period`. A limit of 0 lets nothing
    /// through.
    #[must_use]
    pub fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period }
    }

    /// At most this many messages a second.
    #[must_use]
    pub fn per_second(limit: u32) -> Self {
        Self::new(limit, Duration::from_secs(1))
    }

    fn rate(&self) -> f64 {
        f64::from(self.limit) / self.period.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// The buckets of one client, by event. Only registered events come here, so
/// their number is bounded by the program.
#[derive(Default)]
struct Buckets(HashMap<String, Bucket>);

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Buckets {
    /// Takes a token; otherwise how long to wait for one.
    fn take(
        &mut self,
        event: &str,
        throttle: &ThrottleGuard,
        now: Instant,
    ) -> Result<(), Duration> {
        let full = f64::from(throttle.limit);
        if !self.0.contains_key(event) {
            let bucket = Bucket {
                tokens: full,
                filled: now,
            };
            self.0.insert(event.to_owned(), bucket);
        }
        let Some(bucket) = self.0.get_mut(event) else {
            return Ok(());
        };
        let gained = (now - bucket.filled).as_secs_f64() * throttle.rate();
        bucket.tokens = (bucket.tokens + gained).min(full);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let missing = (1.0 - bucket.tokens) / throttle.rate();
        Err(Duration::try_from_secs_f64(missing).unwrap_or(throttle.period))
    }
}

impl Guard for ThrottleGuard {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        let buckets = context.client().state::<Buckets>();
        let taken = buckets.with(|buckets| buckets.take(context.event(), self, Instant::now()));
        match taken {
            Ok(()) => Ok(true),
            Err(wait) => {
                let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                Err(WsException::new("Too many messages")
                    .with_code("rate_limited")
                    .with_details(&RetryAfter {
                        retry_after_ms: millis.max(1),
                    }))
            }
        }
    }
}

#[derive(serde::Serialize)]
struct RetryAfter {
    retry_after_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_burst_to_the_limit_and_then_waits() {
        let throttle = ThrottleGuard::new(2, Duration::from_secs(1));
        let (mut buckets, now) = (Buckets::default(), Instant::now());
        assert_eq!(buckets.take("a", &throttle, now), Ok(()));
        assert_eq!(buckets.take("a", &throttle, now), Ok(()));
        assert_eq!(
            buckets.take("a", &throttle, now),
            Err(Duration::from_millis(500))
        );
        assert_eq!(buckets.take("b", &throttle, now), Ok(()), "by event");
        let later = now + Duration::from_millis(500);
        assert_eq!(buckets.take("a", &throttle, later), Ok(()));
    }
}
