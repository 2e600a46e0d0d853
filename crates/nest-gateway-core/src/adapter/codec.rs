//! Wire formats.

use bytes::Bytes;

use crate::id::RequestId;
use crate::message::{Encoded, Outgoing};
use crate::payload::EncodeError;
use crate::recovery::Offset;

/// Turns outgoing messages into bytes of one wire format.
///
/// Pure: no await, no clock, no state of a connection. A broadcast calls
/// `encode` once for each [`Format`] among its receivers and gives all
/// receivers of that format the same bytes.
pub trait Codec: Send + Sync + 'static {
    /// The identity of the format. Two codecs with the same format produce the
    /// same bytes.
    fn format(&self) -> Format;

    /// Whether the bytes name the namespace's path, so that clients of one
    /// gateway under different paths (`/room/1`, `/room/2`) cannot share them.
    fn names_path(&self) -> bool {
        false
    }

    /// Whether an event can carry several arguments. Where it cannot, they are
    /// one array.
    fn carries_many_arguments(&self) -> bool {
        false
    }

    /// The event in an encoded message, and its number, where it can be sent
    /// again to a client that lost its connection. Only codecs that number their
    /// events ([`recovery`](crate::recovery)) have any.
    fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
        let _ = message;
        None
    }

    /// The message as it goes onto the wire; `None` where this wire says
    /// nothing (a reply that nobody asked for, on Socket.IO).
    ///
    /// # Errors
    /// When the payload cannot be put into this format; the message is then
    /// logged and counted as failed.
    fn encode(&self, path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError>;

    /// Appends to `buffer` what [`Codec::encode`] returns; `false` where this
    /// wire says nothing.
    ///
    /// Core calls it for messages that only one client gets, with the same
    /// buffer again and again, so that a reply costs no memory of its own. What
    /// is appended before an error is dropped. Default: encodes and copies.
    ///
    /// # Errors
    /// As [`Codec::encode`].
    fn encode_into(
        &self,
        path: &str,
        message: Outgoing<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let encoded = self.encode(path, message)?;
        if let Some(bytes) = &encoded {
            buffer.extend_from_slice(bytes);
        }
        Ok(encoded.is_some())
    }

    /// How to encode the items of one stream under one event: they differ in
    /// their data alone, so that all else needs to be encoded only once.
    ///
    /// Core asks once for each event of a stream. `None`, the default, where
    /// there is more to an item than that (a number of its own, say); each one
    /// then goes through [`Codec::encode_into`].
    fn item_encoder(
        &self,
        path: &str,
        event: &str,
        request: Option<&RequestId>,
    ) -> Option<ItemEncoder> {
        let _ = (path, event, request);
        None
    }
}

/// Appends to a buffer what [`Codec::encode_into`] appends for an
/// [`Outgoing::Item`] with this data, which is JSON text.
pub type ItemEncoder = Box<dyn Fn(&[u8], &mut Vec<u8>) + Send + Sync>;

/// The name of a wire format, compared by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format(pub &'static str);
