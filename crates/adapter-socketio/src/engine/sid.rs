//! The secret name of an Engine.IO session.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

const RANDOM_BYTES: usize = 18;
const LENGTH: usize = 24;

/// Names a session in the query of every request: 144 random bits in the URL-safe
/// base64 alphabet. Whoever knows it can speak as the client, so it is never shown
/// to anybody else and is never the public id of a Socket.IO client.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid([u8; LENGTH]);

impl Sid {
    /// Draws a new one from the operating system.
    ///
    /// # Errors
    /// The operating system has no random bytes to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes)?;
        let mut text = [0; LENGTH];
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
        debug_assert_eq!(written, Ok(LENGTH));
        Ok(Self(text))
    }

    /// Takes one from a query; `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        bytes.iter().all(known).then_some(Self(bytes))
    }

    /// The text of the handshake.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a sid is made of ASCII letters only")
    }
}

impl std::fmt::Debug for Sid {
    /// Shows the first letters only: logs are read by people who must not be able to
    /// take over a session.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sid({}..)", &self.as_str()[..4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_reads_back_and_is_never_drawn_twice() {
        let drawn: std::collections::HashSet<_> =
            (0..1000).map(|_| Sid::random().unwrap()).collect();
        assert_eq!(drawn.len(), 1000);
        for sid in drawn {
            assert_eq!(Sid::parse(sid.as_str()), Some(sid));
        }
    }

    #[test]
    fn what_cannot_be_a_sid_is_not_looked_up() {
        for text in [
            "",
            "abc",
            "__proto__",
            "aaaaaaaaaaaaaaaaaaaaaaa ",
            "éaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(Sid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_log_does_not_show_the_whole_secret() {
        let sid = Sid::random().unwrap();
        assert!(!format!("{sid:?}").contains(sid.as_str()));
    }
}
