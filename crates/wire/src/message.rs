//! A message while its frames arrive: bounded, unmasked in place, text checked as it comes.

use bytes::Bytes;

use crate::mask;
use crate::violation::Violation;

/// A data message that is not complete yet.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) text: bool,
    pub(crate) fragments: u32,
    #[cfg(feature = "deflate")]
    pub(crate) inflation: Option<Inflation>,
    data: Vec<u8>,
    /// How much of `data` is known to be UTF-8; at most three bytes behind its end.
    checked: usize,
}

impl Message {
    pub(crate) fn new(text: bool) -> Self {
        Self {
            text,
            fragments: 0,
            #[cfg(feature = "deflate")]
            inflation: None,
            data: Vec::new(),
            checked: 0,
        }
    }

    /// How many bytes more a frame may announce.
    pub(crate) fn room(&self, limit: usize) -> usize {
        #[cfg(feature = "deflate")]
        if let Some(inflation) = &self.inflation {
            return inflation.room(limit);
        }
        limit - self.data.len()
    }

    /// Makes room for bytes that are at hand. Room is not made for what a header only announces, since
    /// announcing costs the peer nothing.
    pub(crate) fn reserve(&mut self, at_hand: usize) {
        #[cfg(feature = "deflate")]
        if self.inflation.is_some() {
            return;
        }
        if self.data.is_empty() {
            self.data.reserve_exact(at_hand);
        }
    }

    pub(crate) fn append_masked(
        &mut self,
        bytes: &[u8],
        key: [u8; 4],
        limit: usize,
    ) -> Result<(), Violation> {
        #[cfg(feature = "deflate")]
        if let Some(inflation) = &mut self.inflation {
            inflation.append(bytes, key, &mut self.data, limit)?;
            return self.check_text();
        }
        debug_assert!(
            self.data.len() + bytes.len() <= limit,
            "checked by the header"
        );
        let start = self.data.len();
        self.data.extend_from_slice(bytes);
        mask::apply(&mut self.data[start..], key);
        self.check_text()
    }

    /// The whole message; text that ends inside a character is a violation.
    pub(crate) fn finish(self) -> Result<Bytes, Violation> {
        if self.text && self.checked != self.data.len() {
            return Err(Violation::NotUtf8);
        }
        Ok(Bytes::from(self.data))
    }

    /// Inflates what the sender left out at the end; gives the decompressor back.
    #[cfg(feature = "deflate")]
    pub(crate) fn finish_inflation(
        &mut self,
        limit: usize,
    ) -> Result<Option<crate::deflate::Inflater>, Violation> {
        let Some(inflation) = self.inflation.take() else {
            return Ok(None);
        };
        let mut inflater = inflation.inflater;
        inflater.finish(&mut self.data, limit)?;
        self.check_text()?;
        Ok(Some(inflater))
    }

    /// Checks what is new; a character that is not whole yet is left for later, a byte that no
    /// continuation can make right is reported at once.
    fn check_text(&mut self) -> Result<(), Violation> {
        if !self.text {
            return Ok(());
        }
        match std::str::from_utf8(&self.data[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }
}

/// A compressed message on its way in.
#[cfg(feature = "deflate")]
#[derive(Debug)]
pub(crate) struct Inflation {
    inflater: crate::deflate::Inflater,
    /// Compressed bytes so far.
    taken: usize,
}

#[cfg(feature = "deflate")]
impl Inflation {
    pub(crate) fn new(inflater: crate::deflate::Inflater) -> Self {
        Self { inflater, taken: 0 }
    }

    /// Compressed data can be a little longer than what it inflates to, but not much, unless it is
    /// made of blocks that inflate to nothing.
    fn room(&self, limit: usize) -> usize {
        let most = limit.saturating_add(limit / 64).saturating_add(1024);
        most - self.taken
    }

    fn append(
        &mut self,
        bytes: &[u8],
        key: [u8; 4],
        output: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Violation> {
        const PIECE: usize = 4096;
        self.taken += bytes.len();
        let mut plain = [0; PIECE];
        // The pieces are whole multiples of the mask, so that it applies to each as to the first.
        for piece in bytes.chunks(PIECE) {
            let plain = &mut plain[..piece.len()];
            plain.copy_from_slice(piece);
            mask::apply(plain, key);
            self.inflater.inflate(plain, output, limit)?;
        }
        Ok(())
    }
}
