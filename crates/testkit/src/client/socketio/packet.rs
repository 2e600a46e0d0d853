//! Socket.IO v5 packets in their default text form.

use bytes::Bytes;
use serde_json::Value;

use crate::client::message::Payload;

/// The root namespace.
pub(super) const ROOT: &str = "/";

/// One packet; binary attachments follow as messages of their own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packet {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    pub(super) id: Option<u64>,
    pub(super) data: Option<Value>,
    pub(super) attachments: Vec<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

impl Packet {
    pub(super) fn new(kind: Kind, namespace: &str, data: Option<Value>) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            id: None,
            data,
            attachments: Vec::new(),
        }
    }

    pub(super) fn event(namespace: &str, event: &str, payload: Payload, id: Option<u64>) -> Self {
        let mut args = vec![Value::from(event)];
        args.extend(payload.args);
        Self {
            id,
            attachments: payload.attachments,
            ..Self::new(Kind::Event, namespace, Some(Value::Array(args)))
        }
    }

    pub(super) fn ack(namespace: &str, id: u64, payload: Payload) -> Self {
        Self {
            id: Some(id),
            attachments: payload.attachments,
            ..Self::new(Kind::Ack, namespace, Some(Value::Array(payload.args)))
        }
    }

    /// The packet as an Engine.IO text message (with its leading `4`).
    pub(super) fn encode(&self) -> String {
        use std::fmt::Write as _;

        let mut out = String::from("4");
        out.push(self.kind.digit(!self.attachments.is_empty()));
        if !self.attachments.is_empty() {
            write!(out, "{}-", self.attachments.len()).expect("a String takes every write");
        }
        if self.namespace != ROOT {
            out.push_str(&self.namespace);
            out.push(',');
        }
        if let Some(id) = self.id {
            write!(out, "{id}").expect("a String takes every write");
        }
        if let Some(data) = &self.data {
            write!(out, "{data}").expect("a String takes every write");
        }
        out
    }

    /// Reads a packet (behind the `4`), and how many attachments will follow.
    pub(super) fn decode(text: &str) -> Result<(Self, usize), String> {
        let wrong = |what: &str| format!("{what} in the packet {text:?}");
        let mut rest = text;
        let (kind, binary) = rest
            .chars()
            .next()
            .and_then(Kind::of_digit)
            .ok_or_else(|| wrong("an unknown type"))?;
        rest = &rest[1..];
        let mut attachments = 0;
        if binary {
            let (count, behind) = rest
                .split_once('-')
                .ok_or_else(|| wrong("no attachment count"))?;
            attachments = count
                .parse()
                .map_err(|_| wrong("an attachment count that is not a number"))?;
            rest = behind;
        }
        let mut namespace = ROOT;
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, rest) = rest.split_at(digits);
        let id = match id {
            "" => None,
            id => Some(id.parse().map_err(|_| wrong("an ack id out of range"))?),
        };
        let data = match rest {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|_| wrong("wrong json"))?),
        };
        let packet = Self {
            id,
            ..Self::new(kind, namespace, data)
        };
        Ok((packet, attachments))
    }
}

impl Kind {
    fn digit(self, binary: bool) -> char {
        match (self, binary) {
            (Self::Connect, _) => '0',
            (Self::Disconnect, _) => '1',
            (Self::Event, false) => '2',
            (Self::Ack, false) => '3',
            (Self::ConnectError, _) => '4',
            (Self::Event, true) => '5',
            (Self::Ack, true) => '6',
        }
    }

    fn of_digit(digit: char) -> Option<(Self, bool)> {
        Some(match digit {
            '0' => (Self::Connect, false),
            '1' => (Self::Disconnect, false),
            '2' => (Self::Event, false),
            '3' => (Self::Ack, false),
            '4' => (Self::ConnectError, false),
            '5' => (Self::Event, true),
            '6' => (Self::Ack, true),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_protocol_document_are_read_and_written() {
        // Socket.IO protocol revision 5, section "Packet encoding".
        let cases = [
            (r#"2["foo"]"#, Kind::Event, "/", None, 0),
            (r#"2/admin,["bar"]"#, Kind::Event, "/admin", None, 0),
            (r#"212["foo"]"#, Kind::Event, "/", Some(12), 0),
            (r#"3/admin,13["bar"]"#, Kind::Ack, "/admin", Some(13), 0),
            (
                r#"51-["baz",{"_placeholder":true,"num":0}]"#,
                Kind::Event,
                "/",
                None,
                1,
            ),
            (
                r#"61-/admin,15["bar",{"_placeholder":true,"num":0}]"#,
                Kind::Ack,
                "/admin",
                Some(15),
                1,
            ),
            ("1/admin,", Kind::Disconnect, "/admin", None, 0),
            (r#"0{"sid":"x"}"#, Kind::Connect, "/", None, 0),
        ];
        for (text, kind, namespace, id, attachments) in cases {
            let (mut packet, count) = Packet::decode(text).expect(text);
            assert_eq!((packet.kind, packet.id), (kind, id), "{text}");
            assert_eq!((packet.namespace.as_str(), count), (namespace, attachments));
            packet.attachments = vec![Bytes::new(); count];
            assert_eq!(packet.encode(), format!("4{text}"));
        }
    }

    #[test]
    fn an_event_with_attachments_counts_them() {
        let payload = Payload::from(json!(1)).with_binary(vec![1_u8]);
        let text = Packet::event("/x", "ev", payload, Some(3)).encode();
        assert_eq!(text, r#"451-/x,3["ev",1,{"_placeholder":true,"num":0}]"#);
    }
}
