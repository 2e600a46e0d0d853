//! `cargo xtask ci`: everything that CI checks, on one shared target directory.

use std::time::{Duration, Instant};

use crate::cli::TestOptions;
use crate::doctor;
use crate::platform::answers;
use crate::requirement::Requirement;
use crate::step::Step;
use crate::test;

/// One check before the tests.
struct Check {
    name: &'static str,
    step: Step,
}

impl Check {
    fn new(name: &'static str, step: Step) -> Self {
        Self { name, step }
    }
}

/// Runs every check, whatever the others say, and then the tests.
pub(crate) fn run(options: &TestOptions) -> bool {
    let components = [
        Requirement::RustComponent("rustfmt"),
        Requirement::RustComponent("clippy"),
        Requirement::Valgrind,
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
    let lints = "--workspace --all-features --all-targets";
    let docs = Step::cargo("doc --workspace --all-features --no-deps --keep-going");
    let mut checks = vec![
        Check::new("format", Step::cargo("fmt --all --check")),
        Check::new("lints", clippy(lints)),
        Check::new("native only", with_adapters(&["native"])),
        Check::new("socketio only", with_adapters(&["socketio"])),
        Check::new(
            "native and socketio",
            with_adapters(&["native", "socketio"]),
        ),
        Check::new(
            "no adapter",
            clippy("-p nest-gateway --no-default-features"),
        ),
        Check::new("docs", docs.env("RUSTDOCFLAGS", "-D warnings")),
    ];
    // It takes longer to install than everything here takes to run, so it is
    // used where it is installed; the advisories need the network.
    if answers("cargo", &["deny", "--version"]) {
        let deny = Step::cargo("deny --workspace check bans licenses sources");
        checks.push(Check::new("dependencies", deny));
    }
    // Where valgrind does not exist the counts are left to other machines.
    if answers("valgrind", &["--version"]) {
        let count = Step::cargo("run --release -p nest-gateway-benches -- instructions");
        checks.push(Check::new("instructions", count));
    }
    checks
}

/// The façade and the programs that users write on it, with these adapters.
fn with_adapters(adapters: &[&str]) -> Step {
    let features: Vec<_> = adapters
        .iter()
        .map(|adapter| format!("nest-gateway-workspace/{adapter}"))
        .collect();
    let features = features.join(",");
    clippy(&format!(
        "-p nest-gateway -p nest-gateway-workspace --lib --examples --no-default-features --features {features}"
    ))
}

fn clippy(selection: &str) -> Step {
    Step::cargo("clippy --keep-going")
        .args(selection.split(' '))
        .args(["--", "-D", "warnings"])
}
