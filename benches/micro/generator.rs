//! What the harness itself does, as the measure of the rest.

use std::hint::black_box;

use nest_gateway_benches::frame;
use nest_gateway_benches::wire::Wire;

/// What the load generator does for each message.
pub(crate) fn parse_message(iterations: u64) {
    let data = format!("\"{}\"", "x".repeat(128));
    let (mut text, mut bytes) = (Vec::new(), Vec::new());
    Wire::Native.push_emit("msg", data.as_bytes(), None, &mut text);
    frame::push_server_frame(frame::TEXT, &text, &mut bytes);
    for _ in 0..iterations {
        let header = frame::server_header(black_box(&bytes)).expect("valid");
        let header = header.expect("complete");
        let message = Wire::Native.parse(&bytes[header.header_len..]);
        black_box(message).expect("an event");
    }
}

/// What the floor does for each frame of a client.
pub(crate) fn parse_frame(iterations: u64) {
    let mut bytes = small_client_frame();
    for _ in 0..iterations {
        // Unmasking twice is the identity, so that the bytes stay usable.
        black_box(frame::unmask_client_frame(black_box(&mut bytes))).expect("complete");
    }
}

/// A masked text frame of 90 bytes, as an echo of 64 digits has it.
pub(crate) fn small_client_frame() -> Vec<u8> {
    let (mut text, mut bytes) = (Vec::new(), Vec::new());
    Wire::Native.push_emit("echo", &[b'1'; 64], None, &mut text);
    frame::push_client_frame(frame::TEXT, &text, &mut bytes);
    bytes
}
