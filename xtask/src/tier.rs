//! The tiers of tests: what each needs and what each runs.

use crate::counts::Counts;
use crate::platform::answers;
use crate::requirement::{Requirement, chromium};
use crate::step::{Ended, Step};
use crate::workspace;

/// A group of tests that needs the same things on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Unit, integration, compile-fail and doc tests of every crate.
    Rust,
    /// The real npm clients against the fixture servers.
    Clients,
    /// The chat page in a real browser.
    Browser,
}

/// Every step that builds selects the same packages and features, because then
/// cargo compiles each crate once and all tiers share the result. The benches
/// stand apart: with all features they would compile the servers of others.
const PRODUCT: &str = "--workspace --exclude nest-gateway-benches --all-features";
const BENCHES: &str = "--package nest-gateway-benches";

impl Tier {
    /// All tiers, in the order they run: the quickest answer first.
    pub(crate) const ALL: [Self; 3] = [Self::Rust, Self::Clients, Self::Browser];

    /// The name that people type and read.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Clients => "clients",
            Self::Browser => "browser",
        }
    }

    /// The tier of this name, or a sentence with the names that exist.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|tier| tier.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no tier `{name}`; the tiers are {names}")
        })
    }

    /// What has to be on the machine, in the order it has to be installed.
    pub(crate) fn requirements(self) -> &'static [Requirement] {
        match self {
            Self::Rust => &[],
            Self::Clients => &[
                Requirement::Node,
                Requirement::Npm,
                Requirement::NpmPackages("tests/clients"),
            ],
            Self::Browser => &[
                Requirement::Node,
                Requirement::Npm,
                Requirement::NpmPackages("tests/browser"),
                Requirement::Chromium,
            ],
        }
    }

    /// Runs its tests and adds up what they report.
    ///
    /// A step that fails without a failed test could not build; the steps
    /// behind it would only say so again.
    pub(crate) fn run(self) -> Ended {
        let mut total = Ended {
            success: true,
            counts: Counts::default(),
        };
        for step in self.steps() {
            let ended = step.run_counted();
            total.success &= ended.success;
            total.counts += ended.counts;
            if !ended.success && ended.counts.failed == 0 {
                break;
            }
        }
        total
    }

    fn steps(self) -> Vec<Step> {
        match self {
            Self::Rust => rust_steps(),
            Self::Clients => vec![build_programs(), node_tests("tests/clients")],
            Self::Browser => vec![build_programs(), node_tests("tests/browser")],
        }
    }
}

/// The programs are built first, since the tests of the examples start them.
/// nextest is used where it is installed; it leaves out the doc tests.
fn rust_steps() -> Vec<Step> {
    if answers("cargo", &["nextest", "--version"]) {
        vec![
            build_programs(),
            cargo("nextest run --no-fail-fast --no-tests=pass", PRODUCT),
            cargo("nextest run --no-fail-fast --no-tests=pass", BENCHES),
            cargo("test --doc --no-fail-fast", PRODUCT),
            models(),
        ]
    } else {
        vec![
            build_programs(),
            cargo("test --no-fail-fast", PRODUCT),
            cargo("test --no-fail-fast", BENCHES),
            models(),
        ]
    }
}

/// The loom models of the outbox, the dirty list and the room index. They have
/// a target directory of their own, since the flag changes every crate, and are
/// optimised, since they run each test some ten thousand times.
fn models() -> Step {
    Step::cargo("test --profile models --lib -p nest-gateway-wire -p nest-gateway-core models::")
        .env("RUSTFLAGS", "--cfg loom")
        .env("CARGO_TARGET_DIR", workspace::target("loom"))
}

fn cargo(command: &str, selection: &str) -> Step {
    Step::cargo(command).args(selection.split(' '))
}

/// The fixture servers and the examples that tests talk to.
fn build_programs() -> Step {
    cargo("build --bins --examples", PRODUCT)
}

fn node_tests(directory: &str) -> Step {
    let step = Step::new("npm")
        .args(["test", "--silent", "--prefix", directory])
        .env("NEST_GATEWAY_PROGRAMS", workspace::programs());
    match chromium() {
        Some(path) => step.env("CHROMIUM", path),
        None => step,
    }
}
