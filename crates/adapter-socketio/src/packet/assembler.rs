//! Joins a packet with the attachments that follow it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::arguments::check_placeholders;
use super::decode::{Head, Kind};
use super::{Arguments, Body, Packet, PacketError};

/// How much a packet with attachments may take.
#[derive(Clone, Copy, Debug)]
pub struct AssemblyLimits {
    /// Attachments of one packet. Default 10.
    pub attachments: usize,
    /// Bytes of all attachments of one packet together. Default 1,000,000.
    pub bytes: usize,
    /// From the packet to its last attachment. Default 10 s.
    pub time: Duration,
}

impl Default for AssemblyLimits {
    fn default() -> Self {
        Self {
            attachments: 10,
            bytes: 1_000_000,
            time: Duration::from_secs(10),
        }
    }
}

/// Turns the messages of one connection into packets.
#[derive(Debug)]
pub struct Assembler {
    limits: Arc<AssemblyLimits>,
    unfinished: Option<Box<Unfinished>>,
}

#[derive(Debug)]
struct Unfinished {
    packet: Packet,
    expected: usize,
    attachments: Vec<Bytes>,
    bytes: usize,
    deadline: Instant,
}

impl Assembler {
    /// Starts without an unfinished packet.
    pub fn new(limits: impl Into<Arc<AssemblyLimits>>) -> Self {
        Self {
            limits: limits.into(),
            unfinished: None,
        }
    }

    /// When [`Assembler::is_overdue`] has to be asked; `None` while nothing is
    /// outstanding.
    pub fn deadline(&self) -> Option<Instant> {
        self.unfinished.as_ref().map(|packet| packet.deadline)
    }

    /// Whether attachments are outstanding for too long.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Takes a text message, which is valid UTF-8. `None` when attachments follow.
    pub fn text(&mut self, text: &Bytes, now: Instant) -> Result<Option<Packet>, PacketError> {
        if self.unfinished.is_some() {
            return Err(PacketError::UnexpectedText);
        }
        let head = Head::read(text)?;
        let expected = head.attachments;
        if let Some(expected) = expected {
            if expected > self.limits.attachments {
                return Err(PacketError::TooManyAttachments);
            }
            check_placeholders(&head.payload, expected)?;
        }
        let packet = read(head)?;
        let Some(expected) = expected else {
            return Ok(Some(packet));
        };
        self.unfinished = Some(Box::new(Unfinished {
            packet,
            expected,
            attachments: Vec::with_capacity(expected),
            bytes: 0,
            deadline: now + self.limits.time,
        }));
        Ok(None)
    }

    /// Takes a binary message. `None` while attachments are still outstanding.
    pub fn binary(&mut self, bytes: Bytes, now: Instant) -> Result<Option<Packet>, PacketError> {
        let limit = self.limits.bytes;
        let overdue = self.is_overdue(now);
        let packet = self
            .unfinished
            .as_mut()
            .ok_or(PacketError::UnexpectedBinary)?;
        if overdue {
            return Err(PacketError::AttachmentsOverdue);
        }
        packet.bytes = packet.bytes.saturating_add(bytes.len());
        if packet.bytes > limit {
            return Err(PacketError::AttachmentsTooLarge);
        }
        packet.attachments.push(bytes);
        if packet.attachments.len() < packet.expected {
            return Ok(None);
        }
        let Unfinished {
            mut packet,
            attachments,
            ..
        } = *self.unfinished.take().expect("it was just looked at");
        if let Body::Event { arguments, .. } | Body::Ack { arguments, .. } = &mut packet.body {
            arguments.attach(attachments);
        }
        Ok(Some(packet))
    }
}

/// Reads the payload as what the type asks for.
fn read(head: Head) -> Result<Packet, PacketError> {
    let Head {
        kind,
        namespace,
        id,
        payload,
        ..
    } = head;
    let body = match kind {
        Kind::Connect => Body::Connect(auth(id, payload)?),
        Kind::Disconnect if id.is_none() && payload.is_empty() => Body::Disconnect,
        Kind::Disconnect => return Err(PacketError::InvalidPayload),
        Kind::Event => {
            let (event, arguments) = Arguments::split_event(&payload)?;
            Body::Event {
                id,
                event,
                arguments,
            }
        }
        Kind::Ack => {
            let id = id.ok_or(PacketError::InvalidId)?;
            Body::Ack {
                id,
                arguments: Arguments::split(&payload)?,
            }
        }
    };
    Ok(Packet { namespace, body })
}

/// What a client sends along when it joins has to be an object.
fn auth(id: Option<u64>, payload: Bytes) -> Result<Option<Bytes>, PacketError> {
    if id.is_some() {
        return Err(PacketError::InvalidPayload);
    }
    if payload.is_empty() {
        return Ok(None);
    }
    let is_object = payload.trim_ascii_start().first() == Some(&b'{');
    let is_json = serde_json::from_slice::<&serde_json::value::RawValue>(&payload).is_ok();
    if is_object && is_json {
        Ok(Some(payload))
    } else {
        Err(PacketError::InvalidPayload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Text;

    fn assembler() -> Assembler {
        Assembler::new(AssemblyLimits::default())
    }

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn one(text: &str) -> Result<Option<Packet>, PacketError> {
        assembler().text(&bytes(text), Instant::now())
    }

    #[test]
    fn packets_without_attachments_are_complete_at_once() {
        let connect = Packet {
            namespace: Text::from("/custom"),
            body: Body::Connect(Some(bytes("{\"a\":1}"))),
        };
        assert_eq!(one("0/custom,{\"a\":1}"), Ok(Some(connect)));
        let disconnect = Packet {
            namespace: Text::from("/custom"),
            body: Body::Disconnect,
        };
        assert_eq!(one("1/custom"), Ok(Some(disconnect)));
        let Ok(Some(Packet {
            body:
                Body::Event {
                    id,
                    event,
                    arguments,
                },
            ..
        })) = one("2456[\"message\",1,\"2\"]")
        else {
            panic!("an event was expected");
        };
        assert_eq!(
            (id, event.as_str(), arguments.values().len()),
            (Some(456), "message", 2)
        );
    }

    #[test]
    fn attachments_complete_a_packet_in_their_order() {
        let now = Instant::now();
        let mut assembler = assembler();
        let text =
            bytes(r#"52-789["m",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
        assert_eq!(assembler.text(&text, now), Ok(None));
        assert_eq!(assembler.deadline(), Some(now + Duration::from_secs(10)));
        assert_eq!(assembler.binary(bytes("abc"), now), Ok(None));
        let packet = assembler.binary(bytes("def"), now).unwrap().unwrap();
        let Body::Event {
            id: Some(789),
            arguments,
            ..
        } = packet.body
        else {
            panic!("an event was expected");
        };
        assert_eq!(arguments.attachments(), [&b"abc"[..], b"def"]);
        assert_eq!(arguments.binary(1), Some(&bytes("def")));
        assert_eq!(assembler.deadline(), None);
    }

    #[test]
    fn text_and_binary_must_come_in_the_announced_order() {
        let now = Instant::now();
        assert_eq!(
            assembler().binary(bytes("x"), now),
            Err(PacketError::UnexpectedBinary)
        );
        let mut assembler = assembler();
        assembler.text(&bytes("51-[\"e\"]"), now).unwrap();
        assert_eq!(
            assembler.text(&bytes("2[\"e\"]"), now),
            Err(PacketError::UnexpectedText)
        );
    }

    #[test]
    fn attachments_are_limited_in_number_bytes_and_time() {
        let now = Instant::now();
        assert_eq!(one("511-[\"e\"]"), Err(PacketError::TooManyAttachments));
        assert_eq!(one("510-[\"e\"]"), Ok(None));

        let mut large = assembler();
        large.text(&bytes("52-[\"e\"]"), now).unwrap();
        assert_eq!(large.binary(Bytes::from(vec![0; 600_000]), now), Ok(None));
        let second = large.binary(Bytes::from(vec![0; 400_001]), now);
        assert_eq!(second, Err(PacketError::AttachmentsTooLarge));

        let mut full = assembler();
        full.text(&bytes("51-[\"e\"]"), now).unwrap();
        let only = full.binary(Bytes::from(vec![0; 1_000_000]), now);
        assert!(matches!(only, Ok(Some(_))), "{only:?}");

        let mut slow = assembler();
        slow.text(&bytes("51-[\"e\"]"), now).unwrap();
        assert!(!slow.is_overdue(now + Duration::from_millis(9_999)));
        let late = now + Duration::from_secs(10);
        assert!(slow.is_overdue(late));
        assert_eq!(
            slow.binary(bytes("x"), late),
            Err(PacketError::AttachmentsOverdue)
        );
    }

    #[test]
    fn payloads_must_be_of_the_kind_that_the_type_asks_for() {
        for text in [
            "0[]",
            "0null",
            "0\"a\"",
            "01",
            "01{}",
            "0{",
            "0{\"a\"}",
            "0{}x",
            "1{}",
            "1[]",
            "11",
            "2",
            "2{}",
            "21",
            "2abc[\"e\"]",
            "2[\"e\"",
            "2[\"e\"]x",
            "30{}",
            "30",
            "51-{}x",
        ] {
            let refused = one(text);
            assert!(
                matches!(
                    refused,
                    Err(PacketError::InvalidPayload | PacketError::InvalidPlaceholder)
                ),
                "{text}: {refused:?}"
            );
        }
        assert_eq!(one("3[]"), Err(PacketError::InvalidId));
        assert_eq!(one("61-[]"), Err(PacketError::InvalidId));
        assert_eq!(one("51-[5]"), Err(PacketError::InvalidEvent));
        assert_eq!(one("2[5]"), Err(PacketError::InvalidEvent));
    }
}
