//! Encoded packets, said through socketioxide.
//!
//! socketioxide takes values and not packets, so what was encoded once for all is taken
//! apart again for each of its clients: the price of somebody else's wire.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use nest_gateway_core::message::Arguments;
use nest_gateway_core::payload::Payload;
use nest_gateway_wire::Frame;
use serde::ser::{Serialize, SerializeTuple as _, Serializer};
use serde_json::value::RawValue;
use socketioxide::ack::AckStream;
use socketioxide::adapter::Adapter;
use socketioxide::extract::AckSender;
use socketioxide::handler::{FromMessageParts as _, Value};
use socketioxide::socket::Socket;
use socketioxide::{SendError, SocketError};

use super::arguments::{Values, speaks_json};
use crate::arguments::of_core;
use crate::packet::{Assembler, AssemblyLimits, Body, Packet};

/// How long socketioxide is asked to wait for an answer. Core has its own timeout for each
/// question, which is shorter as a rule; this one bounds what is kept of abandoned ones.
const LONGEST_QUESTION: Duration = Duration::from_mins(5);

/// Says what an outbox holds to one socket.
pub(super) struct Speaker<A: Adapter> {
    socket: Arc<Socket<A>>,
    is_json: bool,
    /// Packets that are not said yet: one batch of the outbox at most.
    rest: VecDeque<Packet>,
    questions: Vec<Question>,
    max_questions: usize,
}

struct Question {
    id: u64,
    answer: Pin<Box<AckStream<Values>>>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// It is on its way.
    Said,
    /// There was none.
    Nothing,
    /// socketioxide's queue is full.
    Full,
    /// The socket is closed.
    Closed,
}

impl<A: Adapter> Speaker<A> {
    pub(super) fn new(socket: Arc<Socket<A>>, max_open_questions: usize) -> Self {
        Self {
            is_json: speaks_json(&socket),
            socket,
            rest: VecDeque::new(),
            questions: Vec::new(),
            // Core gives up on questions without telling, so some of these are abandoned.
            max_questions: max_open_questions.saturating_mul(2),
        }
    }

    /// Whether packets wait for room.
    pub(super) fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Takes a frame, or a group of them, to be said.
    pub(super) fn take(&mut self, frame: &Frame) {
        self.rest.extend(packets(frame));
    }

    /// Says the next packet. One that does not fit stays the next.
    pub(super) fn say(&mut self) -> Spoken {
        let Some(packet) = self.rest.pop_front() else {
            return Spoken::Nothing;
        };
        let spoken = self.say_packet(&packet);
        if spoken == Spoken::Full {
            self.rest.push_front(packet);
        } else if self.rest.is_empty() {
            // An idle client keeps no buffer.
            self.rest = VecDeque::new();
        }
        spoken
    }

    fn say_packet(&mut self, packet: &Packet) -> Spoken {
        let arguments = match &packet.body {
            Body::Event { arguments, .. } | Body::Ack { arguments, .. } => {
                of_core(arguments.clone())
            }
            Body::Connect(_) | Body::Disconnect => return Spoken::Said,
        };
        let Ok(arguments) = arguments else {
            tracing::error!("a packet of ours cannot be read");
            return Spoken::Said;
        };
        let values = Spread {
            arguments: &arguments,
            is_json: self.is_json,
        };
        let sent = match &packet.body {
            Body::Event {
                id: None, event, ..
            } => self.socket.emit(event.as_str(), &values),
            Body::Event {
                id: Some(id),
                event,
                ..
            } => self.ask(*id, event.as_str(), &values),
            Body::Ack { id, .. } => self.answer(*id, &values),
            Body::Connect(_) | Body::Disconnect => Ok(()),
        };
        match sent {
            Ok(()) => Spoken::Said,
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Spoken::Full,
            Err(SendError::Socket(SocketError::Closed)) => Spoken::Closed,
            Err(SendError::Serialize(error)) => {
                tracing::error!(%error, "socketioxide cannot encode a message");
                Spoken::Said
            }
        }
    }

    fn ask(&mut self, id: u64, event: &str, values: &Spread<'_>) -> Result<(), SendError> {
        let patient = self.socket.timeout(LONGEST_QUESTION);
        let answer = Box::pin(patient.emit_with_ack(event, values)?);
        if self.questions.len() >= self.max_questions {
            self.questions.remove(0);
        }
        self.questions.push(Question { id, answer });
        Ok(())
    }

    fn answer(&self, id: u64, values: &Spread<'_>) -> Result<(), SendError> {
        let id = i64::try_from(id).ok();
        // The extractor is the only way to an ack of an id; it looks at nothing else.
        let mut nothing = Value::Bytes(bytes::Bytes::new());
        let Ok(ack) = AckSender::from_message_parts(&self.socket, &mut nothing, &id);
        ack.send(values)
    }

    /// Answers that have come.
    pub(super) fn poll_answers(&mut self, context: &mut Context<'_>) -> Poll<Vec<(u64, Payload)>> {
        let mut answers = Vec::new();
        self.questions
            .retain_mut(|question| match question.answer.as_mut().poll(context) {
                Poll::Pending => true,
                Poll::Ready(Ok(values)) => {
                    answers.push((question.id, values.joined()));
                    false
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "no answer of a client");
                    false
                }
            });
        if answers.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(answers)
        }
    }
}

/// The packets of a frame that our own codec wrote.
fn packets(frame: &Frame) -> Vec<Packet> {
    let mut assembler = Assembler::new(AssemblyLimits {
        attachments: usize::MAX,
        bytes: usize::MAX,
        time: Duration::from_secs(1),
    });
    let now = Instant::now();
    let mut packets = Vec::new();
    for part in frame.parts() {
        let payload = part.payload();
        let packet = if part.is_text() {
            // Behind Engine.IO's type of a message.
            assembler.text(&payload.slice(1..), now)
        } else {
            assembler.binary(payload, now)
        };
        match packet {
            Ok(packet) => packets.extend(packet),
            Err(error) => tracing::error!(%error, "a packet of ours cannot be read"),
        }
    }
    packets
}

/// Arguments as a tuple, which is what makes socketioxide spread them.
struct Spread<'a> {
    arguments: &'a Arguments,
    is_json: bool,
}

impl Serialize for Spread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.arguments.as_slice();
        let mut tuple = serializer.serialize_tuple(values.len())?;
        for value in values {
            match value.as_json() {
                // As it is, so that no number loses a digit.
                Some(text) if self.is_json => {
                    let raw: &RawValue =
                        serde_json::from_slice(text).map_err(serde::ser::Error::custom)?;
                    tuple.serialize_element(raw)?;
                }
                _ => tuple.serialize_element(value)?,
            }
        }
        tuple.end()
    }
}
