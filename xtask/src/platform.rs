//! How software is installed on this machine.

use std::process::{Command, Stdio};

use crate::step::Step;

/// The package managers that the set-up can drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageManager {
    /// Debian, Ubuntu and their relatives.
    Apt,
    /// Homebrew on macOS or Linux.
    Brew,
}

impl PackageManager {
    /// The one of this machine, if it has one that is known here.
    pub(crate) fn detect() -> Option<Self> {
        if answers("apt-get", &["--version"]) {
            Some(Self::Apt)
        } else if answers("brew", &["--version"]) {
            Some(Self::Brew)
        } else {
            None
        }
    }

    /// The steps that install these packages, as a person would type them.
    pub(crate) fn install(self, packages: &[&str]) -> Vec<Step> {
        match self {
            Self::Apt => vec![
                apt().args(["update", "-qq"]),
                apt()
                    .args(["install", "-y", "-qq", "--no-install-recommends"])
                    .args(packages.iter().copied()),
            ],
            Self::Brew => vec![
                Step::new("brew")
                    .arg("install")
                    .args(packages.iter().copied()),
            ],
        }
    }
}

/// `apt-get`, which needs root's rights and asks nothing.
fn apt() -> Step {
    let step = if is_root() {
        Step::new("apt-get")
    } else {
        Step::new("sudo").arg("apt-get")
    };
    step.env("DEBIAN_FRONTEND", "noninteractive")
}

fn is_root() -> bool {
    output("id", &["-u"]).is_some_and(|id| id == "0")
}

/// Whether a program exists and succeeds with these arguments.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    output(program, arguments).is_some()
}

/// The trimmed standard output of a program that exists and succeeds.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(crate::workspace::root())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}
