//! Tells clients what a drop policy cost them. The clients that a connection has in several
//! namespaces share its queue, and each is told of its own losses.

use bytes::Bytes;
use nest_gateway_wire::{Frame, GapNotice, OpCode};

use crate::packet::encode;

/// For the default parser.
pub(crate) const JSON: GapNotice = GapNotice {
    recipient: namespace_of_text,
    recipients: 1,
    frame: |namespace, dropped| {
        let arguments = format!(r#"{{"dropped":{dropped}}}"#);
        Frame::build(OpCode::Text, 64, |buffer| {
            encode::event(
                buffer,
                encode::Event {
                    namespace: name(namespace),
                    id: None,
                    event: GAP_EVENT,
                    arguments: arguments.as_bytes(),
                    attachments: 0,
                    offset: None,
                },
            );
        })
    },
};

/// For the msgpack parser.
#[cfg(feature = "msgpack")]
pub(crate) const MSGPACK: GapNotice = GapNotice {
    recipient: namespace_of_msgpack,
    recipients: 1,
    frame: |namespace, dropped| crate::msgpack::event(name(namespace), GAP_EVENT, &Gap { dropped }),
};

const GAP_EVENT: &str = "gap";

#[cfg(feature = "msgpack")]
#[derive(serde::Serialize)]
struct Gap {
    dropped: u64,
}

/// The namespace in an encoded packet; `None` in one of Engine.IO itself, such as a ping. A
/// packet with attachments is a group of frames, of which the first is read.
fn namespace_of_text(frame: &Frame) -> Option<Bytes> {
    let payload = frame.payload();
    let rest = payload.strip_prefix(b"4")?;
    let (kind, mut rest) = rest.split_first()?;
    if matches!(kind, b'5' | b'6') {
        rest = rest.splitn(2, |byte| *byte == b'-').nth(1)?;
    }
    if rest.first() != Some(&b'/') {
        return Some(Bytes::from_static(b"/"));
    }
    let end = memchr::memchr(b',', rest)?;
    Some(payload.slice_ref(&rest[..end]))
}

/// The namespace in an encoded packet: the second entry, behind `type`, which is a digit.
#[cfg(feature = "msgpack")]
fn namespace_of_msgpack(frame: &Frame) -> Option<Bytes> {
    const STR_8: u8 = 0xd9;
    const STR_16: u8 = 0xda;
    let payload = frame.payload();
    let (_, rest) = payload.split_first()?;
    let (_, rest) = rest.strip_prefix(b"\xa4type")?.split_first()?;
    let rest = rest.strip_prefix(b"\xa3nsp")?;
    let (length, rest) = match rest.split_first()? {
        (fixed @ 0xa0..=0xbf, rest) => (usize::from(fixed & 0x1f), rest),
        (&STR_8, rest) => rest
            .split_first()
            .map(|(n, rest)| (usize::from(*n), rest))?,
        (&STR_16, rest) => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    Some(payload.slice_ref(rest.get(..length)?))
}

/// The text of a namespace that was found in a packet of ours.
fn name(namespace: &[u8]) -> &str {
    std::str::from_utf8(namespace).expect("packets are written with valid names")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(packet: &str) -> Option<String> {
        let namespace = (JSON.recipient)(&Frame::text(packet.as_bytes()))?;
        let notice = (JSON.frame)(&namespace, 3);
        Some(String::from_utf8(notice.payload().to_vec()).unwrap())
    }

    #[test]
    fn a_packet_tells_whose_it_is() {
        for packet in [
            r#"42["e","/x,"]"#,
            r#"427["e"]"#,
            "430[]",
            r#"451-["e",{"_placeholder":true,"num":0}]"#,
            r#"461-0[{"_placeholder":true,"num":0}]"#,
            "41",
            r#"40{"sid":"x"}"#,
        ] {
            let notice = r#"42["gap",{"dropped":3}]"#;
            assert_eq!(lost(packet).as_deref(), Some(notice), "{packet}");
        }
        for packet in [
            r#"42/room/7,["e","/x,"]"#,
            r#"42/room/7,1["e"]"#,
            "43/room/7,0[]",
            r#"4512-/room/7,["e"]"#,
            "461-/room/7,0[]",
            "41/room/7,",
            r#"44/room/7,{"message":"no"}"#,
        ] {
            let notice = r#"42/room/7,["gap",{"dropped":3}]"#;
            assert_eq!(lost(packet).as_deref(), Some(notice), "{packet}");
        }
    }

    #[test]
    fn a_packet_of_engine_io_is_nobodys() {
        for packet in ["2", "3probe", "6", "1"] {
            assert_eq!(lost(packet), None, "{packet}");
        }
    }

    #[test]
    fn the_first_frame_of_a_group_tells_whose_it_is() {
        let text = Frame::text(br#"451-/a,["e",{"_placeholder":true,"num":0}]"#);
        let group = Frame::group([&text, &Frame::binary(b"42")]).unwrap();
        assert_eq!((JSON.recipient)(&group).as_deref(), Some(&b"/a"[..]));
    }

    #[cfg(feature = "msgpack")]
    #[test]
    fn a_msgpack_packet_tells_whose_it_is() {
        for length in [1, 31, 32, 255, 256] {
            let namespace = format!("/{}", "n".repeat(length - 1));
            let packet = crate::msgpack::event(&namespace, "e", &1);
            let found = (MSGPACK.recipient)(&packet).unwrap();
            assert_eq!(&found[..], namespace.as_bytes());
            let told = (MSGPACK.frame)(&found, 3);
            let expected = crate::msgpack::event(&namespace, "gap", &Gap { dropped: 3 });
            assert_eq!(told, expected);
        }
        assert_eq!((MSGPACK.recipient)(&Frame::text(b"2")), None);
    }
}
