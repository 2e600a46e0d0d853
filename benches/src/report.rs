//! Tables of a comparison, as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use crate::comparison::{Outcome, Row};
use crate::machine;
use crate::server::{self, Server};
use crate::workload::Workload;

/// The servers of `rows` in the order of the list.
fn columns(rows: &[Row]) -> Vec<Server> {
    server::ALL
        .into_iter()
        .filter(|server| rows.iter().any(|row| row.of(server.name).is_some()))
        .collect()
}

/// The whole report: machine, ratios, absolute figures, failures.
#[must_use]
pub fn markdown(rows: &[Row], rounds: usize) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# Results\n\n\
         Written by `cargo run --release -p nest-gateway-benches --features peers -- all`; \
         the method is in [README.md](README.md). Medians of {rounds} alternating rounds. \
         Ratios are sound, absolute figures belong to the machine.\n"
    );
    for (what, value) in machine::describe() {
        let _ = writeln!(out, "- {what}: {value}");
    }
    section(&mut out, "Cost as a multiple of the floor", &ratios(rows));
    section(&mut out, "Cost", &costs(rows));
    section(
        &mut out,
        "Latency, median / 99th percentile in ms",
        &latencies(rows),
    );
    section(&mut out, "Operations per second", &rates(rows));
    section(&mut out, "Resident memory at the end, MiB", &memory(rows));
    let failures = failures(rows);
    if !failures.is_empty() {
        let _ = write!(out, "\n## Failures\n\n{failures}");
    }
    let servers = columns(rows).into_iter();
    let servers = servers.map(|server| format!("- `{}`: {}\n", server.name, server.description));
    section(&mut out, "Servers", &servers.collect::<String>());
    let workloads = rows.iter().map(|row| {
        let (name, text) = (row.workload.name(), row.workload.description());
        format!("- `{name}`: {text}; {}\n", row.workload.unit())
    });
    section(&mut out, "Workloads", &workloads.collect::<String>());
    let _ = write!(
        out,
        "\n## Plots\n\n![Cost of each server under each workload](plots/cost.svg)\n\n\
         ![Latency of each server under each workload](plots/latency.svg)\n"
    );
    out
}

/// A section, between the anchors by which the book includes it: its title's
/// words.
fn section(out: &mut String, title: &str, content: &str) {
    let anchor = anchor(title);
    let _ = write!(
        out,
        "\n## {title}\n\n<!-- ANCHOR: {anchor} -->\n\n{content}\n<!-- ANCHOR_END: {anchor} -->\n"
    );
}

fn anchor(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

/// A table with a row for each workload and a column for each server.
fn table(rows: &[Row], cell: impl Fn(&Row, &Outcome) -> String) -> String {
    let columns = columns(rows);
    let mut cells = vec![vec!["workload".to_owned()]];
    cells[0].extend(columns.iter().map(|server| server.name.to_owned()));
    for row in rows {
        let mut line = vec![row.workload.name()];
        line.extend(columns.iter().map(|server| {
            row.of(server.name).map_or_else(
                || "-".to_owned(),
                |outcome| match &outcome.failure {
                    Some(_) => "failed".to_owned(),
                    None => cell(row, outcome),
                },
            )
        }));
        cells.push(line);
    }
    aligned(&cells)
}

/// Pads the cells so that the table also reads well on a terminal.
fn aligned(cells: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..cells[0].len())
        .map(|at| {
            cells
                .iter()
                .map(|line| line[at].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for (index, line) in cells.iter().enumerate() {
        for (at, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let _ = match at {
                0 => write!(out, "| {cell:<width$} "),
                _ => write!(out, "| {cell:>width$} "),
            };
        }
        out.push_str("|\n");
        if index == 0 {
            for (at, &width) in widths.iter().enumerate() {
                let dashes = "-".repeat(width);
                let _ = match at {
                    0 => write!(out, "|-{dashes}-"),
                    _ => write!(out, "|-{dashes}:"),
                };
            }
            out.push_str("|\n");
        }
    }
    out
}

/// The ratios to the floor; memory, where a ratio to almost nothing says
/// nothing, is left to [`costs`].
#[must_use]
pub fn ratios(rows: &[Row]) -> String {
    let rows: Vec<Row> = rows
        .iter()
        .filter(|row| row.workload != Workload::Idle && row.floor().is_some())
        .cloned()
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    table(&rows, |row, outcome| {
        row.floor()
            .and_then(|floor| outcome.ratio(floor))
            .map_or_else(String::new, |ratio| {
                if outcome.samples.len() > 1 && outcome.server.name != "floor" {
                    format!(
                        "{} ({}-{})",
                        three(ratio.median),
                        three(ratio.min),
                        three(ratio.max)
                    )
                } else {
                    three(ratio.median)
                }
            })
    })
}

/// The costs in each workload's own unit.
#[must_use]
pub fn costs(rows: &[Row]) -> String {
    let unit = |row: &Row| format!("{} ({})", row.workload.name(), row.workload.unit());
    let plain = table(rows, |_, outcome| {
        outcome.cost().map_or_else(String::new, three)
    });
    // The unit belongs to the row's name; the table is made again around it.
    let mut lines: Vec<Vec<String>> = plain
        .lines()
        .enumerate()
        .filter(|(index, _)| *index != 1)
        .map(|(_, line)| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect();
    for (line, row) in lines[1..].iter_mut().zip(rows) {
        line[0] = unit(row);
    }
    aligned(&lines)
}

fn latencies(rows: &[Row]) -> String {
    table(rows, |_, outcome| {
        let latency = outcome.typical().and_then(|sample| sample.latency);
        latency.map_or_else(
            || "-".to_owned(),
            |latency| format!("{} / {}", millis(latency.p50), millis(latency.p99)),
        )
    })
}

fn rates(rows: &[Row]) -> String {
    table(rows, |_, outcome| {
        outcome.typical().map_or_else(String::new, |sample| {
            #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
            let rate = sample.operations as f64 / sample.wall.as_secs_f64();
            format!("{rate:.0}")
        })
    })
}

fn memory(rows: &[Row]) -> String {
    table(rows, |_, outcome| {
        outcome.typical().map_or_else(String::new, |sample| {
            format!("{}", sample.resident_kib.div_ceil(1024))
        })
    })
}

/// What went wrong, one line each.
#[must_use]
pub fn failures(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        for outcome in &row.outcomes {
            if let Some(failure) = &outcome.failure {
                let name = outcome.server.name;
                let _ = writeln!(out, "- `{name}` under `{}`: {failure}", row.workload.name());
            }
        }
    }
    out
}

fn millis(duration: Duration) -> String {
    three(duration.as_secs_f64() * 1e3)
}

/// Three significant digits, without an exponent.
#[must_use]
pub fn three(value: f64) -> String {
    match value {
        _ if value >= 99.95 => format!("{value:.0}"),
        _ if value >= 9.995 => format!("{value:.1}"),
        _ if value >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{self, Sample};

    fn row(costs: [f64; 2]) -> Row {
        let outcomes = [server::ALL[0], server::ALL[2]]
            .into_iter()
            .zip(costs)
            .map(|(server, cost)| Outcome {
                server,
                samples: vec![Sample {
                    cost,
                    ..Sample::default()
                }],
                failure: None,
            })
            .collect();
        Row {
            workload: workload::ALL[0],
            outcomes,
        }
    }

    #[test]
    fn the_table_of_ratios_has_the_floor_as_one() {
        let table = ratios(&[row([8.0, 10.0])]);
        let last = table.lines().last().expect("a row");
        let cells: Vec<_> = last.split('|').map(str::trim).collect();
        assert_eq!(cells[1..4], ["broadcast-1-128", "1.00", "1.25"]);
    }

    #[test]
    fn a_failure_is_in_the_table_and_in_the_list() {
        let mut row = row([8.0, 10.0]);
        row.outcomes[1].failure = Some("lost message 7".into());
        let report = markdown(&[row], 1);
        assert!(report.contains(" failed |"));
        assert!(report.contains("- `native` under `broadcast-1-128`: lost message 7"));
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let shown = [1234.5, 99.96, 12.345, 1.0, 0.08766].map(three);
        assert_eq!(shown, ["1234", "100", "12.3", "1.00", "0.088"]);
    }
}
