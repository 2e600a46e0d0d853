//! Instructions per operation of hot paths, counted by callgrind.
//!
//! Each target of the binary `micro` is run with two numbers of iterations; the
//! difference is free of start-up and of what happens once. The counts are the
//! same on a busy machine, so that continuous integration can judge them.
//!
//! Another compiler or C library makes other code of the same source. Accepted
//! counts therefore belong to a [`toolchain`], and on one that has none nothing
//! is judged.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::server::{has, workspace};

/// How much more than the recorded count is a failure, in per cent. Hash seeds
/// move counts by less.
const TOLERANCE: u64 = 3;
const FEW: u64 = 2_000;
const MANY: u64 = 12_000;

/// One counted target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The name `micro` knows it by.
    pub target: String,
    /// Instructions per operation.
    pub instructions: u64,
}

/// Counts every target of the binary `micro`.
///
/// # Errors
/// When valgrind is missing or a run fails.
pub fn count_all(micro: &PathBuf) -> Result<Vec<Count>, String> {
    if !has("valgrind", "--version") {
        return Err("valgrind is not installed (apt-get install valgrind)".into());
    }
    let list = Command::new(micro)
        .output()
        .map_err(|error| format!("{} does not start: {error}", micro.display()))?;
    String::from_utf8_lossy(&list.stdout)
        .lines()
        .map(|target| {
            let few = collected(micro, target, FEW)?;
            let many = collected(micro, target, MANY)?;
            Ok(Count {
                target: target.to_owned(),
                instructions: many.saturating_sub(few) / (MANY - FEW),
            })
        })
        .collect()
}

/// Instructions of a whole run of `micro`.
fn collected(micro: &PathBuf, target: &str, iterations: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(micro)
        .args([target, &iterations.to_string()])
        .stdout(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{target} failed under valgrind:\n{text}"));
    }
    collected_in(&text).ok_or_else(|| format!("valgrind gave no count:\n{text}"))
}

/// The number behind `Collected :` in what callgrind prints.
fn collected_in(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("Collected : ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Where the accepted counts are.
#[must_use]
pub fn record() -> PathBuf {
    workspace().join("benches/instructions.tsv")
}

/// What the counts depend on besides the source: compiler, processor family, and
/// the C library with its allocator, as `rustc 1.95.0 x86_64-unknown-linux-gnu
/// glibc 2.36`.
///
/// # Errors
/// When the compiler does not say who it is.
pub fn toolchain() -> Result<String, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = output(Command::new(rustc).arg("-vV").current_dir(workspace()))?;
    let field = |name: &str| {
        let line = about.lines().find_map(|line| line.strip_prefix(name));
        line.ok_or_else(|| format!("rustc did not say its {name}"))
    };
    let (release, host) = (field("release: ")?, field("host: ")?);
    // Where there is another library, its allocator is part of the host.
    let libc = output(Command::new("getconf").arg("GNU_LIBC_VERSION")).unwrap_or_default();
    Ok(format!("rustc {release} {host} {libc}").trim().to_owned())
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stderr(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?} does not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(format!("{command:?} ended with {}", output.status))
    }
}

/// The counts accepted on this toolchain; `None` when there are none.
///
/// # Errors
/// When the file is not readable.
pub fn recorded(toolchain: &str) -> Result<Option<Vec<Count>>, String> {
    let file = record();
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let counts = of_toolchain(&text, toolchain);
    Ok(Some(counts).filter(|counts| !counts.is_empty()))
}

fn of_toolchain(text: &str, toolchain: &str) -> Vec<Count> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines
        .filter(|(of, _)| *of == toolchain)
        .filter_map(|(_, count)| parse_count(count))
        .collect()
}

fn parse_count(text: &str) -> Option<Count> {
    let (target, instructions) = text.split_once('\t')?;
    Some(Count {
        target: target.to_owned(),
        instructions: instructions.parse().ok()?,
    })
}

/// Accepts `counts` on this toolchain, in place of what was accepted on it and
/// on older ones for the same host: those could not be kept up to date here.
///
/// # Errors
/// When the file cannot be written.
pub fn accept(toolchain: &str, counts: &[Count]) -> Result<(), String> {
    let before = fs::read_to_string(record()).unwrap_or_default();
    fs::write(record(), accepted(&before, toolchain, counts)).map_err(|error| error.to_string())
}

fn accepted(before: &str, toolchain: &str, counts: &[Count]) -> String {
    let host = |toolchain: &str| toolchain.split(' ').nth(2).map(str::to_owned);
    let of_other_hosts = |line: &&str| {
        let (of, _) = line.split_once('\t').unwrap_or((line, ""));
        host(of).is_some() && host(of) != host(toolchain)
    };
    let mut text = String::new();
    for line in before.lines().filter(of_other_hosts) {
        let _ = writeln!(text, "{line}");
    }
    for count in counts {
        let _ = writeln!(
            text,
            "{toolchain}\t{}\t{}",
            count.target, count.instructions
        );
    }
    text
}

/// What got worse or has no record, one line each.
#[must_use]
pub fn regressions(counts: &[Count], recorded: &[Count]) -> Vec<String> {
    let mut lines = Vec::new();
    for count in counts {
        let Count {
            target,
            instructions,
        } = count;
        match recorded.iter().find(|record| record.target == *target) {
            None => lines.push(format!("{target}: no accepted count")),
            Some(record) if instructions * 100 > record.instructions * (100 + TOLERANCE) => {
                lines.push(format!(
                    "{target}: {instructions} instructions, accepted were {}",
                    record.instructions
                ));
            }
            Some(_) => {}
        }
    }
    for record in recorded {
        if !counts.iter().any(|count| count.target == record.target) {
            lines.push(format!("{}: accepted but not counted", record.target));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(&str, u64)]) -> Vec<Count> {
        list.iter()
            .map(|&(target, instructions)| Count {
                target: target.to_owned(),
                instructions,
            })
            .collect()
    }

    #[test]
    fn the_count_is_read_from_what_callgrind_prints() {
        let text = "==7== Events    : Ir\n==7== Collected : 2412331\n==7==\n";
        assert_eq!(collected_in(text), Some(2_412_331));
    }

    #[test]
    fn more_than_three_per_cent_is_a_regression_and_less_is_not() {
        let accepted = counts(&[("parse", 100)]);
        assert!(regressions(&counts(&[("parse", 103)]), &accepted).is_empty());
        assert!(regressions(&counts(&[("parse", 50)]), &accepted).is_empty());
        assert_eq!(regressions(&counts(&[("parse", 104)]), &accepted).len(), 1);
    }

    #[test]
    fn accepting_replaces_what_was_accepted_for_the_same_host() {
        let (old, new) = (
            "rustc 1.94.0 x86_64-linux glibc 2.36",
            "rustc 1.95.0 x86_64-linux glibc 2.36",
        );
        let other = "rustc 1.94.0 aarch64-linux glibc 2.36";
        let text = accepted("", old, &counts(&[("parse", 100)]));
        let text = accepted(&text, other, &counts(&[("parse", 90)]));
        let text = accepted(&text, new, &counts(&[("parse", 80)]));
        assert_eq!(of_toolchain(&text, old), []);
        assert_eq!(of_toolchain(&text, other), counts(&[("parse", 90)]));
        assert_eq!(of_toolchain(&text, new), counts(&[("parse", 80)]));
    }

    #[test]
    fn a_target_on_one_side_only_is_reported() {
        let (one, other) = (counts(&[("a", 1)]), counts(&[("b", 1)]));
        assert_eq!(regressions(&one, &other).len(), 2);
    }
}
