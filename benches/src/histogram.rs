//! A histogram of durations with a relative error below 4 %.

use std::time::Duration;

/// Sub-buckets of each power of two.
const STEPS: usize = 32;
/// Powers of two of nanoseconds: up to 2^40 ns, about 18 minutes.
const POWERS: usize = 40;

/// Counts durations in buckets whose width grows with the value.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; STEPS * POWERS],
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts `duration` once.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[index(nanos)] += 1;
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
        self.max = 0;
    }

    /// How many durations were recorded.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest duration recorded, exact.
    #[must_use]
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The upper end of the bucket below which `per_mille` of 1,000 lie.
    #[must_use]
    pub fn percentile(&self, per_mille: u64) -> Duration {
        let rank = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper(at).min(self.max));
            }
        }
        self.max()
    }
}

fn index(nanos: u64) -> usize {
    let steps = STEPS as u64;
    if nanos < steps {
        return usize::try_from(nanos).expect("below 32");
    }
    // The five bits below the highest one choose the step within the power.
    let shift = nanos.ilog2() - STEPS.ilog2();
    let step = usize::try_from((nanos >> shift) - steps).expect("below 32");
    let power = usize::try_from(shift + 1).expect("below 64");
    (power * STEPS + step).min(STEPS * POWERS - 1)
}

fn upper(at: usize) -> u64 {
    let (power, step) = (at / STEPS, (at % STEPS) as u64);
    if power == 0 {
        return step;
    }
    ((STEPS as u64 + step + 1) << (power - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_within_four_per_cent() {
        for nanos in (0..64).chain([100, 1_000, 12_345, 999_999, 123_456_789]) {
            let end = upper(index(nanos));
            assert!(end >= nanos, "{nanos} above its bucket's end {end}");
            assert!((end - nanos) * 25 <= nanos, "{nanos} far from {end}");
        }
    }

    #[test]
    fn percentiles_of_one_to_a_thousand_microseconds_are_found() {
        let mut histogram = Histogram::default();
        for micros in 1..=1_000 {
            histogram.record(Duration::from_micros(micros));
        }
        let p50 = histogram.percentile(500).as_micros();
        assert!((500..=520).contains(&p50), "p50 {p50}");
        let p99 = histogram.percentile(990).as_micros();
        assert!((990..=1_000).contains(&p99), "p99 {p99}");
        assert_eq!(histogram.max(), Duration::from_millis(1));
    }
}
