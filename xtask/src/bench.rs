//! `cargo xtask bench`: the bench package in release mode.

use crate::step::Step;

/// Runs the benchmarks with these arguments; true when they succeeded.
pub(crate) fn run(arguments: &[String]) -> bool {
    Step::cargo("run --release --package nest-gateway-benches --")
        .args(arguments)
        .run()
}
