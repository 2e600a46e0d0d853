//! The table of what the tests need, and the installation of what is missing.

use std::io::{IsTerminal, Write};

use crate::platform::PackageManager;
use crate::requirement::{Requirement, Status};
use crate::tier::Tier;

/// `cargo xtask doctor`: prints the table; true when nothing is missing.
pub(crate) fn run() -> bool {
    let missing = print_table(&requirements_of(&Tier::ALL));
    missing.is_empty()
}

/// Prints the table for these tiers and installs what is missing, after asking
/// once if somebody is there to be asked.
pub(crate) fn prepare(tiers: &[Tier], yes: bool) {
    let wanted: Vec<_> = tiers
        .iter()
        .flat_map(|tier| tier.requirements())
        .copied()
        .collect();
    prepare_requirements(&wanted, tiers, yes);
}

/// As [`prepare`], for things that no tier needs by itself.
pub(crate) fn prepare_requirements(wanted: &[Requirement], tiers: &[Tier], yes: bool) {
    let rows: Vec<_> = unique(wanted)
        .into_iter()
        .map(|wanted| (wanted, users(wanted, tiers)))
        .collect();
    if rows.is_empty() {
        return;
    }
    let missing = print_table(&rows);
    if !missing.is_empty() && (yes || nobody_is_there() || agreed()) {
        install(&missing);
        println!();
    }
}

/// The first thing that keeps a tier from running, as a phrase.
pub(crate) fn obstacle(tier: Tier) -> Option<String> {
    tier.requirements()
        .iter()
        .find_map(|wanted| match wanted.status() {
            Status::Present(_) => None,
            Status::Missing(why) => Some(format!("{}: {why}", wanted.name())),
        })
}

type Row = (Requirement, String);

fn requirements_of(tiers: &[Tier]) -> Vec<Row> {
    let wanted: Vec<_> = tiers
        .iter()
        .flat_map(|tier| tier.requirements())
        .copied()
        .collect();
    unique(&wanted)
        .into_iter()
        .map(|wanted| (wanted, users(wanted, tiers)))
        .collect()
}

fn unique(wanted: &[Requirement]) -> Vec<Requirement> {
    let mut unique = Vec::new();
    for requirement in wanted {
        if !unique.contains(requirement) {
            unique.push(*requirement);
        }
    }
    unique
}

/// The names of the tiers that need this.
fn users(wanted: Requirement, tiers: &[Tier]) -> String {
    let users = tiers
        .iter()
        .filter(|tier| tier.requirements().contains(&wanted));
    let names: Vec<_> = users.map(|tier| tier.name()).collect();
    if names.is_empty() {
        "ci".to_owned()
    } else {
        names.join(", ")
    }
}

/// Prints the table and returns what is missing.
fn print_table(rows: &[Row]) -> Vec<Requirement> {
    let manager = PackageManager::detect();
    let mut missing = Vec::new();
    println!(
        "{:<28} {:<18} {:<26} install with",
        "needed", "for", "found"
    );
    for (wanted, users) in rows {
        let name = wanted.name();
        match wanted.status() {
            Status::Present(seen) => println!("{name:<28} {users:<18} {seen:<26} -"),
            Status::Missing(why) => {
                let command = wanted.install_command(manager);
                println!("{name:<28} {users:<18} {why:<26} {command}");
                missing.push(*wanted);
            }
        }
    }
    println!();
    missing
}

fn nobody_is_there() -> bool {
    std::env::var_os("CI").is_some()
        || !std::io::stdin().is_terminal()
        || !std::io::stdout().is_terminal()
}

fn agreed() -> bool {
    print!("Install what is missing now? [Y/n] ");
    let mut answer = String::new();
    // Without an answer nothing is installed.
    let read = std::io::stdout()
        .flush()
        .and_then(|()| std::io::stdin().read_line(&mut answer));
    read.is_ok_and(|bytes| bytes > 0)
        && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

/// Installs system packages in one go, then what needs them; what fails here
/// is still missing afterwards and reported by the tier that needs it.
fn install(missing: &[Requirement]) {
    if let Some(manager) = PackageManager::detect() {
        let mut packages: Vec<_> = missing
            .iter()
            .filter_map(|wanted| wanted.package(manager))
            .collect();
        packages.dedup();
        if !packages.is_empty() {
            // A stale index is no reason not to try the installation itself.
            for step in manager.install(&packages) {
                step.run();
            }
        }
    }
    for step in missing.iter().filter_map(|wanted| wanted.own_install()) {
        step.run();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_that_two_tiers_need_is_listed_once_with_both_names() {
        let rows = requirements_of(&Tier::ALL);
        let nodes: Vec<_> = rows
            .iter()
            .filter(|(wanted, _)| *wanted == Requirement::Node)
            .collect();
        assert_eq!(nodes, [&(Requirement::Node, "clients, browser".to_owned())]);
    }

    #[test]
    fn the_rust_tier_needs_nothing_else() {
        assert_eq!(obstacle(Tier::Rust), None);
        assert!(requirements_of(&[Tier::Rust]).is_empty());
    }
}
