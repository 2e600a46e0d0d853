//! JSON text without memory of its own.

/// Text that stands in the payload itself: tokens, numbers, acknowledgements.
///
/// It is aligned as the longer text's pointers are. Otherwise its bytes would
/// begin right behind the payload's tag, and whatever moves a payload would
/// move these by themselves, read back in other pieces than they were written
/// in, for which the processor has to wait.
#[derive(Clone, Copy)]
#[repr(align(8))]
pub(super) struct Short {
    text: [u8; Self::MAX],
    len: u8,
}

impl Short {
    /// The most bytes: as many as do not make a payload larger than a longer
    /// text does, which is a [`Bytes`](bytes::Bytes) and a tag.
    const MAX: usize = 31;

    /// `None` when the text is too long.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut short = Self {
            text: [0; Self::MAX],
            len: u8::try_from(text.len()).ok()?,
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
