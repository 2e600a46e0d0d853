//! What the figures were measured on and with.

use std::fs;
use std::process::Command;

use crate::server::workspace;

/// Crates whose version says which peer was measured.
const CRATES: [&str; 7] = [
    "tokio",
    "mio",
    "axum",
    "tokio-tungstenite",
    "fastwebsockets",
    "socketioxide",
    "engineioxide",
];

/// Lines `what: value` that describe machine and versions.
#[must_use]
pub fn describe() -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("commit", commit()),
        ("processor", processor()),
        ("memory", memory()),
        ("system", output("uname", &["-sr"])),
        ("compiler", output("rustc", &["--version"])),
        ("node", output("node", &["--version"])),
        ("crates", crates()),
        ("npm", packages()),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn output(program: &str, args: &[&str]) -> String {
    Command::new(program)
        .args(args)
        .current_dir(workspace())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn commit() -> String {
    let hash = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = output("git", &["status", "--porcelain", "--untracked-files=no"]);
    if hash.is_empty() || changed.is_empty() {
        hash
    } else {
        format!("{hash} with changes")
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    // This process is kept on one core, so that it may not be asked itself.
    let cores = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    format!("{model}, {cores} cores")
}

fn memory() -> String {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok())
        .map(|kib| format!("{} MiB", kib / 1024))
        .unwrap_or_default()
}

fn crates() -> String {
    let lock = fs::read_to_string(workspace().join("Cargo.lock")).unwrap_or_default();
    let versions = CRATES.iter().filter_map(|name| {
        // The newest of several versions stands last.
        let (_, rest) = lock.rsplit_once(&format!("name = \"{name}\"\nversion = \""))?;
        let (version, _) = rest.split_once('"')?;
        Some(format!("{name} {version}"))
    });
    versions.collect::<Vec<_>>().join(", ")
}

fn packages() -> String {
    let file = workspace().join("benches/node/package.json");
    let text = fs::read_to_string(file).unwrap_or_default();
    let Some((_, dependencies)) = text.split_once("\"dependencies\"") else {
        return String::new();
    };
    let packages = dependencies.lines().filter_map(|line| {
        let (name, version) = line.trim().trim_end_matches(',').split_once(": ")?;
        let unquoted = |text: &str| text.trim_matches('"').to_owned();
        (version.starts_with('"')).then(|| format!("{} {}", unquoted(name), unquoted(version)))
    });
    packages.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bench_peer_is_named_with_its_version() {
        let crates = crates();
        for name in CRATES {
            assert!(crates.contains(&format!("{name} ")), "{name} in {crates}");
        }
        let packages = packages();
        assert!(packages.contains("ws "), "{packages}");
        assert!(packages.contains("socket.io "), "{packages}");
    }
}
