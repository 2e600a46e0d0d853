//! The JSON text of a body, wherever it stands.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::short::Short;

/// JSON text; cloning it copies a pointer, or a text as short as that.
#[derive(Clone)]
pub(super) enum JsonText {
    /// A part of what came, or what was encoded.
    Shared(Bytes),
    /// A copy of a part of what came. As [`Bytes`] it would need more memory, for
    /// its count of references, as soon as it is cloned, and every body is.
    Copied(Arc<[u8]>),
    /// One that needs no memory of its own.
    Short(Short),
}

impl JsonText {
    pub(super) fn copy_of(text: &[u8]) -> Self {
        match Short::of(text) {
            Some(short) => Self::Short(short),
            None => Self::Copied(text.into()),
        }
    }

    /// A part of a message, which the text keeps alive unless it is short.
    ///
    /// # Panics
    /// When `text` is no part of `message`.
    pub(super) fn part_of(message: &Bytes, text: &[u8]) -> Self {
        match Short::of(text) {
            Some(short) => Self::Short(short),
            None => Self::Shared(message.slice_ref(text)),
        }
    }

    /// A part of this text.
    ///
    /// # Panics
    /// When `text` is no part of it.
    pub(super) fn part(&self, text: &[u8]) -> Self {
        match self {
            Self::Shared(whole) => Self::Shared(whole.slice_ref(text)),
            Self::Copied(_) | Self::Short(_) => Self::copy_of(text),
        }
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        match self {
            Self::Shared(text) => text.clone(),
            Self::Copied(text) => Bytes::copy_from_slice(text),
            Self::Short(text) => Bytes::copy_from_slice(text.as_bytes()),
        }
    }
}

impl Deref for JsonText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared(text) => text,
            Self::Copied(text) => text,
            Self::Short(text) => text.as_bytes(),
        }
    }
}
