//! The last events that were sent to one client.

use std::collections::VecDeque;

use bytes::Bytes;

use super::offset::Offset;

/// What an event costs besides its bytes, as far as the bounds are concerned: its place here and
/// what its shared buffer needs.
const COST_OF_A_PLACE: usize = 64;

/// The bounds of one client's log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) events: usize,
    pub(super) bytes: usize,
    /// In seconds. No client can come back that late.
    pub(super) age: u32,
}

/// The last events of one client, within bounds. The bytes are shared with everybody who got the
/// same event.
#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The last event that was sent, kept or not. Whoever got it misses nothing.
    newest: Offset,
}

#[derive(Debug)]
struct Entry {
    offset: Offset,
    /// When it was sent, in seconds of the store's clock.
    sent: u32,
    /// Empty for a volatile event: it counts as a place, and is not sent again.
    event: Bytes,
}

impl Log {
    /// The log of a client that has not been sent anything since `start`.
    pub(super) fn new(start: Offset) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            newest: start,
        }
    }

    /// Keeps an event, at the cost of the oldest ones when a bound is reached.
    pub(super) fn push(&mut self, offset: Offset, event: Bytes, now: u32, bounds: &Bounds) {
        self.bytes += event.len();
        self.newest = offset;
        let sent = now;
        self.entries.push_back(Entry {
            offset,
            sent,
            event,
        });
        while self.entries.len() > bounds.events
            || self.bytes > bounds.bytes
            || self.oldest().is_some_and(|sent| now - sent > bounds.age)
        {
            self.give_up_oldest();
        }
    }

    /// Gives up the oldest event; `false` when there is none.
    pub(super) fn give_up_oldest(&mut self) -> bool {
        let Some(oldest) = self.entries.pop_front() else {
            return false;
        };
        self.bytes -= oldest.event.len();
        true
    }

    /// What the log weighs.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.entries.len() * COST_OF_A_PLACE
    }

    /// Everything behind `offset`; `None` when some of it is not kept any more, or that event was
    /// never sent to this client.
    pub(super) fn behind(&self, offset: Offset) -> Option<impl Iterator<Item = &Bytes>> {
        let first = if offset == self.newest {
            self.entries.len()
        } else {
            1 + self
                .entries
                .iter()
                .position(|entry| entry.offset == offset)?
        };
        let missed = self.entries.iter().skip(first);
        Some(
            missed
                .map(|entry| &entry.event)
                .filter(|event| !event.is_empty()),
        )
    }

    fn oldest(&self) -> Option<u32> {
        self.entries.front().map(|entry| entry.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(events: usize, bytes: usize) -> Bounds {
        Bounds {
            events,
            bytes,
            age: 100,
        }
    }

    fn log(events: &[&'static str], bounds: &Bounds) -> Log {
        let mut log = Log::new(Offset(0));
        for (event, number) in events.iter().zip(1..) {
            log.push(
                Offset(number),
                Bytes::from_static(event.as_bytes()),
                0,
                bounds,
            );
        }
        log
    }

    fn missed(log: &Log, offset: u64) -> Option<Vec<Bytes>> {
        let behind = log.behind(Offset(offset));
        behind.map(|events| events.cloned().collect())
    }

    #[test]
    fn what_came_behind_an_offset_is_given_in_order() {
        let log = log(&["a", "b", "", "d"], &bounds(10, 100));
        let behind_a = missed(&log, 1).expect("kept");
        assert_eq!(behind_a, ["b", "d"], "a volatile event is gone");
        assert_eq!(missed(&log, 3).expect("kept"), ["d"]);
        assert_eq!(missed(&log, 4).expect("kept"), [] as [&str; 0]);
        assert_eq!(missed(&log, 5), None, "never sent");
        assert_eq!(missed(&log, 0), None, "the start is not kept");
    }

    #[test]
    fn whoever_was_sent_nothing_misses_nothing() {
        assert_eq!(missed(&Log::new(Offset(7)), 7), Some(Vec::new()));
    }

    #[test]
    fn a_log_is_bounded_in_events() {
        let log = log(&["1", "2", "3", "4", "5"], &bounds(3, 100));
        assert_eq!(missed(&log, 2), None, "dropped, so that the gap is known");
        assert_eq!(missed(&log, 3).expect("kept"), ["4", "5"]);
    }

    #[test]
    fn a_log_is_bounded_in_bytes() {
        let bounds = bounds(10, 10);
        let mut log = log(&["1234", "1234"], &bounds);
        log.push(Offset(3), Bytes::from_static(b"12345678"), 0, &bounds);
        assert_eq!(missed(&log, 2), None);
        assert_eq!(log.bytes, 8);
        log.push(Offset(4), Bytes::from_static(b"12345678901"), 0, &bounds);
        assert_eq!(log.cost(), 0, "too large to be kept at all");
        assert_eq!(missed(&log, 3), None);
        assert_eq!(
            missed(&log, 4),
            Some(Vec::new()),
            "whoever got it misses nothing"
        );
    }

    #[test]
    fn a_log_is_bounded_in_time() {
        let bounds = bounds(10, 100);
        let mut log = log(&["a", "b"], &bounds);
        log.push(Offset(3), Bytes::from_static(b"c"), 100, &bounds);
        assert_eq!(missed(&log, 1).expect("kept"), ["b", "c"]);
        log.push(Offset(4), Bytes::from_static(b"d"), 101, &bounds);
        assert_eq!(missed(&log, 2), None);
        assert_eq!(missed(&log, 3).expect("kept"), ["d"]);
    }

    #[test]
    fn the_oldest_is_given_up_first() {
        let mut log = log(&["a", "b"], &bounds(10, 100));
        assert!(log.give_up_oldest());
        assert_eq!(missed(&log, 1), None);
        assert!(log.give_up_oldest());
        assert!(!log.give_up_oldest());
        assert_eq!(log.cost(), 0);
    }
}
