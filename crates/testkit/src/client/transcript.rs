//! The last frames of a client in both directions, for failure texts.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Frames kept for each direction; older ones are forgotten.
const KEPT_PER_DIRECTION: usize = 20;

/// Characters of a frame that are shown; the rest is counted.
const SHOWN_CHARACTERS: usize = 240;

/// A shared ring of the last 20 frames in each direction.
///
/// A driver writes to it, a failing expectation prints it.
#[derive(Clone, Debug)]
pub struct Transcript {
    lines: Arc<Mutex<Lines>>,
    begun: Instant,
}

#[derive(Debug, Default)]
struct Lines {
    next: u64,
    sent: VecDeque<Line>,
    received: VecDeque<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    order: u64,
    at: Duration,
    arrow: char,
    text: String,
}

impl Transcript {
    /// An empty transcript whose times count from now.
    pub fn new() -> Self {
        Self {
            lines: Arc::default(),
            begun: Instant::now(),
        }
    }

    /// Notes something that the client sent.
    pub fn sent(&self, text: impl AsRef<str>) {
        self.note('>', text.as_ref());
    }

    /// Notes something that the client received, or that happened to it.
    pub fn received(&self, text: impl AsRef<str>) {
        self.note('<', text.as_ref());
    }

    fn note(&self, arrow: char, text: &str) {
        let at = self.begun.elapsed();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let order = lines.next;
        lines.next += 1;
        let line = Line {
            order,
            at,
            arrow,
            text: shorten(text),
        };
        let ring = if arrow == '>' {
            &mut lines.sent
        } else {
            &mut lines.received
        };
        if ring.len() == KEPT_PER_DIRECTION {
            ring.pop_front();
        }
        ring.push_back(line);
    }
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<&Line> = lines.sent.iter().chain(&lines.received).collect();
        all.sort_by_key(|line| line.order);
        if all.is_empty() {
            return write!(f, "no frame was seen in either direction");
        }
        write!(f, "last frames (> sent, < received):")?;
        for line in all {
            let ms = line.at.as_secs_f64() * 1e3;
            write!(f, "\n  {ms:>9.1} ms {} {}", line.arrow, line.text)?;
        }
        Ok(())
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}.. ({} bytes)", &text[..cut], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_direction_does_not_push_out_the_other() {
        let transcript = Transcript::new();
        transcript.sent("the question");
        for i in 0..100 {
            transcript.received(format!("frame {i}"));
        }
        let shown = transcript.to_string();
        assert!(shown.contains("> the question"), "{shown}");
        assert!(shown.contains("< frame 99"), "{shown}");
        assert!(!shown.contains("< frame 79\n"), "{shown}");
    }

    #[test]
    fn long_frames_are_cut_at_a_character_and_counted() {
        let transcript = Transcript::new();
        transcript.sent("ä".repeat(500));
        assert!(transcript.to_string().ends_with(".. (1000 bytes)"));
    }
}
