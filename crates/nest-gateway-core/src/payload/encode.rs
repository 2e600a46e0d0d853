//! Encoding to JSON text, with a say in what becomes of binary.

use std::cell::Cell;
use std::io::{self, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::ser::Formatter;

use super::short::Short;
use crate::value::EncodeError;

thread_local! {
    /// Taken out while it is in use, since serialising runs code of the
    /// application, which may encode something itself.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The most memory in bytes that a thread keeps for the next value.
const MAX_KEPT_BYTES: usize = 4096;

/// What to write where a value has bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    /// Nothing: stop, since the caller has a better form for such a value.
    Refuse,
    /// A string in base64.
    Base64,
    /// How many there are, for people.
    Length,
}

/// What was written.
pub(super) enum Text {
    Short(Short),
    Long(Bytes),
}

impl From<Text> for Bytes {
    fn from(text: Text) -> Self {
        match text {
            Text::Short(short) => Self::copy_from_slice(short.as_bytes()),
            Text::Long(bytes) => bytes,
        }
    }
}

/// Writes compact JSON.
pub(super) struct Encoder {
    binary: Binary,
    refused: bool,
}

impl Encoder {
    pub(super) fn new(binary: Binary) -> Self {
        Self {
            binary,
            refused: false,
        }
    }

    pub(super) fn encode<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Text, EncodeError> {
        let mut text = SCRATCH.take();
        text.clear();
        self.encode_to(&mut text, value)?;
        if text.len() > MAX_KEPT_BYTES {
            return Ok(Text::Long(text.into()));
        }
        // One allocation of the right size, where growing takes several.
        let copy = match Short::of(&text) {
            Some(short) => Text::Short(short),
            None => Text::Long(Bytes::copy_from_slice(&text)),
        };
        SCRATCH.set(text);
        Ok(copy)
    }

    pub(super) fn encode_to<T: Serialize + ?Sized>(
        &mut self,
        writer: impl Write,
        value: &T,
    ) -> Result<(), EncodeError> {
        let mut serializer = serde_json::Serializer::with_formatter(writer, self);
        value.serialize(&mut serializer).map_err(EncodeError::new)
    }

    /// Whether the last encoding failed because there was binary.
    pub(super) fn refused_binary(&self) -> bool {
        self.refused
    }
}

impl Formatter for &mut Encoder {
    fn write_byte_array<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        bytes: &[u8],
    ) -> io::Result<()> {
        match self.binary {
            Binary::Refuse => {
                self.refused = true;
                Err(io::Error::other("binary does not fit into JSON"))
            }
            Binary::Base64 => write!(writer, "\"{}\"", Base64Display::new(bytes, &STANDARD)),
            Binary::Length => write!(writer, "<{} bytes>", bytes.len()),
        }
    }
}
