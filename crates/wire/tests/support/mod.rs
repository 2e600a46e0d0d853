//! A peer in the hands of the test: it writes the bytes it wants and reads frames one by one.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a crate and uses its part of it"
)]

pub mod client;
pub mod server;

/// A client frame with `first` as its first byte, masked.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    frame_with_len(first, payload.len() as u64, payload)
}

/// A client frame whose header announces `len`, whatever the payload is.
pub fn frame_with_len(first: u8, len: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, len);
    let mask: [u8; 4] = bytes[bytes.len() - 4..].try_into().unwrap();
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    bytes
}

/// The header of a masked client frame.
pub fn header(first: u8, len: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match len {
        0..=125 => bytes.push(0x80 | u8::try_from(len).unwrap()),
        126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(0xff);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend([0x12, 0xf3, 0x7a, 0x0b]);
    bytes
}
