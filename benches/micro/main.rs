//! Hot paths in a loop, for callgrind: `micro TARGET ITERATIONS`. Without
//! arguments it lists its targets.

mod gateway;
mod generator;
mod wire;

use std::io::{self, Write as _};

/// A name and what runs so many times.
type Target = (&'static str, fn(u64));

/// To add one, write a function with a loop and name it here.
const TARGETS: [Target; 12] = [
    ("generator-parse-message", generator::parse_message),
    ("floor-parse-frame", generator::parse_frame),
    ("wire-parse-frame", wire::parse_frame),
    ("wire-receive-2000", wire::receive_2000),
    ("wire-build-frame", wire::build_frame),
    ("wire-publish-to-one", wire::publish_to_one),
    ("wire-publish-32-to-one", wire::publish_batch_to_one),
    ("dispatch-event", gateway::dispatch_event),
    ("emit-to-one", gateway::emit_to_one),
    ("fan-out-1000", gateway::fan_out),
    ("encode-native", gateway::encode_native),
    ("encode-socketio", gateway::encode_socketio),
];

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
