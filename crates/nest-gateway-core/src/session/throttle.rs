//! How many messages a client may send.

use std::time::{Duration, Instant};

/// A token bucket that holds one second's worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Throttle {
    per_second: u32,
    tokens: f64,
    filled: Instant,
}

impl Throttle {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        Self {
            per_second,
            tokens: f64::from(per_second),
            filled: now,
        }
    }

    /// Takes one token; `false` when there is none.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        let passed: Duration = now.saturating_duration_since(self.filled);
        let gained = passed.as_secs_f64() * f64::from(self.per_second);
        self.tokens = (self.tokens + gained).min(f64::from(self.per_second));
        self.filled = now;
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seconds_worth_passes_at_once_and_more_only_with_time() {
        let start = Instant::now();
        let mut throttle = Throttle::new(3, start);
        assert!((0..3).all(|_| throttle.admits(start)));
        assert!(!throttle.admits(start));
        let later = start + Duration::from_millis(400);
        assert!(throttle.admits(later));
        assert!(!throttle.admits(later));
    }
}
