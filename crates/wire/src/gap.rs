//! What a drop policy cost a peer, and by whom it is told.

use bytes::Bytes;

use crate::frame::Frame;

/// How a peer is told what a drop policy cost it.
#[derive(Clone, Copy, Debug)]
pub struct GapNotice {
    /// Whom a frame is for. A connection may carry frames for several recipients (the namespaces of a
    /// multiplexed protocol), and each that lost something gets a notice of its own; where there is one
    /// recipient, empty. `None` for a frame whose loss nobody has to hear of.
    pub recipient: fn(&Frame) -> Option<Bytes>,
    /// How many recipients may wait to be told, one at least. Beyond it the one that lost something
    /// first is forgotten, as when a peer that does not read goes on to talk for others.
    pub recipients: usize,
    /// Makes the notice for a recipient, from its name and how many of its frames were dropped.
    pub frame: fn(&[u8], u64) -> Frame,
}

/// Dropped frames that the peer was not told of. Empty, as nearly always, it costs a pointer.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Option<Box<List>>);

#[derive(Debug, Default)]
struct List(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    recipient: Box<[u8]>,
    dropped: u64,
}

impl Gaps {
    /// Counts a dropped frame.
    pub(crate) fn count(&mut self, frame: &Frame, notice: Option<GapNotice>) {
        let (recipient, most) = match notice {
            Some(notice) => ((notice.recipient)(frame), notice.recipients),
            None => (Some(Bytes::new()), 1),
        };
        let Some(recipient) = recipient else { return };
        let entries = &mut self.0.get_or_insert_default().0;
        // The one that lost something last is the likeliest to lose something again.
        match entries.iter_mut().rfind(|e| *e.recipient == recipient[..]) {
            Some(entry) => entry.dropped += 1,
            None => {
                if entries.len() >= most.max(1) {
                    entries.remove(0);
                }
                entries.push(Entry {
                    recipient: recipient[..].into(),
                    dropped: 1,
                });
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many frames of all recipients; nothing is left to tell.
    pub(crate) fn take(&mut self) -> u64 {
        let entries = self.0.take().unwrap_or_default().0;
        entries.iter().map(|entry| entry.dropped).sum()
    }

    /// The notices for all recipients, in the order in which they began to lose; nothing is left to tell.
    pub(crate) fn take_notices(&mut self, notice: GapNotice) -> Vec<Frame> {
        let entries = self.0.take().unwrap_or_default().0;
        let frames = entries
            .iter()
            .map(|entry| (notice.frame)(&entry.recipient, entry.dropped));
        frames.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_FIRST_BYTE: GapNotice = GapNotice {
        recipient: |frame| Some(frame.payload().slice(..1)).filter(|first| &first[..] != b"-"),
        recipients: 2,
        frame: |recipient, dropped| {
            let recipient = String::from_utf8_lossy(recipient);
            Frame::text(format!("{recipient} lost {dropped}").as_bytes())
        },
    };

    fn told(gaps: &mut Gaps) -> Vec<String> {
        let notices = gaps.take_notices(BY_FIRST_BYTE);
        let text = |frame: &Frame| String::from_utf8_lossy(&frame.payload()).into_owned();
        notices.iter().map(text).collect()
    }

    #[test]
    fn each_recipient_is_told_what_it_lost() {
        let mut gaps = Gaps::default();
        for name in ["b1", "a1", "-", "b2", "b3"] {
            gaps.count(&Frame::text(name.as_bytes()), Some(BY_FIRST_BYTE));
        }
        assert_eq!(told(&mut gaps), ["b lost 3", "a lost 1"]);
        assert!(gaps.is_empty());
        assert_eq!(told(&mut gaps), [""; 0]);
    }

    #[test]
    fn what_nobody_has_to_hear_of_is_no_gap() {
        let mut gaps = Gaps::default();
        gaps.count(&Frame::text(b"-"), Some(BY_FIRST_BYTE));
        assert!(gaps.is_empty());
    }

    #[test]
    fn recipients_are_bounded() {
        for (most, remembered) in [(0, &["c lost 1"][..]), (2, &["b lost 1", "c lost 1"])] {
            let notice = GapNotice {
                recipients: most,
                ..BY_FIRST_BYTE
            };
            let mut gaps = Gaps::default();
            for name in ["a", "b", "c"] {
                gaps.count(&Frame::text(name.as_bytes()), Some(notice));
            }
            assert_eq!(told(&mut gaps), remembered);
        }
    }
}
