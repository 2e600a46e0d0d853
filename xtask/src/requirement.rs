//! What a tier needs beside Rust: how it is found and how it is installed.

use std::path::PathBuf;

use crate::platform::{PackageManager, answers, output};
use crate::step::Step;
use crate::workspace;

/// One thing that has to be on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// A component of the Rust toolchain, named as rustup names it.
    RustComponent(&'static str),
    /// Node.js, [`OLDEST_NODE`] or newer.
    Node,
    /// npm, which Debian packages apart from Node.js.
    Npm,
    /// The locked npm packages of a directory of the workspace.
    NpmPackages(&'static str),
    /// A Chromium or Chrome that runs without a screen.
    Chromium,
    /// valgrind, which counts the instructions of the hot paths.
    Valgrind,
}

/// Whether a [`Requirement`] is met, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is here: its version or its place.
    Present(String),
    /// It is not: what is wrong.
    Missing(String),
}

/// The oldest Node.js whose test runner prints the report that is read here.
const OLDEST_NODE: (u32, u32) = (18, 15);

impl Requirement {
    /// What the table calls it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::RustComponent(component) => component.to_owned(),
            Self::Node => format!("node >= {}", OLDEST_NODE.0),
            Self::Npm => "npm".to_owned(),
            Self::NpmPackages(directory) => format!("{directory}/node_modules"),
            Self::Chromium => "chromium".to_owned(),
            Self::Valgrind => "valgrind".to_owned(),
        }
    }

    /// Looks for it on this machine.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::RustComponent(component) => {
                let subcommand = if component == "rustfmt" {
                    "fmt"
                } else {
                    component
                };
                found(output("cargo", &[subcommand, "--version"]))
            }
            Self::Node => node_status(output("node", &["--version"])),
            Self::Npm => found(output("npm", &["--version"])),
            Self::NpmPackages(directory) => npm_packages_status(directory),
            Self::Chromium => found(chromium().map(|path| path.display().to_string())),
            Self::Valgrind => found(output("valgrind", &["--version"])),
        }
    }

    /// The package of the machine's own package manager, if it comes from there.
    pub(crate) fn package(self, manager: PackageManager) -> Option<&'static str> {
        match (self, manager) {
            (Self::Node, PackageManager::Apt) => Some("nodejs"),
            (Self::Npm, PackageManager::Apt) => Some("npm"),
            (Self::Node | Self::Npm, PackageManager::Brew) => Some("node"),
            (Self::Chromium, _) => Some("chromium"),
            (Self::Valgrind, PackageManager::Apt) => Some("valgrind"),
            // valgrind does not run on today's macOS.
            (Self::Valgrind, PackageManager::Brew)
            | (Self::RustComponent(_) | Self::NpmPackages(_), _) => None,
        }
    }

    /// The step that installs it without the machine's package manager.
    pub(crate) fn own_install(self) -> Option<Step> {
        match self {
            Self::RustComponent(component) => {
                Some(Step::new("rustup").args(["component", "add", component]))
            }
            Self::NpmPackages(directory) => {
                Some(Step::new("npm").args(["ci", "--prefix", directory]))
            }
            Self::Node | Self::Npm | Self::Chromium | Self::Valgrind => None,
        }
    }

    /// The exact command that installs it, for people to read and paste.
    pub(crate) fn install_command(self, manager: Option<PackageManager>) -> String {
        if let Some(step) = self.own_install() {
            return step.to_string();
        }
        let Some(manager) = manager else {
            return format!(
                "install {} by hand (neither apt-get nor brew is here)",
                self.name()
            );
        };
        let packages: Vec<_> = self.package(manager).into_iter().collect();
        let steps = manager.install(&packages);
        let install = steps
            .last()
            .expect("a package manager installs by at least one step");
        install.to_string()
    }
}

/// The browser: `CHROMIUM` if set, else the usual names, else the macOS places.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(chosen)).filter(|path| path.is_file());
    }
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|program| program.is_file());
    let applications = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    on_path.or_else(|| {
        applications
            .map(PathBuf::from)
            .into_iter()
            .find(|program| program.is_file())
    })
}

fn found(seen: Option<String>) -> Status {
    seen.map_or_else(|| Status::Missing("not found".to_owned()), Status::Present)
}

fn node_status(version: Option<String>) -> Status {
    match version {
        Some(text) if node_version(&text).is_none_or(|version| version < OLDEST_NODE) => {
            Status::Missing(format!("{text} is too old"))
        }
        seen => found(seen),
    }
}

/// Major and minor number of the text `v20.11.1`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start_matches('v').split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some((major, minor))
}

/// npm writes its own lock into `node_modules` last, so a complete and current
/// installation is one whose inner lock is not older than the committed one.
fn npm_packages_status(directory: &str) -> Status {
    if !answers("npm", &["--version"]) {
        return Status::Missing("needs npm".to_owned());
    }
    let directory = workspace::root().join(directory);
    let modified = |file: &str| {
        directory
            .join(file)
            .metadata()
            .and_then(|meta| meta.modified())
    };
    let Ok(installed) = modified("node_modules/.package-lock.json") else {
        return Status::Missing("not installed".to_owned());
    };
    match modified("package-lock.json") {
        Ok(locked) if locked <= installed => Status::Present("installed".to_owned()),
        _ => Status::Missing("out of date".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_missing_and_says_its_version() {
        assert_eq!(
            node_status(Some("v16.20.2".to_owned())),
            Status::Missing("v16.20.2 is too old".to_owned())
        );
        assert_eq!(
            node_status(Some("v18.15.0".to_owned())),
            Status::Present("v18.15.0".to_owned())
        );
        assert_eq!(node_status(None), Status::Missing("not found".to_owned()));
    }

    #[test]
    fn a_system_package_is_installed_by_one_readable_command() {
        let command = Requirement::Node.install_command(Some(PackageManager::Brew));
        assert_eq!(command, "brew install node");
        let command = Requirement::Chromium.install_command(Some(PackageManager::Apt));
        assert!(command.ends_with("apt-get install -y -qq --no-install-recommends chromium"));
    }

    #[test]
    fn npm_packages_are_installed_from_their_lock_file() {
        let command = Requirement::NpmPackages("tests/clients").install_command(None);
        assert_eq!(command, "npm ci --prefix tests/clients");
    }

    #[test]
    fn without_a_package_manager_the_table_says_what_to_do_by_hand() {
        let command = Requirement::Chromium.install_command(None);
        assert!(command.starts_with("install chromium by hand"));
    }
}
