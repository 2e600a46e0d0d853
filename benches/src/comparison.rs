//! Several servers under the same workloads, in turn.

use crate::server::{Server, Surroundings};
use crate::workload::{self, Pace, Sample, Workload};

/// All rounds of one server under one workload.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Who.
    pub server: Server,
    /// One sample of each round that went well.
    pub samples: Vec<Sample>,
    /// What went wrong; there are no further rounds after it.
    pub failure: Option<String>,
}

impl Outcome {
    /// The median cost of all rounds.
    #[must_use]
    pub fn cost(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.cost).collect())
    }

    /// The sample with the median cost, for what has no median of its own.
    #[must_use]
    pub fn typical(&self) -> Option<&Sample> {
        let mut samples: Vec<_> = self.samples.iter().collect();
        samples.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        samples.get(samples.len() / 2).copied()
    }

    /// The median of the ratios to `base`, round by round, and the smallest and
    /// the largest of them.
    #[must_use]
    pub fn ratio(&self, base: &Self) -> Option<Ratio> {
        let ratios: Vec<f64> = self
            .samples
            .iter()
            .zip(&base.samples)
            .filter(|(_, base)| base.cost > 0.0)
            .map(|(sample, base)| sample.cost / base.cost)
            .collect();
        Some(Ratio {
            min: ratios.iter().copied().reduce(f64::min)?,
            max: ratios.iter().copied().reduce(f64::max)?,
            median: median(ratios)?,
        })
    }
}

/// How many times the cost of the floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The figure of the table.
    pub median: f64,
    /// Of the best round.
    pub min: f64,
    /// Of the worst round.
    pub max: f64,
}

/// The middle of some numbers; with an even count, the upper one of the two.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// All outcomes of one workload.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was done.
    pub workload: Workload,
    /// One entry for each server that can take part.
    pub outcomes: Vec<Outcome>,
}

impl Row {
    /// The outcome of the server called `name`.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Outcome> {
        self.outcomes
            .iter()
            .find(|outcome| outcome.server.name == name)
    }

    /// The server all others are compared with.
    #[must_use]
    pub fn floor(&self) -> Option<&Outcome> {
        self.of("floor")
    }
}

/// Runs `workload` `rounds` times against each server, one server after the
/// other and then from the start again, so that a change of the machine meets
/// all of them. `report` hears of every run.
pub fn run(
    surroundings: &Surroundings,
    workload: Workload,
    servers: &[Server],
    pace: Pace,
    rounds: usize,
    mut report: impl FnMut(Server, &Result<Sample, String>),
) -> Row {
    let mut outcomes: Vec<_> = servers
        .iter()
        .filter(|server| server.takes_part_in(workload))
        .map(|&server| Outcome {
            server,
            samples: Vec::new(),
            failure: None,
        })
        .collect();
    for _ in 0..rounds {
        for outcome in &mut outcomes {
            if outcome.failure.is_some() {
                continue;
            }
            let result = surroundings
                .start(outcome.server)
                .and_then(|running| workload::run(workload, running.target, pace));
            report(outcome.server, &result);
            match result {
                Ok(sample) => outcome.samples.push(sample),
                Err(failure) => outcome.failure = Some(failure),
            }
        }
    }
    Row { workload, outcomes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server;

    fn outcome(costs: &[f64]) -> Outcome {
        Outcome {
            server: server::ALL[0],
            samples: costs
                .iter()
                .map(|&cost| Sample {
                    cost,
                    ..Sample::default()
                })
                .collect(),
            failure: None,
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_each_round() {
        // The second round was slow for both, which must not count.
        let ratio = outcome(&[2.0, 30.0, 2.2]).ratio(&outcome(&[1.0, 10.0, 1.0]));
        let ratio = ratio.expect("three rounds");
        assert!((ratio.median - 2.2).abs() < 1e-9);
        assert!((ratio.min - 2.0).abs() < 1e-9);
        assert!((ratio.max - 3.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_round_there_is_no_ratio() {
        assert_eq!(outcome(&[]).ratio(&outcome(&[1.0])), None);
        assert_eq!(outcome(&[1.0]).ratio(&outcome(&[0.0])), None);
    }
}
