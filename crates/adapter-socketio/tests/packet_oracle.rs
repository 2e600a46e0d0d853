//! The codec against the parser crate of the socketioxide project: what it writes we
//! write, what we read it reads in the same way.

use std::time::Instant;

use bytes::Bytes;
use nest_gateway_adapter_socketio::packet::{
    Arguments, Assembler, AssemblyLimits, Body, Packet, PacketError, encode,
};
use proptest::prelude::*;
use socketioxide_core::packet::{Packet as TheirPacket, PacketData};
use socketioxide_core::parser::{Parse, ParseConfig, ParseError, ParserState};
use socketioxide_core::{Str, Value};
use socketioxide_parser_common::CommonParser;

fn ours(text: &str) -> Result<Option<Packet>, PacketError> {
    let mut assembler = Assembler::new(AssemblyLimits::default());
    assembler.text(&Bytes::copy_from_slice(text.as_bytes()), Instant::now())
}

fn theirs(text: &str) -> Result<TheirPacket, ParseError> {
    let state = ParserState::default();
    CommonParser.decode_str(&ParseConfig::default(), &state, Str::from(text.to_owned()))
}

fn their_text(packet: TheirPacket) -> String {
    CommonParser
        .encode(packet)
        .as_str()
        .expect("this parser writes text")
        .to_string()
}

fn our_text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut buffer = Vec::new();
    write(&mut buffer);
    let text = String::from_utf8(buffer).unwrap();
    text.strip_prefix('4')
        .expect("an Engine.IO message")
        .to_owned()
}

fn namespaces() -> impl Strategy<Value = String> {
    prop_oneof![Just("/".to_owned()), "/[a-zé0-9/]{0,20}"]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,10}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The values as they stood in the packet, which has no white space here.
fn joined(arguments: &Arguments) -> Vec<u8> {
    arguments.values().join(&b',')
}

proptest! {
    #[test]
    fn events_are_written_the_same(namespace in namespaces(), event in ".{1,20}", id in prop::option::of(0..i64::MAX), data in json()) {
        // A number of arguments other than one would need a tuple of that size.
        let value = CommonParser.encode_value(&(data.clone(),), Some(&event)).unwrap();
        let mut packet = TheirPacket::event(namespace.clone(), value);
        if let Some(id) = id {
            packet.inner.set_ack_id(id);
        }
        let arguments = serde_json::to_vec(&data).unwrap();
        let written = our_text(|buffer| encode::event(buffer, encode::Event {
            namespace: &namespace,
            id: id.map(|id| id.try_into().unwrap()),
            event: &event,
            arguments: &arguments,
            attachments: 0,
            offset: None,
        }));
        prop_assert_eq!(written, their_text(packet));
    }

    #[test]
    fn acks_are_written_the_same(namespace in namespaces(), id in 0..i64::MAX, data in json()) {
        let value = CommonParser.encode_value(&(data.clone(),), None).unwrap();
        let packet = TheirPacket::ack(namespace.clone(), value, id);
        let arguments = serde_json::to_vec(&data).unwrap();
        let written = our_text(|buffer| encode::ack(buffer, &namespace, id.try_into().unwrap(), &arguments, 0));
        prop_assert_eq!(written, their_text(packet));
    }

    #[test]
    fn what_we_read_they_read_in_the_same_way(
        text in "[0-6](1-|2-)?(/[a-z]{0,3},?)?[0-9]{0,3}(\\[(\"e\"|1|\\{\\})?(,1)?\\]|\\{(\"a\":1)?\\}|x)?"
    ) {
        let Ok(read) = ours(&text) else { return Ok(()) };
        let other = theirs(&text);
        let Some(packet) = read else {
            prop_assert!(matches!(other, Err(ParseError::NeedsMoreBinaryData)), "{text}");
            return Ok(());
        };
        let other = other.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(packet.namespace.as_str(), &*other.ns);
        match (packet.body, other.inner) {
            (Body::Connect(auth), PacketData::Connect(value)) => {
                let value = value.map(|value| value.as_str().unwrap().as_bytes().to_vec());
                prop_assert_eq!(auth.map(|auth| auth.to_vec()), value);
            }
            (Body::Disconnect, PacketData::Disconnect) => {}
            (Body::Event { id, event, arguments }, PacketData::Event(value, other_id)) => {
                prop_assert_eq!(id.map(u64::cast_signed), other_id);
                prop_assert_eq!(event.as_str(), CommonParser.read_event(&value).unwrap());
                prop_assert!(value.as_str().unwrap().as_bytes().ends_with(&[&joined(&arguments), &b"]"[..]].concat()));
            }
            (Body::Ack { id, arguments }, PacketData::EventAck(Value::Str(value, None), other_id)) => {
                prop_assert_eq!(id.cast_signed(), other_id);
                prop_assert_eq!([&b"["[..], &joined(&arguments), b"]"].concat(), value.as_bytes().to_vec());
            }
            (body, other) => prop_assert!(false, "{text}: {body:?} is not {other:?}"),
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in ".{0,60}", tail in "[0-6][0-9/,\\[\\]{}\":a-z-]{0,40}") {
        let _ = ours(&text);
        let _ = ours(&tail);
    }
}
