//! What the pipeline costs: messages through a session in this process, with
//! no wire, in alternating rounds.
//!
//! `bare` is a handler that was registered as a plain function of the context;
//! the others add what their names say. The table gives the median over the
//! rounds and the ratio to `bare`.

mod gateways;
mod session;

use std::io::{self, Write as _};
use std::time::Instant;

use crate::gateways::{VARIANTS, Variant};
use crate::session::Driver;

/// Messages of a round: some milliseconds.
const MESSAGES: u32 = 20_000;
const ROUNDS: usize = 41;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut drivers = Vec::new();
    for variant in VARIANTS {
        drivers.push((variant, Driver::new(variant.gateway()).await));
    }
    let mut nanos: Vec<Vec<f64>> = vec![Vec::new(); drivers.len()];
    for round in 0..=ROUNDS {
        for (index, (_, driver)) in drivers.iter_mut().enumerate() {
            let started = Instant::now();
            driver.run(MESSAGES);
            // The first round only warms up.
            if round > 0 {
                nanos[index].push(started.elapsed().as_secs_f64() * 1e9 / f64::from(MESSAGES));
            }
        }
    }
    let names: Vec<_> = drivers.iter().map(|(variant, _)| *variant).collect();
    print(&names, &mut nanos)
}

fn print(variants: &[Variant], nanos: &mut [Vec<f64>]) -> io::Result<()> {
    let medians: Vec<_> = nanos.iter_mut().map(|rounds| median(rounds)).collect();
    let bare = medians[0];
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| gateway | ns per message | ratio to bare | ns for each |"
    )?;
    writeln!(out, "|---|---:|---:|---:|")?;
    for (variant, median) in variants.iter().zip(&medians) {
        let each = match variant.added() {
            0 => "-".to_owned(),
            added => format!("{:.0}", (median - bare) / f64::from(added)),
        };
        let ratio = median / bare;
        writeln!(
            out,
            "| {} | {median:.0} | {ratio:.3} | {each} |",
            variant.name()
        )?;
    }
    out.flush()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
