//! `cargo xtask test`: set-up, then the tiers, then the summary.

use std::time::Instant;

use crate::cli::TestOptions;
use crate::doctor;
use crate::summary::Summary;
use crate::tier::Tier;

/// Installs what is missing and runs the tests; true when all is well.
pub(crate) fn run(options: &TestOptions) -> bool {
    let tiers = options.tiers();
    doctor::prepare(&tiers, options.yes);
    let mut summary = Summary::default();
    for tier in tiers {
        run_tier(tier, &mut summary);
    }
    println!("\n{summary}");
    summary.success(options.skip_missing)
}

fn run_tier(tier: Tier, summary: &mut Summary) {
    println!("== {} ==", tier.name());
    if let Some(why) = doctor::obstacle(tier) {
        println!("cannot run: {why}\n");
        summary.left_out(tier, why);
        return;
    }
    let start = Instant::now();
    let ended = tier.run();
    summary.ran(tier, ended.success, ended.counts, start.elapsed());
    println!();
}
