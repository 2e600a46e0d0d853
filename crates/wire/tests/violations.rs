//! What a peer may not send, and what it may, at the level of the protocol machine.

mod support;

use bytes::Bytes;
use nest_gateway_wire::{Connection, Limits, Received, Violation};
use support::{frame, frame_with_len, header};

const SMALL: Limits = Limits {
    max_message: 1000,
    max_fragments: 4,
};

/// Everything that comes out of `bytes`, given whole and then byte by byte, which has to be the same.
fn receive(bytes: &[u8]) -> (Vec<Received>, Option<Violation>) {
    let whole = receive_in_pieces(bytes, bytes.len().max(1));
    let single = receive_in_pieces(bytes, 1);
    assert_eq!(whole, single, "cutting the bytes changes nothing");
    whole
}

fn receive_in_pieces(bytes: &[u8], piece: usize) -> (Vec<Received>, Option<Violation>) {
    let mut connection = Connection::new(SMALL);
    let mut received = Vec::new();
    for mut piece in bytes.chunks(piece) {
        loop {
            match connection.receive(&mut piece) {
                Ok(Some(item)) => received.push(item),
                Ok(None) => break,
                Err(violation) => return (received, Some(violation)),
            }
        }
        assert_eq!(piece, b"", "all that is not complete is taken");
    }
    (received, None)
}

fn violation(bytes: &[u8]) -> (Violation, u16) {
    let (received, violation) = receive(bytes);
    assert_eq!(received, []);
    let violation = violation.expect("a violation");
    (violation, violation.code())
}

fn text(text: &str) -> Received {
    Received::Text(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn a_masked_text_of_the_rfc_is_received() {
    let bytes = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(receive(&bytes), (vec![text("Hello")], None));
}

#[test]
fn fragments_are_joined_around_control_frames() {
    let bytes = [
        frame(0x01, "grü".as_bytes().split_last().unwrap().1),
        frame(0x89, b"still there?"),
        frame(0x00, &"ü".as_bytes()[1..]),
        frame(0x8a, b""),
        frame(0x80, b"n"),
    ]
    .concat();
    let expected = vec![
        Received::Ping(Bytes::from_static(b"still there?")),
        Received::Pong(Bytes::new()),
        text("grün"),
    ];
    assert_eq!(receive(&bytes), (expected, None));
}

#[test]
fn empty_messages_and_empty_fragments_are_messages() {
    let bytes = [
        frame(0x82, b""),
        frame(0x01, b""),
        frame(0x00, b""),
        frame(0x80, b""),
    ]
    .concat();
    assert_eq!(
        receive(&bytes),
        (vec![Received::Binary(Bytes::new()), text("")], None)
    );
}

#[test]
fn a_set_reserved_bit_is_refused_with_1002() {
    for bit in [0x10, 0x20, 0x40, 0x70] {
        assert_eq!(
            violation(&frame(0x81 | bit, b"")),
            (Violation::ReservedBit, 1002)
        );
    }
}

#[test]
fn a_reserved_opcode_is_refused_with_1002() {
    for op in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_eq!(
            violation(&frame(0x80 | op, b"")),
            (Violation::ReservedOpCode(op), 1002)
        );
    }
}

#[test]
fn an_unmasked_frame_is_refused_with_1002() {
    assert_eq!(violation(b"\x81\x05Hello"), (Violation::Unmasked, 1002));
}

#[test]
fn a_length_in_more_bytes_than_needed_is_refused_with_1002() {
    assert_eq!(
        violation(&[0x82, 0xfe, 0, 125, 0, 0, 0, 0]),
        (Violation::BadLength, 1002)
    );
    let long = [0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0];
    assert_eq!(violation(&long), (Violation::BadLength, 1002));
}

#[test]
fn a_length_with_the_highest_bit_is_refused_with_1002() {
    let bytes = [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(violation(&bytes), (Violation::BadLength, 1002));
}

#[test]
fn a_fragmented_control_frame_is_refused_with_1002() {
    for op in [0x08, 0x09, 0x0a] {
        assert_eq!(
            violation(&frame(op, b"")),
            (Violation::FragmentedControl, 1002)
        );
    }
}

#[test]
fn a_control_frame_of_126_bytes_is_refused_with_1002() {
    for first in [0x88, 0x89, 0x8a] {
        assert_eq!(
            violation(&frame(first, &[0; 126])),
            (Violation::ControlTooLong, 1002)
        );
    }
}

/// One byte says every length that a control frame may have (sections 5.2 and 5.5).
#[test]
fn a_control_frame_with_its_length_in_more_bytes_is_refused_with_1002() {
    let mask = [0; 4];
    for first in [0x88, 0x89, 0x8a] {
        let two = [&[first, 0xfe, 0, 2][..], &mask, b"\x03\xe8"].concat();
        let eight = [
            &[first, 0xff, 0, 0, 0, 0, 0, 0, 0, 2][..],
            &mask,
            b"\x03\xe8",
        ]
        .concat();
        for bytes in [two, eight] {
            assert_eq!(violation(&bytes), (Violation::ControlTooLong, 1002));
        }
    }
}

#[test]
fn a_continuation_of_nothing_is_refused_with_1002() {
    for first in [0x80, 0x00] {
        assert_eq!(
            violation(&frame(first, b"x")),
            (Violation::UnexpectedContinuation, 1002)
        );
    }
}

#[test]
fn a_message_inside_a_fragmented_one_is_refused_with_1002() {
    let bytes = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    assert_eq!(violation(&bytes), (Violation::InterleavedMessage, 1002));
}

#[test]
fn a_close_frame_of_one_byte_is_refused_with_1002() {
    assert_eq!(
        violation(&frame(0x88, &[3])),
        (Violation::HalfCloseCode, 1002)
    );
}

#[test]
fn a_close_code_that_may_not_be_sent_is_refused_with_1002() {
    for code in [
        0u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        let bytes = frame(0x88, &code.to_be_bytes());
        assert_eq!(violation(&bytes), (Violation::BadCloseCode(code), 1002));
    }
}

#[test]
fn every_close_code_that_may_be_sent_is_received_with_its_reason() {
    for code in [
        1000u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999,
    ] {
        let bytes = frame(
            0x88,
            &[&code.to_be_bytes()[..], "tschüss".as_bytes()].concat(),
        );
        let close = Received::Close(Some((code, "tschüss".to_owned())));
        assert_eq!(receive(&bytes), (vec![close], None));
    }
    assert_eq!(
        receive(&frame(0x88, b"")),
        (vec![Received::Close(None)], None)
    );
}

#[test]
fn a_close_reason_that_is_not_utf8_is_refused_with_1007() {
    assert_eq!(
        violation(&frame(0x88, b"\x03\xe8\xff")),
        (Violation::NotUtf8, 1007)
    );
}

#[test]
fn text_is_refused_with_1007_at_the_first_byte_that_nothing_can_make_right() {
    // The frame announces 100 bytes; the violation is seen before they are there.
    let bytes = frame_with_len(0x81, 100, b"valid \xf4\x90");
    assert_eq!(violation(&bytes), (Violation::NotUtf8, 1007));
    let fragments = [
        frame(0x01, b"\xce\xba\xe1"),
        frame_with_len(0x80, 50, b"\xc0"),
    ]
    .concat();
    assert_eq!(violation(&fragments), (Violation::NotUtf8, 1007));
}

#[test]
fn text_that_ends_inside_a_character_is_refused_with_1007() {
    assert_eq!(
        violation(&frame(0x81, b"\xe2\x82")),
        (Violation::NotUtf8, 1007)
    );
}

#[test]
fn binary_is_not_checked_for_utf8() {
    let (received, violation) = receive(&frame(0x82, b"\xff\xfe"));
    assert_eq!((received.len(), violation), (1, None));
}

#[test]
fn a_message_over_the_limit_is_refused_with_1009_by_its_header() {
    let too_big = Violation::MessageTooBig { limit: 1000 };
    assert_eq!(violation(&header(0x82, 1001)), (too_big, 1009));
    assert_eq!(violation(&header(0x82, 80 << 20)), (too_big, 1009));
    assert_eq!(violation(&header(0x82, i64::MAX as u64)), (too_big, 1009));
    let (received, none) = receive(&frame(0x82, &[0; 1000]));
    assert_eq!((received.len(), none), (1, None));
}

#[test]
fn fragments_over_the_limit_together_are_refused_with_1009() {
    let bytes = [frame(0x02, &[0; 600]), header(0x00, 401)].concat();
    let (received, violation) = receive(&bytes);
    assert_eq!(received, []);
    assert_eq!(violation, Some(Violation::MessageTooBig { limit: 1000 }));
}

#[test]
fn more_fragments_than_the_limit_are_refused_with_1008_even_if_empty() {
    let bytes = [
        frame(0x01, b""),
        frame(0x00, b"").repeat(3),
        frame(0x80, b""),
    ]
    .concat();
    assert_eq!(
        violation(&bytes),
        (Violation::TooManyFragments { limit: 4 }, 1008)
    );
    let allowed = [
        frame(0x01, b""),
        frame(0x00, b"").repeat(2),
        frame(0x80, b""),
    ]
    .concat();
    assert_eq!(receive(&allowed), (vec![text("")], None));
}
