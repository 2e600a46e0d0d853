//! The secret by which a client comes back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Random bytes of a key: 144 bits, so that it cannot be guessed.
const RANDOM_BYTES: usize = 18;
/// Characters of a key: 18 bytes in unpadded base64.
const TEXT_BYTES: usize = 24;

/// The secret by which a client that lost its connection comes back: 24 URL-safe characters that
/// carry 144 random bits.
///
/// Whoever knows it can go on as the client, so it is told to that client only and is never its
/// public id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecoveryKey([u8; TEXT_BYTES]);

impl RecoveryKey {
    /// A fresh one; `None` when the operating system has no random bytes to give.
    pub(super) fn random() -> Option<Self> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).ok()?;
        let mut text = [0; TEXT_BYTES];
        URL_SAFE_NO_PAD
            .encode_slice(random, &mut text)
            .expect("18 bytes are 24 characters of base64");
        Some(Self(text))
    }

    /// Reads one back from its text; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; TEXT_BYTES] = text.as_bytes().try_into().ok()?;
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        bytes.iter().all(known).then_some(Self(bytes))
    }

    /// The text, for the client.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a key is ASCII")
    }
}

impl fmt::Debug for RecoveryKey {
    /// Shows the first letters only: logs are read by people who must not be able to take over
    /// a client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryKey({}..)", &self.as_str()[..4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_a_log_does_not_show_it() {
        let (key, other) = (
            RecoveryKey::random().expect("there is randomness"),
            RecoveryKey::random().expect("there is randomness"),
        );
        assert_ne!(key, other);
        assert_eq!(RecoveryKey::parse(key.as_str()), Some(key));
        assert!(!format!("{key:?}").contains(key.as_str()));
        for text in [
            "",
            "short",
            "aaaaaaaaaaaaaaaaaaaaaaa ",
            "aaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(RecoveryKey::parse(text), None, "{text:?}");
        }
    }
}
