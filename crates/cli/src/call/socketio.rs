//! Socket.IO 5 over Engine.IO 4, over WebSocket alone.

use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;

use super::connect::{Received, Socket};
use super::link::{Cancel, Link, Said};
use super::packet::{Packet, with_lengths};
use super::url::Url;
use crate::cli::Call;
use crate::failure::{Context as _, Failure, Outcome};

/// The namespace that is meant: `--namespace`, else the path of the URL, as the
/// official client has it.
pub(crate) fn namespace(url: &Url, options: &Call) -> String {
    let named = options.namespace.as_deref().unwrap_or(&url.path);
    if named.starts_with('/') {
        named.to_owned()
    } else {
        format!("/{named}")
    }
}

/// A connection to one Socket.IO namespace.
pub(crate) struct SocketIo {
    socket: Socket,
    namespace: String,
    /// A packet whose attachments are still on their way.
    pending: Option<(Packet, Vec<usize>)>,
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
            namespace: namespace(url, options),
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

fn auth_object(text: &str) -> Outcome<Value> {
    let value: Value = serde_json::from_str(text).context("--auth is not JSON")?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Failure::new("--auth is not a JSON object"))
}
