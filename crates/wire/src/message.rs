//! A message while its frames arrive: bounded, unmasked in place, text checked as it comes.

use bytes::Bytes;

use crate::mask;
use crate::violation::Violation;

/// A data message that is not complete yet.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) text: bool,
    pub(crate) compressed: bool,
    pub(crate) fragments: u32,
    data: Vec<u8>,
    /// How much of `data` is known to be UTF-8; at most three bytes behind its end.
    checked: usize,
}

impl Message {
    pub(crate) fn new(text: bool, compressed: bool) -> Self {
        Self {
            text,
            compressed,
            fragments: 0,
            data: Vec::new(),
            checked: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Makes room for bytes that are at hand. Room is not made for what a header only announces, since
    /// announcing costs the peer nothing.
    pub(crate) fn reserve(&mut self, at_hand: usize) {
        if self.data.is_empty() {
            self.data.reserve_exact(at_hand);
        }
    }

    pub(crate) fn append_masked(&mut self, bytes: &[u8], key: [u8; 4]) -> Result<(), Violation> {
        let start = self.data.len();
        self.data.extend_from_slice(bytes);
        mask::apply(&mut self.data[start..], key);
        if self.text && !self.compressed {
            self.check_text()?;
        }
        Ok(())
    }

    /// The whole message; text that ends inside a character is a violation.
    pub(crate) fn finish(self) -> Result<Bytes, Violation> {
        if self.text && self.checked != self.data.len() {
            return Err(Violation::NotUtf8);
        }
        Ok(Bytes::from(self.data))
    }

    /// Checks what is new; a character that is not whole yet is left for later, a byte that no
    /// continuation can make right is reported at once.
    fn check_text(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.data[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }
}
