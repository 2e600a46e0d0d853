//! Hot paths of the wire crate.

use std::hint::black_box;

use nest_gateway_wire::{Class, Connection, Frame, Limits, Outbox, OutboxConfig, Push};

use crate::generator::small_client_frame;

/// A small text message through the protocol machine.
pub(crate) fn parse_frame(iterations: u64) {
    let bytes = small_client_frame();
    let mut connection = Connection::new(Limits::default());
    for _ in 0..iterations {
        let received = connection.receive(&mut black_box(&bytes[..]));
        black_box(received).expect("valid").expect("complete");
    }
}

/// A binary message of 2,000 bytes in one masked frame. With an instruction for each byte it would cost
/// 2,000 and more; the compiler turns the loop that unmasks into vector instructions. Longer ones would
/// not show it: the C library copies them by an instruction that is counted once for each byte.
pub(crate) fn receive_2000(iterations: u64) {
    let mut bytes = vec![0x82, 0xfe, 0x07, 0xd0, 1, 2, 3, 4];
    bytes.resize(8 + 2000, b'x');
    let mut connection = Connection::new(Limits::default());
    for _ in 0..iterations {
        let received = connection.receive(&mut black_box(&bytes[..]));
        black_box(received).expect("valid").expect("complete");
    }
}

/// A message of 128 bytes made into a frame and dropped.
pub(crate) fn build_frame(iterations: u64) {
    let payload = [b'x'; 128];
    for _ in 0..iterations {
        black_box(Frame::text(black_box(&payload)));
    }
}

/// A frame that others share, queued for one receiver and taken by its writer.
pub(crate) fn publish_to_one(iterations: u64) {
    publish(iterations, 1);
}

/// The same with 32 frames between two turns of the writer; counted per turn.
pub(crate) fn publish_batch_to_one(iterations: u64) {
    publish(iterations, 32);
}

fn publish(iterations: u64, frames: usize) {
    let outbox = Outbox::new(OutboxConfig::default());
    let frame = Frame::text(&[b'x'; 128]);
    for _ in 0..iterations {
        for _ in 0..frames {
            let push = outbox.push(black_box(&frame).clone(), Class::Normal);
            assert_eq!(push, Push::Queued);
        }
        let taken = outbox.drain(usize::MAX, |frame| drop(black_box(frame)));
        assert_eq!(taken, frames);
    }
}
