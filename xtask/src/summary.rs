//! What ran, what did not, and the closing line.

use std::fmt;
use std::time::Duration;

use crate::counts::Counts;
use crate::tier::Tier;

/// What became of each tier.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    ran: Vec<Ran>,
    left_out: Vec<(Tier, String)>,
}

#[derive(Debug)]
struct Ran {
    tier: Tier,
    success: bool,
    counts: Counts,
    took: Duration,
}

impl Summary {
    pub(crate) fn ran(&mut self, tier: Tier, success: bool, counts: Counts, took: Duration) {
        self.ran.push(Ran {
            tier,
            success,
            counts,
            took,
        });
    }

    pub(crate) fn left_out(&mut self, tier: Tier, why: String) {
        self.left_out.push((tier, why));
    }

    /// Whether the command as a whole succeeded.
    pub(crate) fn success(&self, skip_missing: bool) -> bool {
        let all_green = self
            .ran
            .iter()
            .all(|ran| ran.success && ran.counts.failed == 0);
        all_green && (skip_missing || self.left_out.is_empty())
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for ran in &self.ran {
            total += ran.counts;
        }
        total
    }
}

/// A table, then one last line that says it all.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Ran {
            tier,
            success,
            counts,
            took,
        } in &self.ran
        {
            let verdict = if *success { "ok" } else { "FAILED" };
            let seconds = took.as_secs_f32();
            writeln!(
                f,
                "{:<9} {verdict:<8} {counts} in {seconds:.1} s",
                tier.name()
            )?;
        }
        for (tier, why) in &self.left_out {
            writeln!(f, "{:<9} not run  {why}", tier.name())?;
        }
        let ran = names(self.ran.iter().map(|ran| {
            let failed = if ran.success { "" } else { " (failed)" };
            format!("{}{failed}", ran.tier.name())
        }));
        let left_out = names(self.left_out.iter().map(|(tier, _)| tier.name().to_owned()));
        write!(f, "{}; ran: {ran}; did not run: {left_out}", self.total())
    }
}

fn names(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_last_line_names_what_ran_and_what_did_not() {
        let mut summary = Summary::default();
        summary.ran(
            Tier::Rust,
            true,
            Counts {
                passed: 12,
                failed: 0,
                skipped: 0,
            },
            SECOND,
        );
        summary.left_out(Tier::Browser, "chromium: not found".to_owned());
        let text = summary.to_string();
        let last = text.lines().last();
        assert_eq!(
            last,
            Some("12 passed, 0 failed; ran: rust; did not run: browser")
        );
        assert!(text.contains("chromium: not found"));
    }

    #[test]
    fn a_tier_that_cannot_run_fails_the_command_unless_it_may_be_skipped() {
        let mut summary = Summary::default();
        summary.left_out(Tier::Clients, "node: not found".to_owned());
        assert!(!summary.success(false));
        assert!(summary.success(true));
    }

    #[test]
    fn a_failed_test_or_a_failed_step_fails_the_command() {
        let mut failed_test = Summary::default();
        failed_test.ran(
            Tier::Rust,
            true,
            Counts {
                passed: 1,
                failed: 1,
                skipped: 0,
            },
            SECOND,
        );
        assert!(!failed_test.success(true));
        let mut failed_step = Summary::default();
        failed_step.ran(Tier::Rust, false, Counts::default(), SECOND);
        assert!(!failed_step.success(true));
    }
}
