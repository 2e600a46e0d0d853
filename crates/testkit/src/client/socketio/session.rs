//! Socket.IO over one Engine.IO connection: namespaces, acks, attachments.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::packet::{Kind, Packet};
use crate::client::link::{Admitted, Command, Incoming};
use crate::client::message::{
    CloseSeen, Ending, Event, Payload, Question, Refused, Reply, RequestId,
};
use crate::client::pump::{self, Effects, Outgoing, Protocol};

/// Reads and writes Engine.IO and Socket.IO packets.
#[derive(Default)]
pub(super) struct Session {
    namespaces: HashMap<String, Namespace>,
    /// A packet whose attachments are still on their way.
    partial: Option<(Packet, usize, String)>,
}

struct Namespace {
    deliver: mpsc::Sender<Incoming>,
    joining: Option<oneshot::Sender<Result<Admitted, Refused>>>,
}

impl Session {
    fn on_engine_text(&mut self, text: &str, effects: &mut Effects) {
        match text.as_bytes().first() {
            Some(b'1') => {
                effects.ended = Some(CloseSeen {
                    code: 1005,
                    reason: "engine close".to_owned(),
                    by: Ending::EngineClose,
                });
            }
            Some(b'2') if effects.ignore_pings => {}
            Some(b'2') => effects.text(format!("3{}", &text[1..])),
            Some(b'6') => {}
            Some(b'4') => match Packet::decode(&text[1..]) {
                Ok((packet, 0)) => self.on_message(packet, text.to_owned(), effects),
                Ok((packet, count)) => self.partial = Some((packet, count, text.to_owned())),
                Err(wrong) => self.on_violation(wrong, effects),
            },
            _ => self.on_violation(format!("an engine packet {text:?} here"), effects),
        }
    }

    fn on_attachment(&mut self, bytes: Bytes, effects: &mut Effects) {
        let Some((mut packet, count, raw)) = self.partial.take() else {
            return self.on_violation("an attachment that no packet announced".into(), effects);
        };
        packet.attachments.push(bytes);
        if packet.attachments.len() < count {
            self.partial = Some((packet, count, raw));
        } else {
            self.on_message(packet, raw, effects);
        }
    }

    fn on_message(&mut self, packet: Packet, raw: String, effects: &mut Effects) {
        if self.partial.is_some() {
            return self.on_violation(format!("{raw} amid attachments"), effects);
        }
        let Some(namespace) = self.namespaces.get_mut(&packet.namespace) else {
            // A client that has just left may still get what was on its way.
            return;
        };
        match packet.kind {
            Kind::Connect => namespace.on_connect(packet.data.as_ref(), effects),
            Kind::ConnectError => {
                let refused = refused(packet.data.unwrap_or_default());
                if let Some(namespace) = self.namespaces.remove(&packet.namespace) {
                    namespace.on_refused(refused, effects);
                }
            }
            Kind::Disconnect => {
                if let Some(namespace) = self.namespaces.remove(&packet.namespace) {
                    let seen = CloseSeen {
                        code: 1005,
                        reason: "server namespace disconnect".to_owned(),
                        by: Ending::Disconnect,
                    };
                    namespace.deliver(Incoming::Closed(seen), effects);
                }
            }
            Kind::Event | Kind::Ack => match read(packet, raw) {
                Ok(incoming) => namespace.deliver(incoming, effects),
                Err(wrong) => namespace.deliver(Incoming::Violation(wrong), effects),
            },
        }
    }

    fn close(&mut self, namespace: &str, ours: CloseSeen, effects: &mut Effects) {
        if let Some(namespace) = self.namespaces.remove(namespace) {
            namespace.deliver(Incoming::Closed(ours), effects);
        }
    }
}

impl Namespace {
    fn deliver(&self, incoming: Incoming, effects: &mut Effects) {
        effects.deliver.push_back((self.deliver.clone(), incoming));
    }

    fn on_connect(&mut self, data: Option<&Value>, effects: &mut Effects) {
        let text = |key: &str| Some(data?.get(key)?.as_str()?.to_owned());
        let admitted = Admitted {
            id: text("sid"),
            recovery_key: text("pid"),
            recovered: false,
            subprotocol: None,
        };
        match self.joining.take() {
            // Nobody waits when the test was given up; that is its choice.
            Some(joining) => drop(joining.send(Ok(admitted))),
            None => self.deliver(Incoming::Violation("a second CONNECT".into()), effects),
        }
    }

    fn on_refused(mut self, refused: Refused, effects: &mut Effects) {
        match self.joining.take() {
            // Nobody waits when the test was given up; that is its choice.
            Some(joining) => drop(joining.send(Err(refused))),
            None => self.deliver(
                Incoming::Violation(format!("a late CONNECT_ERROR: {}", refused.message)),
                effects,
            ),
        }
    }
}

impl Protocol for Session {
    fn on_packet(&mut self, packet: pump::Packet, effects: &mut Effects) {
        match packet {
            pump::Packet::Text(text) => self.on_engine_text(&text, effects),
            pump::Packet::Binary(bytes) => self.on_attachment(bytes, effects),
        }
    }

    fn on_command(&mut self, namespace: &Arc<str>, command: Command, effects: &mut Effects) {
        match command {
            Command::Emit { event, payload } => {
                send(&Packet::event(namespace, &event, payload, None), effects);
            }
            Command::Request { id, event, payload } => {
                let id = ack_id(&id);
                send(&Packet::event(namespace, &event, payload, id), effects);
            }
            Command::Answer { id, payload } => {
                let id = ack_id(&id).unwrap_or_default();
                send(&Packet::ack(namespace, id, payload), effects);
            }
            Command::Cancel(what) => {
                send(
                    &Packet::event(namespace, "$cancel", Payload::from(what), None),
                    effects,
                );
            }
            Command::Join {
                auth,
                incoming,
                result,
            } => {
                let joined = Namespace {
                    deliver: incoming,
                    joining: Some(result),
                };
                self.namespaces.insert(namespace.to_string(), joined);
                send(&Packet::new(Kind::Connect, namespace, auth), effects);
            }
            Command::Leave => {
                send(&Packet::new(Kind::Disconnect, namespace, None), effects);
                self.close(namespace, pump::ended_by_us("left"), effects);
            }
            Command::Close { code, reason } => {
                send(&Packet::new(Kind::Disconnect, namespace, None), effects);
                if self.namespaces.len() > 1 {
                    self.close(namespace, pump::ended_by_us("left"), effects);
                } else {
                    effects.send.push_back(Outgoing::Close(code, reason));
                }
            }
            other => self.on_violation(format!("the client cannot do {other:?}"), effects),
        }
    }

    fn on_violation(&mut self, text: String, effects: &mut Effects) {
        for namespace in self.namespaces.values() {
            namespace.deliver(Incoming::Violation(text.clone()), effects);
        }
    }

    fn on_end(&mut self, seen: &CloseSeen, effects: &mut Effects) {
        for (_, mut namespace) in self.namespaces.drain() {
            if let Some(joining) = namespace.joining.take() {
                let refused = Refused::new(format!("the connection ended: {seen:?}"));
                // Nobody waits when the test was given up; that is its choice.
                drop(joining.send(Err(refused)));
            }
            namespace.deliver(Incoming::Closed(seen.clone()), effects);
        }
    }
}

fn send(packet: &Packet, effects: &mut Effects) {
    effects.text(packet.encode());
    for attachment in &packet.attachments {
        effects.binary(attachment.clone());
    }
}

fn ack_id(id: &RequestId) -> Option<u64> {
    id.0.as_u64()
}

fn refused(data: Value) -> Refused {
    match data {
        Value::Object(mut data) => Refused {
            data: data.remove("data"),
            ..Refused::new(match data.remove("message") {
                Some(Value::String(message)) => message,
                other => format!("CONNECT_ERROR without a message: {other:?}"),
            })
        },
        other => Refused::new(format!("CONNECT_ERROR is not an object: {other}")),
    }
}

fn read(packet: Packet, raw: String) -> Result<Incoming, String> {
    let Some(Value::Array(mut args)) = packet.data else {
        return Err(format!("arguments that are not an array: {raw}"));
    };
    let order = 0;
    if packet.kind == Kind::Ack {
        let id = packet
            .id
            .ok_or_else(|| format!("an ack without id: {raw}"))?;
        return Ok(Incoming::Reply(Reply {
            id: json!(id).into(),
            event: None,
            args,
            attachments: packet.attachments,
            done: true,
            raw,
            order,
        }));
    }
    if args.is_empty() {
        return Err(format!("an event without a name: {raw}"));
    }
    let Value::String(name) = args.remove(0) else {
        return Err(format!("an event whose name is not a string: {raw}"));
    };
    Ok(match packet.id {
        Some(id) => Incoming::Question(Question {
            id: json!(id).into(),
            event: name,
            args,
            order,
        }),
        None => Incoming::Event(Event {
            name,
            args,
            attachments: packet.attachments,
            offset: None,
            raw,
            order,
        }),
    })
}
