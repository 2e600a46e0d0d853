//! The native envelope: `{"event", "data"?, "id"?}` in WebSocket messages.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::link::{
    Admitted, BoxFuture, COMMAND_CAPACITY, Command, ConnectOptions, Connector, INCOMING_CAPACITY,
    Incoming, Link,
};
use super::message::{CloseSeen, Event, Payload, Question, Refused, Reply, RequestId};
use super::pump::{Effects, Outgoing, Packet, Protocol, WebSocketPump};
use super::remote::Remote;
use super::transcript::Transcript;
use super::{http, upgrade};

/// Opens native clients: a WebSocket at the namespace's path.
#[derive(Clone, Debug)]
pub struct NativeConnector {
    remote: Remote,
    prefix: String,
    format: Format,
}

/// How the envelope is written.
#[derive(Clone, Copy, Debug, Default)]
enum Format {
    /// JSON in text messages.
    #[default]
    Json,
    /// The same fields in binary messages.
    #[cfg(feature = "msgpack")]
    Msgpack,
}

/// The event by which a server that offers recovery tells the session.
const SESSION_EVENT: &str = "$session";

/// The subprotocol that asks for msgpack.
#[cfg(feature = "msgpack")]
const MSGPACK: &str = "nest-gateway.msgpack";

impl NativeConnector {
    /// Clients of this server.
    pub fn new(remote: impl Into<Remote>) -> Self {
        Self {
            remote: remote.into(),
            prefix: String::new(),
            format: Format::default(),
        }
    }

    /// Clients that ask for the msgpack envelope by its subprotocol, and are
    /// refused by a server that does not accept it.
    #[cfg(feature = "msgpack")]
    #[must_use]
    pub fn msgpack(mut self) -> Self {
        self.format = Format::Msgpack;
        self
    }

    fn subprotocols(&self, options: &ConnectOptions) -> Vec<String> {
        match self.format {
            Format::Json => options.subprotocols.clone(),
            #[cfg(feature = "msgpack")]
            Format::Msgpack => vec![MSGPACK.to_owned()],
        }
    }

    /// Puts `prefix` (such as `/ws`) before each namespace's path.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        prefix.trim_end_matches('/').clone_into(&mut self.prefix);
        self
    }

    async fn open(&self, options: ConnectOptions) -> Result<Link, Refused> {
        if options.auth.is_some() {
            return Err(Refused::new(
                "the native wire has no auth payload, use a header or the query",
            ));
        }
        let transcript = Transcript::new();
        let path = format!("{}{}", self.prefix, options.namespace);
        let mut query = options.query.clone();
        if let Some(former) = &options.former {
            query.push(("session".to_owned(), former.key.clone()));
            let offset = former.offset.clone();
            query.extend(offset.map(|offset| ("offset".to_owned(), offset)));
        }
        let upgraded = upgrade::upgrade(
            &self.remote,
            &http::with_query(&path, &query),
            &options.headers,
            &self.subprotocols(&options),
            options.receive_buffer,
            &transcript,
        )
        .await?;
        let (commands, mut command_queue) = mpsc::channel(COMMAND_CAPACITY);
        let (deliver, incoming) = mpsc::channel(INCOMING_CAPACITY);
        #[cfg(feature = "msgpack")]
        if matches!(self.format, Format::Msgpack) && upgraded.subprotocol.is_none() {
            return Err(Refused::new("the server does not accept msgpack"));
        }
        let mut envelope = Envelope::new(deliver);
        envelope.format = self.format;
        let pump = WebSocketPump::new(envelope, transcript.clone(), upgraded.leftover);
        tokio::spawn(async move { pump.run(upgraded.stream, &mut command_queue).await });
        Ok(Link {
            commands,
            incoming,
            transcript,
            admitted: Admitted {
                subprotocol: upgraded.subprotocol,
                ..Admitted::default()
            },
        })
    }
}

impl Connector for NativeConnector {
    fn name(&self) -> &'static str {
        match self.format {
            Format::Json => "native",
            #[cfg(feature = "msgpack")]
            Format::Msgpack => "native-msgpack",
        }
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<Link, Refused>> {
        Box::pin(self.open(options))
    }
}

/// Reads and writes the native envelope.
pub(crate) struct Envelope {
    deliver: mpsc::Sender<Incoming>,
    /// Ids of this client's requests, which tell a reply from a question when
    /// the client's own id begins with `s` too.
    asked: HashSet<RequestId>,
    format: Format,
    /// The server offers recovery, so that events have an offset.
    numbered: bool,
}

impl Envelope {
    pub(crate) fn new(deliver: mpsc::Sender<Incoming>) -> Self {
        Self {
            deliver,
            asked: HashSet::new(),
            format: Format::default(),
            numbered: false,
        }
    }

    fn read(&mut self, text: String) -> Result<Incoming, String> {
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| format!("a frame is not json ({error}): {text}"))?;
        let Value::Object(mut frame) = value else {
            return Err(format!("a frame is not an object: {text}"));
        };
        let Some(Value::String(event)) = frame.remove("event") else {
            return Err(format!("a frame has no event: {text}"));
        };
        self.numbered |= event == SESSION_EVENT;
        let offset = self.numbered.then(|| frame.remove("offset")).flatten();
        let offset = offset.map(|offset| offset.to_string());
        if event == SESSION_EVENT {
            let data = frame.remove("data").unwrap_or_default();
            let (key, recovered) = (&data["session"], &data["recovered"]);
            return match (key.as_str(), recovered.as_bool()) {
                (Some(key), Some(recovered)) => Ok(Incoming::Session {
                    key: key.to_owned(),
                    recovered,
                    offset,
                }),
                _ => Err(format!("a session without its data: {text}")),
            };
        }
        let args: Vec<Value> = frame.remove("data").into_iter().collect();
        let id = frame.remove("id").map(RequestId);
        let done = match frame.remove("done") {
            None => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(format!("done is not true: {text}")),
        };
        if !frame.is_empty() {
            return Err(format!("a frame has keys beyond the contract's: {text}"));
        }
        let order = 0;
        let incoming = match id {
            None if done => return Err(format!("done without an id: {text}")),
            None => Incoming::Event(Event {
                name: event,
                args,
                attachments: Vec::new(),
                offset,
                raw: text,
                order,
            }),
            Some(_) if offset.is_some() => {
                return Err(format!("an offset on what is no event: {text}"));
            }
            Some(id) if self.is_question(&id) => Incoming::Question(Question {
                id,
                event,
                args,
                order,
            }),
            Some(id) => Incoming::Reply(Reply {
                id,
                event: Some(event),
                args,
                attachments: Vec::new(),
                done,
                raw: text,
                order,
            }),
        };
        Ok(incoming)
    }

    fn is_question(&self, id: &RequestId) -> bool {
        looks_like_question(id) && !self.asked.contains(id)
    }

    fn send(&self, frame: Result<Value, String>, effects: &mut Effects) {
        match frame {
            Ok(frame) => match self.format {
                Format::Json => effects.text(frame.to_string()),
                #[cfg(feature = "msgpack")]
                Format::Msgpack => effects.binary(
                    rmp_serde::to_vec_named(&frame)
                        .expect("JSON fits into msgpack")
                        .into(),
                ),
            },
            Err(text) => self.deliver(Incoming::Violation(text), effects),
        }
    }

    fn deliver(&self, incoming: Incoming, effects: &mut Effects) {
        effects.deliver.push_back((self.deliver.clone(), incoming));
    }
}

impl Protocol for Envelope {
    fn on_packet(&mut self, packet: Packet, effects: &mut Effects) {
        let incoming = match packet {
            Packet::Text(text) => self.read(text).unwrap_or_else(Incoming::Violation),
            #[cfg(feature = "msgpack")]
            Packet::Binary(bytes) if matches!(self.format, Format::Msgpack) => {
                match rmp_serde::from_slice::<Value>(&bytes) {
                    Ok(frame) => self
                        .read(frame.to_string())
                        .unwrap_or_else(Incoming::Violation),
                    Err(error) => Incoming::Violation(format!("a frame is not msgpack: {error}")),
                }
            }
            Packet::Binary(bytes) => Incoming::Binary(bytes),
        };
        self.deliver(incoming, effects);
    }

    fn on_command(&mut self, _namespace: &Arc<str>, command: Command, effects: &mut Effects) {
        match command {
            Command::Emit { event, payload } => {
                self.send(frame(&event, payload, None), effects);
            }
            Command::Request { id, event, payload } => {
                self.send(frame(&event, payload, Some(&id)), effects);
                if looks_like_question(&id) {
                    self.asked.insert(id);
                }
            }
            Command::Answer { id, payload } => {
                let answer = object([("ack".to_owned(), id.0)], payload);
                self.send(answer, effects);
            }
            Command::Cancel(what) => self.send(Ok(json!({"cancel": what})), effects),
            Command::Leave => effects.send.push_back(Outgoing::Close(1000, String::new())),
            Command::Close { code, reason } => {
                effects.send.push_back(Outgoing::Close(code, reason));
            }
            Command::Join { result, .. } => {
                // Nobody waits when the test was given up; that is its choice.
                let _ = result.send(Err(Refused::new(
                    "the native wire has one namespace for each connection",
                )));
            }
            other => self.deliver(
                Incoming::Violation(format!("the native client cannot do {other:?}")),
                effects,
            ),
        }
    }

    fn on_violation(&mut self, text: String, effects: &mut Effects) {
        self.deliver(Incoming::Violation(text), effects);
    }

    fn on_end(&mut self, seen: &CloseSeen, effects: &mut Effects) {
        self.deliver(Incoming::Closed(seen.clone()), effects);
    }
}

fn looks_like_question(id: &RequestId) -> bool {
    id.0.as_str().is_some_and(|id| id.starts_with('s'))
}

fn frame(event: &str, payload: Payload, id: Option<&RequestId>) -> Result<Value, String> {
    let id = id.map(|id| ("id".to_owned(), id.0.clone()));
    let event = ("event".to_owned(), json!(event));
    object([event].into_iter().chain(id), payload)
}

fn object(
    entries: impl IntoIterator<Item = (String, Value)>,
    payload: Payload,
) -> Result<Value, String> {
    if payload.args.len() > 1 || !payload.attachments.is_empty() {
        return Err(format!(
            "the native wire carries one value and no attachments, not {payload:?}"
        ));
    }
    let data = payload.args.into_iter().next();
    let mut frame: Map<_, _> = entries.into_iter().collect();
    frame.extend(data.map(|data| ("data".to_owned(), data)));
    Ok(Value::Object(frame))
}
