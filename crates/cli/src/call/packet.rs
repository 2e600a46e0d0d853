//! Packets of Socket.IO 5, in its default encoding.

use serde_json::Value;
use serde_json::value::RawValue;

use super::link::Said;

/// More attachments than this are no packet of a gateway.
const MOST_ATTACHMENTS: usize = 1_000;

/// A Socket.IO packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR, 5 and 6 EVENT
    /// and ACK with attachments.
    pub(super) kind: u8,
    pub(super) attachments: usize,
    pub(super) namespace: String,
    pub(super) id: Option<u64>,
    /// JSON, or empty.
    pub(super) data: String,
}

impl Packet {
    /// Reads a packet in Socket.IO's default encoding.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let kind = u8::try_from(text.chars().next()?.to_digit(10)?).ok()?;
        let mut rest = &text[1..];
        let mut attachments = 0;
        if matches!(kind, 5 | 6) {
            let (count, after) = rest.split_once('-')?;
            attachments = count
                .parse()
                .ok()
                .filter(|count| *count <= MOST_ATTACHMENTS)?;
            rest = after;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, data) = rest.split_at(digits);
        Some(Self {
            kind,
            attachments,
            namespace: namespace.to_owned(),
            id: if id.is_empty() {
                None
            } else {
                Some(id.parse().ok()?)
            },
            data: data.to_owned(),
        })
    }

    /// What it means.
    pub(super) fn said(self) -> Said {
        let unknown = |text: String| Said::Unknown { text };
        if self.kind == 1 {
            let reason = "the server disconnected this namespace".to_owned();
            return Said::Closed { code: None, reason };
        }
        let Ok(arguments) = serde_json::from_str::<Vec<Box<RawValue>>>(&self.data) else {
            return unknown(self.data);
        };
        let mut arguments = arguments
            .into_iter()
            .map(|argument| argument.get().to_owned());
        match (self.kind, self.id) {
            (2 | 5, id) => {
                let event = arguments
                    .next()
                    .and_then(|name| serde_json::from_str::<String>(&name).ok());
                let Some(event) = event else {
                    return unknown(self.data);
                };
                let data = joined(arguments.collect());
                match id {
                    Some(id) => Said::Question {
                        id: id.to_string(),
                        event,
                        data,
                    },
                    None if event == "exception" => Said::Exception {
                        request: None,
                        data: data.unwrap_or_default(),
                    },
                    None => Said::Event { event, data },
                }
            }
            (3 | 6, Some(request)) => {
                let data = joined(arguments.collect());
                match data {
                    Some(data) if is_exception(&data) => Said::Exception {
                        request: Some(request),
                        data,
                    },
                    data => Said::Reply { request, data },
                }
            }
            _ => unknown(self.data),
        }
    }
}

/// One argument as it is, several as a list.
fn joined(mut arguments: Vec<String>) -> Option<String> {
    match arguments.len() {
        0 => None,
        1 => arguments.pop(),
        _ => Some(format!("[{}]", arguments.join(","))),
    }
}

/// Whether an acknowledgement is an error of the standard form.
fn is_exception(data: &str) -> bool {
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    value["status"] == "error" && value["message"].is_string()
}

/// Puts the lengths of attachments where the attachments belong.
pub(super) fn with_lengths(data: &str, lengths: &[usize]) -> String {
    fn replace(value: &mut Value, lengths: &[usize]) {
        if value["_placeholder"] == true {
            let number = value["num"]
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            let length = number.and_then(|number| lengths.get(number));
            *value = match length {
                Some(length) => Value::from(format!("<{length} bytes>")),
                None => Value::from("<missing bytes>"),
            };
            return;
        }
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| replace(value, lengths)),
            Value::Object(values) => values
                .values_mut()
                .for_each(|value| replace(value, lengths)),
            _ => {}
        }
    }
    match serde_json::from_str::<Value>(data) {
        Ok(mut value) => {
            replace(&mut value, lengths);
            value.to_string()
        }
        Err(_) => data.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Packet::parse(text).expect("a packet").said()
    }

    #[test]
    fn packets_are_told_apart() {
        let event = |data: Option<&str>| Said::Event {
            event: "e".into(),
            data: data.map(Into::into),
        };
        assert_eq!(said(r#"2["e"]"#), event(None));
        assert_eq!(said(r#"2/chat,["e",{"a": 1}]"#), event(Some(r#"{"a": 1}"#)));
        assert_eq!(said(r#"2["e",1,2]"#), event(Some("[1,2]")));
        assert_eq!(
            said(r#"2/chat,12["e"]"#),
            Said::Question {
                id: "12".into(),
                event: "e".into(),
                data: None
            }
        );
        assert_eq!(
            said("3/chat,3[7]"),
            Said::Reply {
                request: 3,
                data: Some("7".into())
            }
        );
        assert_eq!(
            said("33[]"),
            Said::Reply {
                request: 3,
                data: None
            }
        );
        let error = r#"{"status":"error","message":"no"}"#;
        assert_eq!(
            said(&format!("33[{error}]")),
            Said::Exception {
                request: Some(3),
                data: error.into()
            }
        );
        assert!(matches!(said("1/chat,"), Said::Closed { .. }));
        assert!(matches!(said("2nonsense"), Said::Unknown { .. }));
        assert!(matches!(said("2[]"), Said::Unknown { .. }));
    }

    #[test]
    fn nonsense_is_no_packet() {
        for text in [
            "",
            "x",
            "5",
            "5x-",
            "5999999-[]",
            "299999999999999999999999[]",
        ] {
            assert_eq!(Packet::parse(text), None, "{text}");
        }
    }

    #[test]
    fn attachments_are_shown_by_their_length() {
        let data = r#"["e",{"file":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":9}]"#;
        assert_eq!(
            with_lengths(data, &[3]),
            r#"["e",{"file":"<3 bytes>"},"<missing bytes>"]"#
        );
    }
}
