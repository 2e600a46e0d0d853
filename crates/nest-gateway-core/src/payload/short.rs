//! JSON text without memory of its own.

/// Text that stands in the payload itself: tokens, numbers, acknowledgements.
#[derive(Clone, Copy)]
pub(super) struct Short {
    len: u8,
    text: [u8; Self::MAX],
}

impl Short {
    /// The most bytes: as many as do not make a payload larger than a longer
    /// text does, which is a [`Bytes`](bytes::Bytes) and a tag.
    const MAX: usize = 38;

    /// `None` when the text is too long.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut short = Self {
            len: u8::try_from(text.len()).ok()?,
            text: [0; Self::MAX],
        };
        short.text.get_mut(..text.len())?.copy_from_slice(text);
        Some(short)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_up_to_the_bound() {
        let text = [b'1'; Short::MAX + 1];
        for len in 0..=Short::MAX {
            let short = Short::of(&text[..len]).expect("it fits");
            assert_eq!(short.as_bytes(), &text[..len]);
        }
        assert!(Short::of(&text).is_none());
        assert!(Short::of(&[b'1'; 300]).is_none());
    }

    #[test]
    fn it_makes_no_payload_larger() {
        let longer = size_of::<(bytes::Bytes, usize)>();
        assert_eq!(size_of::<crate::payload::Payload>(), longer);
    }
}
