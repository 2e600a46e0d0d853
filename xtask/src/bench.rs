//! `cargo xtask bench`: the bench package in release mode.

use crate::step::Step;

/// Runs the benchmarks with these arguments, or all of them without any; true
/// when they succeeded.
pub(crate) fn run(arguments: &[String]) -> bool {
    let all = ["all".to_owned()];
    let arguments = if arguments.is_empty() {
        &all
    } else {
        arguments
    };
    Step::cargo("run --release --package nest-gateway-benches --")
        .args(arguments)
        .run()
}
