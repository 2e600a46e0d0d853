//! The parser of an adapter: how packets look on the wire, in both directions.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Format, ItemEncoder};
use nest_gateway_core::id::ClientId;
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::{Arguments, Encoded, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::recovery::{Offset, Offsets, RecoveryKey};
use nest_gateway_wire::{Frame, GapNotice};

use crate::arguments;
use crate::codec::{JsonCodec, text_frame};
use crate::engine::Message;
use crate::gap;
#[cfg(feature = "msgpack")]
use crate::msgpack::{self, MsgpackCodec};
use crate::packet::{self, Assembler, AssemblyLimits, PacketError, Text, encode};

/// One of the parsers that the official implementation has. Both ends have to use the same.
#[derive(Debug)]
pub(crate) enum Parser {
    Json(JsonCodec),
    #[cfg(feature = "msgpack")]
    Msgpack(MsgpackCodec),
}

/// Which parser an application chose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum ParserKind {
    #[default]
    Json,
    #[cfg(feature = "msgpack")]
    Msgpack,
}

impl ParserKind {
    /// What tells the clients of a connection, which may have so many, how many of its messages
    /// a drop policy cost each.
    pub(crate) fn gap_notice(self, clients: usize) -> GapNotice {
        let notice = match self {
            Self::Json => gap::JSON,
            #[cfg(feature = "msgpack")]
            Self::Msgpack => gap::MSGPACK,
        };
        GapNotice {
            recipients: clients,
            ..notice
        }
    }
}

/// A packet of a client, whatever parser read it.
pub(crate) struct Request {
    pub(crate) namespace: Text,
    pub(crate) body: Body,
}

/// What a packet says.
pub(crate) enum Body {
    /// Join; with the `auth` object, which is empty when there is none.
    Connect(Payload),
    Disconnect,
    Event {
        id: Option<u64>,
        event: Text,
        arguments: Arguments,
    },
    Ack {
        id: u64,
        arguments: Arguments,
    },
}

impl Parser {
    /// With `offsets`, events can be told apart by clients that come back.
    pub(crate) fn new(kind: ParserKind, offsets: Option<Arc<Offsets>>) -> Self {
        match kind {
            ParserKind::Json => Self::Json(JsonCodec { offsets }),
            #[cfg(feature = "msgpack")]
            ParserKind::Msgpack => Self::Msgpack(MsgpackCodec { offsets }),
        }
    }

    /// What turns the messages of one connection into packets.
    pub(crate) fn decoder(&self, limits: Arc<AssemblyLimits>) -> Decoder {
        match self {
            Self::Json(_) => Decoder::Json(Assembler::new(limits)),
            #[cfg(feature = "msgpack")]
            Self::Msgpack(_) => Decoder::Msgpack,
        }
    }

    /// The answer to a CONNECT.
    pub(crate) fn greeting(
        &self,
        namespace: &Text,
        id: ClientId,
        key: Option<&RecoveryKey>,
    ) -> Frame {
        let (namespace, key) = (namespace.as_str(), key.map(RecoveryKey::as_str));
        match self {
            Self::Json(_) => {
                text_frame(|buffer| encode::connect(buffer, namespace, id.as_str(), key))
            }
            #[cfg(feature = "msgpack")]
            Self::Msgpack(_) => msgpack::connect(namespace, id.as_str(), key),
        }
    }

    /// A CONNECT_ERROR.
    pub(crate) fn refusal(&self, namespace: &Text, message: &str, data: Option<&Payload>) -> Frame {
        let namespace = namespace.as_str();
        match self {
            Self::Json(_) => {
                let data = data.and_then(|data| data.to_json().ok());
                text_frame(|buffer| {
                    encode::connect_error(buffer, namespace, message, data.as_deref());
                })
            }
            #[cfg(feature = "msgpack")]
            Self::Msgpack(_) => msgpack::connect_error(namespace, message, data),
        }
    }

    /// A DISCONNECT.
    pub(crate) fn farewell(&self, namespace: &Text) -> Frame {
        match self {
            Self::Json(_) => text_frame(|buffer| encode::disconnect(buffer, namespace.as_str())),
            #[cfg(feature = "msgpack")]
            Self::Msgpack(_) => msgpack::disconnect(namespace.as_str()),
        }
    }

    fn codec(&self) -> &dyn Codec {
        match self {
            Self::Json(codec) => codec,
            #[cfg(feature = "msgpack")]
            Self::Msgpack(codec) => codec,
        }
    }
}

impl Codec for Parser {
    fn format(&self) -> Format {
        self.codec().format()
    }

    fn names_path(&self) -> bool {
        true
    }

    fn carries_many_arguments(&self) -> bool {
        true
    }

    fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
        self.codec().recoverable(message)
    }

    fn encode(&self, path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        self.codec().encode(path, message)
    }

    fn encode_into(
        &self,
        path: &str,
        message: Outgoing<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        self.codec().encode_into(path, message, buffer)
    }

    fn item_encoder(
        &self,
        path: &str,
        event: &str,
        request: Option<&RequestId>,
    ) -> Option<ItemEncoder> {
        self.codec().item_encoder(path, event, request)
    }
}

/// Turns the messages of one connection into packets.
pub(crate) enum Decoder {
    Json(Assembler),
    #[cfg(feature = "msgpack")]
    Msgpack,
}

impl Decoder {
    /// Takes a message; `None` while attachments are outstanding.
    pub(crate) fn message(
        &mut self,
        message: Message,
        now: Instant,
    ) -> Result<Option<Request>, PacketError> {
        match (self, message) {
            (Self::Json(assembler), Message::Text(text)) => assembler
                .text(&text, now)?
                .map(Request::try_from)
                .transpose(),
            (Self::Json(assembler), Message::Binary(bytes)) => assembler
                .binary(bytes, now)?
                .map(Request::try_from)
                .transpose(),
            #[cfg(feature = "msgpack")]
            (Self::Msgpack, Message::Binary(bytes)) => msgpack::decode(bytes).map(Some),
            #[cfg(feature = "msgpack")]
            (Self::Msgpack, Message::Text(_)) => Err(PacketError::UnexpectedText),
        }
    }

    /// When [`Decoder::is_overdue`] has to be asked; `None` while nothing is outstanding.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Json(assembler) => assembler.deadline(),
            #[cfg(feature = "msgpack")]
            Self::Msgpack => None,
        }
    }

    /// Whether attachments are outstanding for too long.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| now >= deadline)
    }
}

impl TryFrom<packet::Packet> for Request {
    type Error = PacketError;

    fn try_from(packet: packet::Packet) -> Result<Self, PacketError> {
        let body = match packet.body {
            packet::Body::Connect(auth) => Body::Connect(arguments::auth(auth)),
            packet::Body::Disconnect => Body::Disconnect,
            packet::Body::Event {
                id,
                event,
                arguments,
            } => Body::Event {
                id,
                event,
                arguments: arguments::of_core(arguments)?,
            },
            packet::Body::Ack { id, arguments } => Body::Ack {
                id,
                arguments: arguments::of_core(arguments)?,
            },
        };
        Ok(Self {
            namespace: packet.namespace,
            body,
        })
    }
}
