//! Plots of a comparison, as SVG: a panel for each workload and in it a bar for
//! each server, on a logarithmic axis.

use std::fmt::Write as _;

use crate::comparison::{Outcome, Row};
use crate::report::three;

const PANEL_WIDTH: f64 = 560.0;
const LABEL_WIDTH: f64 = 122.0;
const VALUE_WIDTH: f64 = 96.0;
const ROW_HEIGHT: f64 = 21.0;
const HEAD: f64 = 58.0;
const FOOT: f64 = 30.0;
const GAP: f64 = 28.0;
const TITLE: f64 = 64.0;

const OURS: &str = "#d1495b";
const WIRE: &str = "#e39aa3";
const FLOOR: &str = "#8a8f98";
const OTHERS: &str = "#4a7fb5";

/// One bar: from where to where, and what is written behind it.
struct Bar {
    name: &'static str,
    color: &'static str,
    /// What the solid bar shows.
    value: f64,
    /// What a thin continuation of it shows, if anything.
    tail: Option<f64>,
    text: String,
}

struct Panel {
    title: String,
    subtitle: String,
    bars: Vec<Bar>,
}

fn color(outcome: &Outcome) -> &'static str {
    match outcome.server.name {
        "floor" | "floor-write" => FLOOR,
        "wire" => WIRE,
        _ if outcome.server.is_ours() => OURS,
        _ => OTHERS,
    }
}

/// The cost of each server under each workload.
#[must_use]
pub fn cost(rows: &[Row]) -> String {
    let panels = rows.iter().map(|row| Panel {
        title: format!("{}: {}", row.workload.name(), row.workload.unit()),
        subtitle: row.workload.description(),
        bars: row
            .outcomes
            .iter()
            .filter_map(|o| cost_bar(row, o))
            .collect(),
    });
    draw(
        "What a server spends",
        "Processor time or memory as the operating system counts it; shorter is better; \
         behind the figure its multiple of the floor. Logarithmic axes.",
        panels.collect(),
    )
}

fn cost_bar(row: &Row, outcome: &Outcome) -> Option<Bar> {
    let value = outcome.cost()?;
    let ratio = row.floor().and_then(|floor| outcome.ratio(floor));
    let text = match ratio {
        Some(ratio) => format!("{} ({}×)", three(value), three(ratio.median)),
        None => three(value),
    };
    Some(Bar {
        name: outcome.server.name,
        color: color(outcome),
        value,
        tail: None,
        text,
    })
}

/// The latency of each server under each workload that has one.
#[must_use]
pub fn latency(rows: &[Row]) -> String {
    let panels = rows.iter().map(|row| Panel {
        title: format!("{}: ms", row.workload.name()),
        subtitle: row.workload.description(),
        bars: row.outcomes.iter().filter_map(latency_bar).collect(),
    });
    draw(
        "How long a message takes",
        "Median (bar) and 99th percentile (line) in milliseconds, with as many messages in \
         flight as the workload says; shorter is better. Logarithmic axes.",
        panels.collect(),
    )
}

fn latency_bar(outcome: &Outcome) -> Option<Bar> {
    let latency = outcome.typical()?.latency?;
    let [p50, p99] = [latency.p50, latency.p99].map(|value| value.as_secs_f64() * 1e3);
    Some(Bar {
        name: outcome.server.name,
        color: color(outcome),
        value: p50,
        tail: Some(p99),
        text: format!("{} / {}", three(p50), three(p99)),
    })
}

/// A logarithmic axis over all values of a panel.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(bars: &[Bar]) -> Option<Self> {
        let ends = || {
            bars.iter()
                .flat_map(|bar| [Some(bar.value), bar.tail])
                .flatten()
                .filter(|value| *value > 0.0)
        };
        let (low, high) = (ends().reduce(f64::min)?, ends().reduce(f64::max)?);
        // Half of the smallest value keeps its bar visible.
        Some(Self {
            low: low / 2.0,
            high: (high * 1.1).max(low * 2.0),
        })
    }

    /// Pixels from the left end of the axis.
    fn at(&self, value: f64) -> f64 {
        let width = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH;
        let share = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        share * width
    }

    /// Round numbers on the axis, at most about seven.
    fn marks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = match decades {
            _ if decades > 3.0 => &[1.0],
            _ if decades > 1.6 => &[1.0, 3.0],
            _ => &[1.0, 2.0, 5.0],
        };
        #[expect(clippy::cast_possible_truncation, reason = "an exponent is small")]
        let (first, last) = (
            self.low.log10().floor() as i32,
            self.high.log10().ceil() as i32,
        );
        (first..=last)
            .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
            .filter(|mark| *mark >= self.low && *mark <= self.high)
            .collect()
    }
}

fn draw(title: &str, subtitle: &str, mut panels: Vec<Panel>) -> String {
    panels.retain(|panel| !panel.bars.is_empty());
    // Two columns; each panel goes to the one that is shorter so far.
    let mut heights = [TITLE; 2];
    let mut body = String::new();
    for panel in &panels {
        let column = usize::from(heights[1] < heights[0]);
        let x = [GAP, GAP * 2.0 + PANEL_WIDTH][column];
        let _ = write!(body, "<g transform=\"translate({x},{})\">", heights[column]);
        heights[column] += draw_panel(panel, &mut body) + GAP;
        body.push_str("</g>\n");
    }
    let (width, height) = (PANEL_WIDTH * 2.0 + GAP * 3.0, heights[0].max(heights[1]));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"12\" fill=\"#20242b\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{GAP}\" y=\"30\" font-size=\"19\" font-weight=\"600\">{}</text>\n\
         <text x=\"{GAP}\" y=\"49\" fill=\"#5b6270\">{}</text>\n{body}</svg>\n",
        escaped(title),
        escaped(subtitle),
    )
}

/// Draws one panel and returns its height.
fn draw_panel(panel: &Panel, out: &mut String) -> f64 {
    let Some(axis) = Axis::over(&panel.bars) else {
        return 0.0;
    };
    #[expect(clippy::cast_precision_loss, reason = "a handful of bars")]
    let bars_height = panel.bars.len() as f64 * ROW_HEIGHT;
    let bottom = HEAD + bars_height;
    let _ = writeln!(
        out,
        "<text y=\"20\" font-size=\"14\" font-weight=\"600\">{}</text>\
         <text y=\"38\" fill=\"#5b6270\" font-size=\"11\">{}</text>",
        escaped(&panel.title),
        escaped(&panel.subtitle),
    );
    for mark in axis.marks() {
        let x = LABEL_WIDTH + axis.at(mark);
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{bottom}\" stroke=\"#e3e6ea\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#7b8290\" \
             font-size=\"10\">{}</text>",
            HEAD - 6.0,
            bottom + 14.0,
            plain(mark),
        );
    }
    let mut y = HEAD;
    for bar in &panel.bars {
        draw_bar(bar, &axis, y, out);
        y += ROW_HEIGHT;
    }
    bottom + FOOT
}

fn draw_bar(bar: &Bar, axis: &Axis, y: f64, out: &mut String) {
    let width = axis.at(bar.value);
    let (middle, thickness) = (y + ROW_HEIGHT / 2.0, ROW_HEIGHT - 7.0);
    let mut end = LABEL_WIDTH + width;
    let weight = if bar.color == OURS { "600" } else { "400" };
    let _ = write!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-weight=\"{weight}\">{}</text>\
         <rect x=\"{LABEL_WIDTH}\" y=\"{}\" width=\"{width:.1}\" height=\"{thickness}\" \
         fill=\"{}\"/>",
        LABEL_WIDTH - 8.0,
        middle + 4.0,
        escaped(bar.name),
        y + 3.5,
        bar.color,
    );
    if let Some(tail) = bar.tail {
        let tail_end = LABEL_WIDTH + axis.at(tail);
        let _ = write!(
            out,
            "<line x1=\"{end:.1}\" x2=\"{tail_end:.1}\" y1=\"{middle}\" y2=\"{middle}\" \
             stroke=\"{0}\" stroke-width=\"2\"/><line x1=\"{tail_end:.1}\" x2=\"{tail_end:.1}\" \
             y1=\"{1}\" y2=\"{2}\" stroke=\"{0}\" stroke-width=\"2\"/>",
            bar.color,
            middle - 4.0,
            middle + 4.0,
        );
        end = end.max(tail_end);
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{}\" font-size=\"11\" paint-order=\"stroke\" stroke=\"#ffffff\" \
         stroke-width=\"3\">{}</text>",
        end + 6.0,
        middle + 4.0,
        escaped(&bar.text),
    );
}

/// A round number without zeros that say nothing.
fn plain(value: f64) -> String {
    if value >= 1.0 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.5}");
        text.trim_end_matches('0').to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(values: &[f64]) -> Vec<Bar> {
        let bar = |&value| Bar {
            name: "x",
            color: OTHERS,
            value,
            tail: None,
            text: String::new(),
        };
        values.iter().map(bar).collect()
    }

    #[test]
    fn a_greater_value_has_a_longer_bar_and_every_bar_fits() {
        let axis = Axis::over(&bars(&[0.087, 1.0, 190.0])).expect("values");
        let ends = [0.087, 1.0, 190.0].map(|value| axis.at(value));
        assert!(ends[0] > 5.0 && ends[0] < ends[1] && ends[1] < ends[2]);
        assert!(ends[2] <= PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH);
    }

    #[test]
    fn an_axis_has_a_few_round_marks() {
        for values in [&[8.0, 12.0][..], &[0.08, 140.0], &[0.6, 16.0], &[3.0]] {
            let marks = Axis::over(&bars(values)).expect("values").marks();
            assert!((1..=8).contains(&marks.len()), "{values:?}: {marks:?}");
        }
    }

    #[test]
    fn a_panel_without_a_figure_is_left_out() {
        let panel = Panel {
            title: "empty".into(),
            subtitle: String::new(),
            bars: Vec::new(),
        };
        assert!(!draw("t", "s", vec![panel]).contains("empty"));
    }
}
