//! Socket.IO 5 over Engine.IO 4, over WebSocket alone.

use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;

use super::connect::{Received, Socket};
use super::link::{Cancel, Link, Said};
use super::url::Url;
use crate::cli::Call;
use crate::failure::{Context as _, Failure, Outcome};

/// More attachments than this are no packet of a gateway.
const MOST_ATTACHMENTS: usize = 1_000;

/// A connection to one Socket.IO namespace.
pub(crate) struct SocketIo {
    socket: Socket,
    namespace: String,
    /// A packet whose attachments are still on their way.
    pending: Option<(Packet, Vec<usize>)>,
}

/// A Socket.IO packet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Packet {
    /// 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR, 5 and 6 EVENT
    /// and ACK with attachments.
    kind: u8,
    attachments: usize,
    namespace: String,
    id: Option<u64>,
    /// JSON, or empty.
    data: String,
}

impl SocketIo {
    /// Connects to the server, and to the namespace of the options.
    pub(crate) fn open(url: &Url, options: &Call) -> Outcome<Self> {
        let auth = options.auth.as_deref().map(auth_object).transpose()?;
        let separator = if url.query.is_empty() { "?" } else { "&" };
        let path = if options.path.starts_with('/') {
            options.path.clone()
        } else {
            format!("/{}", options.path)
        };
        let target = format!("{path}{}{separator}EIO=4&transport=websocket", url.query);
        let mut link = Self {
            socket: Socket::open(url, &target, options)?,
            namespace: match options.namespace.strip_prefix('/') {
                Some(_) => options.namespace.clone(),
                None => format!("/{}", options.namespace),
            },
            pending: None,
        };
        link.join(auth.as_ref(), options.timeout)?;
        Ok(link)
    }

    fn join(&mut self, auth: Option<&Value>, timeout: Duration) -> Outcome<()> {
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        match self.socket.receive(left())? {
            Received::Text(open) if open.starts_with('0') => {}
            Received::Nothing => return Err(Failure::new("no Engine.IO handshake came in time")),
            _ => return Err(Failure::new("the server does not speak Engine.IO 4 there")),
        }
        let auth = auth.map(Value::to_string).unwrap_or_default();
        self.send_packet('0', None, &auth)?;
        loop {
            let packet = match self.receive(left())? {
                Ok(packet) => packet,
                Err(Some(Said::Closed { code, reason })) => {
                    let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
                    return Err(Failure::new(format!(
                        "the server ended the connection{code} instead of joining {}: {reason}",
                        self.namespace
                    )));
                }
                Err(Some(_)) => continue,
                Err(None) => {
                    return Err(Failure::new(format!(
                        "the server did not answer for {} within {timeout:?}",
                        self.namespace
                    )));
                }
            };
            match packet.kind {
                0 => return Ok(()),
                4 => {
                    return Err(Failure::new(format!(
                        "the server refused {}: {}",
                        self.namespace, packet.data
                    )));
                }
                _ => {}
            }
        }
    }

    fn send_packet(&mut self, kind: char, id: Option<u64>, data: &str) -> Outcome<()> {
        let namespace = match self.namespace.as_str() {
            "/" => String::new(),
            namespace => format!("{namespace},"),
        };
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        self.socket.send(format!("4{kind}{namespace}{id}{data}"))
    }

    /// The next packet of our namespace that is complete; else what else
    /// happened, if anything.
    fn receive(&mut self, timeout: Duration) -> Outcome<Result<Packet, Option<Said>>> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let packet = match self.socket.receive(left)? {
                Received::Nothing => return Ok(Err(None)),
                Received::Closed(said) => {
                    let (code, reason) = said.unzip();
                    let reason = reason.unwrap_or_default();
                    return Ok(Err(Some(Said::Closed { code, reason })));
                }
                Received::Binary(bytes) => match self.attach(bytes.len()) {
                    Attached::Complete(packet) => packet,
                    Attached::Missing => continue,
                    Attached::Unexpected => {
                        return Ok(Err(Some(Said::Binary {
                            length: bytes.len(),
                        })));
                    }
                },
                Received::Text(text) => match text.split_at_checked(1) {
                    Some(("2", rest)) => {
                        self.socket.send(format!("3{rest}"))?;
                        continue;
                    }
                    Some(("1", _)) => {
                        let reason = "the server closed Engine.IO".to_owned();
                        return Ok(Err(Some(Said::Closed { code: None, reason })));
                    }
                    Some(("4", packet)) => match Packet::parse(packet) {
                        Some(packet) if packet.attachments > 0 => {
                            self.pending = Some((packet, Vec::new()));
                            continue;
                        }
                        Some(packet) => packet,
                        None => return Ok(Err(Some(Said::Unknown { text }))),
                    },
                    _ => continue,
                },
            };
            if packet.namespace == self.namespace {
                return Ok(Ok(packet));
            }
        }
    }

    fn attach(&mut self, length: usize) -> Attached {
        let Some((mut packet, mut lengths)) = self.pending.take() else {
            return Attached::Unexpected;
        };
        lengths.push(length);
        if lengths.len() < packet.attachments {
            self.pending = Some((packet, lengths));
            return Attached::Missing;
        }
        packet.data = with_lengths(&packet.data, &lengths);
        Attached::Complete(packet)
    }
}

enum Attached {
    Complete(Packet),
    Missing,
    Unexpected,
}

impl Link for SocketIo {
    fn send(&mut self, event: &str, data: Option<&RawValue>, request: Option<u64>) -> Outcome<()> {
        let event = Value::from(event);
        let data = match data {
            Some(data) => format!("[{event},{}]", data.get()),
            None => format!("[{event}]"),
        };
        self.send_packet('2', request, &data)
    }

    fn cancel(&mut self, what: &Cancel) -> Outcome<()> {
        let what = match what {
            Cancel::Request(request) => Value::from(*request),
            Cancel::Event(event) => Value::from(event.as_str()),
        };
        self.send_packet('2', None, &format!("[\"$cancel\",{what}]"))
    }

    fn answer(&mut self, question: &str, data: Option<&RawValue>) -> Outcome<()> {
        let id = question
            .parse()
            .map_err(|_| Failure::new(format!("`{question}` is not the number of a question")))?;
        let data = data.map_or_else(|| "[]".to_owned(), |data| format!("[{}]", data.get()));
        self.send_packet('3', Some(id), &data)
    }

    fn next(&mut self, timeout: Duration) -> Outcome<Option<Said>> {
        match self.receive(timeout)? {
            Ok(packet) => Ok(Some(packet.said())),
            Err(other) => Ok(other),
        }
    }

    fn close(&mut self) {
        // The server may be gone already.
        let _ = self.send_packet('1', None, "");
        self.socket.close();
    }

    fn replies_end_streams(&self) -> bool {
        true
    }
}

impl Packet {
    /// Reads a packet in Socket.IO's default encoding.
    fn parse(text: &str) -> Option<Self> {
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

    fn said(self) -> Said {
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
fn with_lengths(data: &str, lengths: &[usize]) -> String {
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

fn auth_object(text: &str) -> Outcome<Value> {
    let value: Value = serde_json::from_str(text).context("--auth is not JSON")?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Failure::new("--auth is not a JSON object"))
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
