//! How many tests passed, read from what the test runners print.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Ignored, skipped or left to be written.
    pub(crate) skipped: u64,
}

impl Counts {
    /// The tests that this line of output reports; zero for any other line.
    pub(crate) fn of_line(line: &str) -> Self {
        let line = without_colours(line);
        let line = line.trim();
        if let Some(report) = line.strip_prefix("test result:") {
            return Self::of_phrases(report.split(['.', ';']));
        }
        if line.starts_with("Summary [") {
            let report = line.split_once(" run: ").map_or("", |(_, report)| report);
            return Self::of_phrases(report.split(','));
        }
        Self::of_node_line(line)
    }

    /// Sums phrases such as `3 passed`, `1 passed (1 slow)`, `2 timed out`.
    fn of_phrases<'a>(phrases: impl Iterator<Item = &'a str>) -> Self {
        let mut counts = Self::default();
        for phrase in phrases {
            let mut words = phrase.split_whitespace();
            let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else {
                continue;
            };
            match words.next() {
                Some("passed") => counts.passed += number,
                Some("failed" | "timed" | "exec") => counts.failed += number,
                Some("ignored" | "skipped") => counts.skipped += number,
                _ => {}
            }
        }
        counts
    }

    /// Lines of node's runner such as `# pass 3` (TAP) and `ℹ fail 0` (spec).
    fn of_node_line(line: &str) -> Self {
        let mut counts = Self::default();
        let words: Vec<_> = line.split_whitespace().collect();
        if let ["#" | "ℹ", kind, number] = words[..] {
            let number = number.parse().unwrap_or(0);
            match kind {
                "pass" => counts.passed = number,
                "fail" | "cancelled" => counts.failed = number,
                "skipped" | "todo" => counts.skipped = number,
                _ => {}
            }
        }
        counts
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// `12 passed, 0 failed`, and the skipped ones if there are any.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// The text without the escape sequences that colour a terminal.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            // A colour is an escape, a bracket, numbers, and one letter.
            rest.find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn the_report_of_cargo_test_is_read() {
        let line = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out";
        assert_eq!(Counts::of_line(line), counts(5, 2, 1));
    }

    #[test]
    fn the_summary_of_nextest_is_read() {
        let line = "     Summary [   0.905s] 9 tests run: 5 passed (1 slow), 2 failed, 2 timed out, 4 skipped";
        assert_eq!(Counts::of_line(line), counts(5, 4, 4));
        let line = "     Summary [   0.1s] 1/9 tests run: 1 passed, 0 skipped";
        assert_eq!(Counts::of_line(line), counts(1, 0, 0));
    }

    #[test]
    fn both_reports_of_the_node_runner_are_read() {
        assert_eq!(Counts::of_line("# pass 7"), counts(7, 0, 0));
        assert_eq!(Counts::of_line("ℹ fail 2"), counts(0, 2, 0));
        assert_eq!(Counts::of_line("ℹ cancelled 1"), counts(0, 1, 0));
        assert_eq!(Counts::of_line("ℹ tests 9"), counts(0, 0, 0));
    }

    #[test]
    fn colours_do_not_hide_a_report() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed";
        assert_eq!(Counts::of_line(line), counts(2, 0, 0));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Counts::of_line("test a_room ... ok"), Counts::default());
        assert_eq!(Counts::of_line("5 passed"), Counts::default());
    }
}
