//! Identifiers: clients and requests.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes in a [`ClientId`]: 120 bits, as Socket.IO on Node uses, so
/// that an id cannot be guessed.
const RANDOM_BYTES: usize = 15;
/// Characters of a [`ClientId`]: 15 bytes in unpadded base64.
const TEXT_BYTES: usize = 20;

/// The public name of one client in one namespace: 20 URL-safe characters that
/// carry 120 random bits.
///
/// It is safe to show to other clients: knowing it lets nobody act as its
/// owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId([u8; TEXT_BYTES]);

impl ClientId {
    /// A fresh random id.
    ///
    /// # Panics
    /// When the operating system has no source of randomness, which no server
    /// can go on without.
    #[must_use]
    pub fn random() -> Self {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).expect("the operating system provides randomness");
        let mut text = [0; TEXT_BYTES];
        URL_SAFE_NO_PAD
            .encode_slice(random, &mut text)
            .expect("15 bytes are 20 characters of base64");
        Self(text)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is ASCII")
    }

    /// Reads an id back from its text; `None` when it is not 20 characters of
    /// URL-safe base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; TEXT_BYTES] = text.as_bytes().try_into().ok()?;
        let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        bytes.iter().all(known).then_some(Self(bytes))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

impl AsRef<str> for ClientId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.as_str().to_owned()
    }
}

impl serde::Serialize for ClientId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ClientId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a client id"))
    }
}

/// The name that a client gave to one of its requests, and under which it
/// expects the answer: the `id` of a native frame, or a Socket.IO ack id.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestId {
    /// A JSON number; Socket.IO ack ids are numbers.
    Number(serde_json::Number),
    /// A JSON string.
    Text(Arc<str>),
}

impl From<u64> for RequestId {
    fn from(id: u64) -> Self {
        Self::Number(id.into())
    }
}

impl From<&str> for RequestId {
    fn from(id: &str) -> Self {
        Self::Text(id.into())
    }
}

impl serde::Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_twenty_url_safe_characters_and_differ() {
        let (a, b) = (ClientId::random(), ClientId::random());
        assert_ne!(a, b);
        assert_eq!(a.as_str().len(), 20);
        assert_eq!(ClientId::parse(a.as_str()), Some(a));
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        assert_eq!(ClientId::parse("short"), None);
        assert_eq!(ClientId::parse("aaaaaaaaaaaaaaaaaaa!"), None);
    }
}
