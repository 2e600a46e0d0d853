//! The last events that were sent to one client.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Limits;
use super::offset::Offset;

/// The last events of one client, within bounds. The bytes are shared with everybody who
/// got the same event.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    offset: Offset,
    /// Empty for a volatile event: it counts as a place, and is not sent again.
    event: Bytes,
}

impl Log {
    /// Keeps an event, at the cost of the oldest ones when a bound is reached.
    pub(super) fn push(&mut self, offset: Offset, event: Bytes, limits: &Limits) {
        self.bytes += event.len();
        self.entries.push_back(Entry { offset, event });
        while self.entries.len() > limits.events || self.bytes > limits.bytes {
            let Some(oldest) = self.entries.pop_front() else {
                return;
            };
            self.bytes -= oldest.event.len();
        }
    }

    /// Everything behind `offset`; `None` when that event is not kept any more, or was
    /// never sent to this client.
    pub(super) fn behind(&self, offset: Offset) -> Option<impl Iterator<Item = &Bytes>> {
        let position = self
            .entries
            .iter()
            .position(|entry| entry.offset == offset)?;
        let missed = self.entries.iter().skip(position + 1);
        Some(
            missed
                .map(|entry| &entry.event)
                .filter(|event| !event.is_empty()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::Offsets;

    fn limits(events: usize, bytes: usize) -> Limits {
        Limits {
            events,
            bytes,
            ..Limits::DEFAULT
        }
    }

    fn missed(log: &Log, offset: Offset) -> Option<Vec<Bytes>> {
        log.behind(offset).map(|events| events.cloned().collect())
    }

    #[test]
    fn what_came_behind_an_offset_is_given_in_order() {
        let (offsets, mut log) = (Offsets::new(), Log::default());
        let names: Vec<_> = (0..4).map(|_| offsets.next()).collect();
        for (name, event) in names.iter().zip(["a", "b", "", "d"]) {
            log.push(*name, Bytes::from(event), &limits(10, 100));
        }
        assert_eq!(
            missed(&log, names[0]).unwrap(),
            ["b", "d"],
            "a volatile event is gone"
        );
        assert_eq!(missed(&log, names[2]).unwrap(), ["d"]);
        assert_eq!(missed(&log, names[3]).unwrap(), [] as [&str; 0]);
        assert_eq!(missed(&log, offsets.next()), None);
    }

    #[test]
    fn a_log_is_bounded_in_events_and_in_bytes() {
        let (offsets, mut log) = (Offsets::new(), Log::default());
        let names: Vec<_> = (0..5).map(|_| offsets.next()).collect();
        for name in &names {
            log.push(*name, Bytes::from_static(b"1234"), &limits(3, 100));
        }
        assert_eq!(
            missed(&log, names[1]),
            None,
            "dropped, so that the gap is known"
        );
        assert_eq!(missed(&log, names[2]).unwrap().len(), 2);

        log.push(
            offsets.next(),
            Bytes::from_static(b"12345678"),
            &limits(3, 10),
        );
        assert_eq!(missed(&log, names[4]), None);
        assert_eq!(log.bytes, 8);
        log.push(
            offsets.next(),
            Bytes::from_static(b"12345678901"),
            &limits(3, 10),
        );
        assert_eq!(
            (log.entries.len(), log.bytes),
            (0, 0),
            "too large to be kept at all"
        );
    }
}
