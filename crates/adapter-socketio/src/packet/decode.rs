//! The head of a packet: type, attachments, namespace, id.

use bytes::{Buf as _, Bytes};

use super::Text;

/// The longest namespace that is read, in bytes. A refusal repeats the name.
const MAX_NAMESPACE: usize = 256;

/// Why text or attachments are not a packet; the connection ends with it, as on
/// Node's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The first character is not the type of a packet that a client may send.
    #[error("unknown packet type")]
    UnknownType,
    /// A binary packet without a count, or with a count of zero.
    #[error("invalid number of attachments")]
    InvalidAttachments,
    /// More attachments than allowed.
    #[error("too many attachments")]
    TooManyAttachments,
    /// The attachments together are larger than a message may be.
    #[error("attachments are too large")]
    AttachmentsTooLarge,
    /// The attachments did not all arrive in time.
    #[error("attachments are overdue")]
    AttachmentsOverdue,
    /// A binary message that no packet announced.
    #[error("unexpected binary message")]
    UnexpectedBinary,
    /// Text while attachments are outstanding.
    #[error("unexpected text message")]
    UnexpectedText,
    /// A placeholder names no attachment.
    #[error("invalid placeholder")]
    InvalidPlaceholder,
    /// The name of the namespace is too long.
    #[error("invalid namespace")]
    InvalidNamespace,
    /// The ack id is missing or too large.
    #[error("invalid ack id")]
    InvalidId,
    /// The JSON is broken or not of the kind that the type asks for.
    #[error("invalid payload")]
    InvalidPayload,
    /// The first element of an event is not a string.
    #[error("invalid event name")]
    InvalidEvent,
}

/// The types that a client may send (5 and 6 are 2 and 3 with attachments).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
}

/// A packet whose payload is not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// `None` for the types without attachments.
    pub(super) attachments: Option<usize>,
    pub(super) namespace: Text,
    pub(super) id: Option<u64>,
    pub(super) payload: Bytes,
}

impl Head {
    /// Reads the head of a packet from text that is known to be valid UTF-8.
    pub(super) fn read(text: &Bytes) -> Result<Self, PacketError> {
        let (kind, binary) = match text.first() {
            Some(b'0') => (Kind::Connect, false),
            Some(b'1') => (Kind::Disconnect, false),
            Some(b'2') => (Kind::Event, false),
            Some(b'3') => (Kind::Ack, false),
            Some(b'5') => (Kind::Event, true),
            Some(b'6') => (Kind::Ack, true),
            _ => return Err(PacketError::UnknownType),
        };
        let mut rest = text.clone();
        rest.advance(1);
        let attachments = if binary {
            Some(take_attachments(&mut rest)?)
        } else {
            None
        };
        let namespace = take_namespace(&mut rest)?;
        let id = take_number(&mut rest)?;
        Ok(Self {
            kind,
            attachments,
            namespace,
            id,
            payload: rest,
        })
    }
}

fn take_attachments(rest: &mut Bytes) -> Result<usize, PacketError> {
    let count = take_number(rest).map_err(|_| PacketError::TooManyAttachments)?;
    let count = count.ok_or(PacketError::InvalidAttachments)?;
    if rest.first() != Some(&b'-') || count == 0 {
        return Err(PacketError::InvalidAttachments);
    }
    rest.advance(1);
    usize::try_from(count).map_err(|_| PacketError::TooManyAttachments)
}

/// The namespace ends with a comma, or with the packet.
fn take_namespace(rest: &mut Bytes) -> Result<Text, PacketError> {
    if rest.first() != Some(&b'/') {
        return Ok(Text::from("/"));
    }
    let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
    if end > MAX_NAMESPACE {
        return Err(PacketError::InvalidNamespace);
    }
    let name = rest.split_to(end);
    rest.advance(rest.len().min(1));
    Text::new(name).ok_or(PacketError::InvalidNamespace)
}

fn take_number(rest: &mut Bytes) -> Result<Option<u64>, PacketError> {
    let (mut number, mut length) = (0_u64, 0);
    for digit in rest.iter().take_while(|byte| byte.is_ascii_digit()) {
        let ten_times = number.checked_mul(10);
        let more = ten_times.and_then(|number| number.checked_add(u64::from(digit - b'0')));
        number = more.ok_or(PacketError::InvalidId)?;
        length += 1;
    }
    rest.advance(length);
    Ok((length > 0).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Head, PacketError> {
        Head::read(&Bytes::copy_from_slice(text.as_bytes()))
    }

    fn head(kind: Kind, namespace: &'static str, id: Option<u64>, payload: &'static str) -> Head {
        let namespace = Text::from(namespace);
        Head {
            kind,
            attachments: None,
            namespace,
            id,
            payload: Bytes::from_static(payload.as_bytes()),
        }
    }

    #[test]
    fn heads_of_all_types_are_read() {
        assert_eq!(read("0"), Ok(head(Kind::Connect, "/", None, "")));
        assert_eq!(
            read("0{\"a\":1}"),
            Ok(head(Kind::Connect, "/", None, "{\"a\":1}"))
        );
        assert_eq!(
            read("0/custom,"),
            Ok(head(Kind::Connect, "/custom", None, ""))
        );
        assert_eq!(
            read("0/custom"),
            Ok(head(Kind::Connect, "/custom", None, ""))
        );
        assert_eq!(read("1/a,"), Ok(head(Kind::Disconnect, "/a", None, "")));
        assert_eq!(
            read("2[\"e\"]"),
            Ok(head(Kind::Event, "/", None, "[\"e\"]"))
        );
        assert_eq!(
            read("2/a,12[\"e\"]"),
            Ok(head(Kind::Event, "/a", Some(12), "[\"e\"]"))
        );
        assert_eq!(read("30[]"), Ok(head(Kind::Ack, "/", Some(0), "[]")));
        let binary = Head {
            attachments: Some(2),
            ..head(Kind::Event, "/a", Some(7), "[\"e\"]")
        };
        assert_eq!(read("52-/a,7[\"e\"]"), Ok(binary));
    }

    #[test]
    fn types_that_a_client_never_sends_are_refused() {
        for text in ["", "4{\"message\":\"x\"}", "7", "9", "abc", "/", "é", "-1"] {
            assert_eq!(read(text), Err(PacketError::UnknownType), "{text}");
        }
    }

    #[test]
    fn a_binary_packet_says_how_many_attachments_follow() {
        for text in [
            "5[\"e\"]",
            "5-[\"e\"]",
            "51[\"e\"]",
            "50-[\"e\"]",
            "5a-[\"e\"]",
            "5",
            "51",
            "5-1-[\"e\"]",
        ] {
            assert_eq!(read(text), Err(PacketError::InvalidAttachments), "{text}");
        }
        let huge = read("599999999999999999999999-[\"e\"]");
        assert_eq!(huge, Err(PacketError::TooManyAttachments));
    }

    #[test]
    fn an_id_beyond_64_bits_is_refused() {
        let largest = read("2018446744073709551615[\"e\"]").unwrap();
        assert_eq!(largest.id, Some(u64::MAX));
        assert_eq!(
            read("218446744073709551616[\"e\"]"),
            Err(PacketError::InvalidId)
        );
        assert_eq!(
            read("299999999999999999999999[\"e\"]"),
            Err(PacketError::InvalidId)
        );
    }

    #[test]
    fn a_namespace_has_a_bounded_length() {
        let name = format!("/{}", "a".repeat(MAX_NAMESPACE - 1));
        assert_eq!(read(&format!("0{name},")).unwrap().namespace.as_str(), name);
        assert_eq!(
            read(&format!("0{name}a,")),
            Err(PacketError::InvalidNamespace)
        );
    }
}
