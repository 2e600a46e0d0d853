//! `cargo xtask ci`: everything that CI checks, on one shared target directory.

use std::time::{Duration, Instant};

use crate::cli::TestOptions;
use crate::doctor;
use crate::requirement::Requirement;
use crate::step::Step;
use crate::test;

/// One check before the tests.
struct Check {
    name: &'static str,
    step: Step,
}

/// Runs every check, whatever the others say, and then the tests.
pub(crate) fn run(options: &TestOptions) -> bool {
    let components = [
        Requirement::RustComponent("rustfmt"),
        Requirement::RustComponent("clippy"),
    ];
    doctor::prepare_requirements(&components, &[], options.yes);
    let verdicts: Vec<_> = checks().into_iter().map(run_check).collect();
    for (name, success, took) in &verdicts {
        let verdict = if *success { "ok" } else { "FAILED" };
        println!("{name:<24} {verdict:<8} {:.1} s", took.as_secs_f32());
    }
    println!();
    let tests = test::run(options);
    let failed: Vec<_> = verdicts
        .iter()
        .filter(|(_, success, _)| !success)
        .map(|(name, ..)| *name)
        .collect();
    if !failed.is_empty() {
        println!("failed before the tests: {}", failed.join(", "));
    }
    tests && failed.is_empty()
}

fn run_check(check: Check) -> (&'static str, bool, Duration) {
    println!("== {} ==", check.name);
    let start = Instant::now();
    let success = check.step.run_counted().success;
    println!();
    (check.name, success, start.elapsed())
}

/// The lints see every target once with all features, and then the façade and
/// the examples with each choice of adapters: the same user source has to
/// compile with either and with both. Checking does not generate code, so the
/// extra combinations cost little.
fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "format",
            step: Step::cargo("fmt --all --check"),
        },
        Check {
            name: "lints",
            step: clippy("--workspace --all-features --all-targets"),
        },
        Check {
            name: "native only",
            step: facade("native"),
        },
        Check {
            name: "socketio only",
            step: facade("socketio"),
        },
        Check {
            name: "native and socketio",
            step: facade("native,socketio"),
        },
        Check {
            name: "docs",
            step: Step::cargo("doc --workspace --all-features --no-deps")
                .env("RUSTDOCFLAGS", "-D warnings"),
        },
    ]
}

fn clippy(selection: &str) -> Step {
    Step::cargo("clippy")
        .args(selection.split(' '))
        .args(["--", "-D", "warnings"])
}

fn facade(features: &str) -> Step {
    clippy(&format!(
        "-p nest-gateway --no-default-features --features {features}"
    ))
}
