//! Hot paths in a loop, for callgrind: `micro TARGET ITERATIONS`. Without
//! arguments it lists its targets.

use std::hint::black_box;
use std::io::{self, Write as _};

use nest_gateway_benches::frame;
use nest_gateway_benches::wire::Wire;

/// A name and what runs so many times.
type Target = (&'static str, fn(u64));

const TARGETS: [Target; 2] = [
    ("generator-parse-message", generator_parse_message),
    ("floor-parse-frame", floor_parse_frame),
];

/// What the load generator does for each message, as the measure of its own
/// overhead.
fn generator_parse_message(iterations: u64) {
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

/// What the floor does for each frame of a client, as the measure of ours.
fn floor_parse_frame(iterations: u64) {
    let mut text = Vec::new();
    Wire::Native.push_emit("echo", &[b'1'; 64], None, &mut text);
    let mut bytes = Vec::new();
    frame::push_client_frame(frame::TEXT, &text, &mut bytes);
    for _ in 0..iterations {
        // Unmasking twice is the identity, so that the bytes stay usable.
        black_box(frame::unmask_client_frame(black_box(&mut bytes))).expect("complete");
    }
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let Some(name) = args.next() else {
        let mut out = io::stdout().lock();
        return TARGETS
            .iter()
            .try_for_each(|(name, _)| writeln!(out, "{name}"));
    };
    let iterations = args.next().and_then(|text| text.parse().ok());
    let target = TARGETS.iter().find(|(target, _)| *target == name);
    match (target, iterations) {
        (Some((_, run)), Some(iterations)) => {
            run(iterations);
            Ok(())
        }
        _ => Err(io::Error::other("usage: micro TARGET ITERATIONS")),
    }
}
