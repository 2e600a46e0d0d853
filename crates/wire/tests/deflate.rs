//! permessage-deflate over real sockets, with flate2 as the client's side.

mod support;

use std::sync::Arc;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use nest_gateway_wire::{
    Class, ClosedBy, DeflateConfig, Frame, OutboxConfig, Push, SlowPolicy, WebSocketConfig,
};
use support::client::Client;
use support::frame;
use support::server::Server;

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const TAKEOVER: DeflateConfig = DeflateConfig {
    min_bytes: 10,
    level: 6,
    server_context_takeover: true,
    client_context_takeover: true,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

fn socket(deflate: DeflateConfig) -> WebSocketConfig {
    WebSocketConfig {
        deflate: Some(deflate),
        ..WebSocketConfig::default()
    }
}

async fn connect(server: &Server, offer: &str) -> (Client, String) {
    let mut client = Client::tcp(server.address).await;
    let line = format!("sec-websocket-extensions: {offer}\r\n");
    let head = client.upgrade(&line).await;
    (client, head)
}

/// Compresses a message as a client does: flushed, without the tail.
fn deflated(compress: &mut Compress, message: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(message.len() + 1024);
    compress
        .compress_vec(message, &mut output, FlushCompress::Sync)
        .unwrap();
    assert!(output.ends_with(&TAIL));
    output.truncate(output.len() - 4);
    output
}

fn inflated(decompress: &mut Decompress, payload: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(4 << 20);
    let input = [payload, &TAIL].concat();
    decompress
        .decompress_vec(&input, &mut output, FlushDecompress::Sync)
        .unwrap();
    output
}

fn compressor() -> Compress {
    Compress::new(Compression::new(6), false)
}

fn sentence(i: usize) -> String {
    format!("message {i}: the quick brown fox jumps over the lazy dog. ").repeat(3)
}

/// Bytes that do not compress.
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(step).collect()
}

#[tokio::test]
async fn nothing_is_compressed_unless_configured_and_offered() {
    let server = Server::start().await;
    let (mut client, head) = connect(&server, "permessage-deflate").await;
    assert!(!head.contains("extensions"), "{head}");
    client.send(&frame(0xc1, b"x")).await;
    client.closed_with(1002).await;

    let server = Server::with_socket(socket(TAKEOVER)).await;
    let mut client = Client::connect(server.address).await;
    client.send(&frame(0x81, sentence(0).as_bytes())).await;
    assert_eq!(
        client.frame().await.unwrap().payload,
        sentence(0).as_bytes()
    );
    client.send(&frame(0xc1, b"x")).await;
    client.closed_with(1002).await;
}

#[tokio::test]
async fn windows_go_on_from_message_to_message_on_both_sides() {
    let server = Server::with_socket(socket(TAKEOVER)).await;
    let (mut client, head) = connect(&server, "permessage-deflate").await;
    assert!(
        head.contains("sec-websocket-extensions: permessage-deflate\r\n"),
        "{head}"
    );
    let (mut compress, mut decompress) = (compressor(), Decompress::new(false));
    let mut sizes = Vec::new();
    for i in 0..20 {
        let payload = deflated(&mut compress, sentence(i).as_bytes());
        client.send(&frame(0xc1, &payload)).await;
        let echo = client.frame().await.unwrap();
        assert_eq!(echo.first, 0xc1);
        sizes.push(echo.payload.len());
        assert_eq!(
            inflated(&mut decompress, &echo.payload),
            sentence(i).as_bytes()
        );
    }
    assert!(sizes[19] * 2 < sizes[0], "{sizes:?}");
}

#[tokio::test]
async fn without_takeover_each_message_stands_alone() {
    let server = Server::with_socket(socket(DeflateConfig {
        min_bytes: 10,
        ..DeflateConfig::default()
    }))
    .await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    for i in 0..20 {
        let payload = deflated(&mut compressor(), sentence(i).as_bytes());
        client.send(&frame(0xc2, &payload)).await;
        let echo = client.frame().await.unwrap();
        assert_eq!(echo.first, 0xc2);
        let plain = inflated(&mut Decompress::new(false), &echo.payload);
        assert_eq!(plain, sentence(i).as_bytes());
    }
}

#[tokio::test]
async fn small_and_incompressible_messages_stay_plain() {
    let mut server = Server::with_socket(socket(DeflateConfig::default())).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    let outbox = server.next_outbox().await;
    let noise = noise(1, 4000);
    let zeros = [0; 4000];
    for frame in [
        Frame::text(&[b'a'; 1000]),
        Frame::binary(&noise),
        Frame::binary(&zeros).incompressible(),
        Frame::binary(&zeros),
    ] {
        assert_eq!(outbox.push(frame, Class::Normal), Push::Queued);
    }
    for first in [0x81, 0x82, 0x82] {
        assert_eq!(client.frame().await.unwrap().first, first);
    }
    let compressed = client.frame().await.unwrap();
    assert_eq!(compressed.first, 0xc2);
    assert_eq!(
        inflated(&mut Decompress::new(false), &compressed.payload),
        zeros
    );
}

#[tokio::test]
async fn a_compressed_message_may_come_in_fragments_around_a_ping() {
    let server = Server::with_socket(socket(TAKEOVER)).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    let payload = deflated(&mut compressor(), sentence(7).as_bytes());
    let (head, tail) = payload.split_at(payload.len() / 2);
    client.send(&frame(0x41, head)).await;
    client.send(&frame(0x89, b"")).await;
    assert_eq!(client.frame().await.unwrap().first, 0x8a);
    client.send(&frame(0x80, tail)).await;
    let echo = client.frame().await.unwrap();
    assert_eq!(
        inflated(&mut Decompress::new(false), &echo.payload),
        sentence(7).as_bytes()
    );
}

#[tokio::test]
async fn the_examples_of_the_rfc_are_understood() {
    let server = Server::with_socket(socket(DeflateConfig::default())).await;
    let examples: [&[u8]; 4] = [
        // Sections 7.2.3.1 (one block), 7.2.3.3 (not compressed), 7.2.3.4 (final), 7.2.3.5 (two).
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
        &[
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ],
    ];
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    for example in examples {
        client.send(&frame(0xc1, example)).await;
        assert_eq!(client.frame().await.unwrap().payload, b"Hello");
    }
    // Section 7.2.3.6: nothing.
    client.send(&frame(0xc1, &[0])).await;
    assert_eq!(client.frame().await.unwrap().payload, b"");
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_message_limit_with_1009() {
    let mut server = Server::with_socket(socket(DeflateConfig::default())).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    let bomb = deflated(&mut compressor(), &vec![0; 1 << 20]);
    assert!(bomb.len() < 2000);
    client.send(&frame(0xc2, &bomb)).await;
    client.closed_with(1009).await;
    assert_eq!(server.next_closed().await.by, ClosedBy::Violation);
}

#[tokio::test]
async fn blocks_that_inflate_to_nothing_are_bounded_too() {
    let server = Server::with_socket(socket(DeflateConfig::default())).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    let nothing = [0x00, 0x00, 0x00, 0xff, 0xff].repeat(1000);
    client.send(&frame(0x42, &nothing)).await;
    for _ in 0..400 {
        client.try_send(&frame(0x00, &nothing)).await;
    }
    client.closed_with(1009).await;
}

#[tokio::test]
async fn data_that_does_not_inflate_is_refused_with_1002() {
    let server = Server::with_socket(socket(DeflateConfig::default())).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    client.send(&frame(0xc2, &[0xff; 20])).await;
    client.closed_with(1002).await;
}

#[tokio::test]
async fn text_that_inflates_to_something_else_is_refused_with_1007() {
    let server = Server::with_socket(socket(DeflateConfig::default())).await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    client
        .send(&frame(0xc1, &deflated(&mut compressor(), b"\xff\xff")))
        .await;
    client.closed_with(1007).await;
}

#[tokio::test]
async fn rsv1_on_a_continuation_or_a_control_frame_is_refused_with_1002() {
    let server = Server::with_socket(socket(DeflateConfig::default())).await;
    for bytes in [
        frame(0xc9, b""),
        [frame(0x01, b""), frame(0xc0, b"")].concat(),
    ] {
        let (mut client, _) = connect(&server, "permessage-deflate").await;
        client.send(&bytes).await;
        client.closed_with(1002).await;
    }
}

/// A window that goes on must never be used for frames that a policy drops afterwards.
#[tokio::test]
async fn dropping_frames_of_a_slow_reader_does_not_break_its_window() {
    let mut server = Server::with_socket(WebSocketConfig {
        outbox: OutboxConfig {
            policy: SlowPolicy::DropOldest,
            ..OutboxConfig::default()
        },
        ..socket(TAKEOVER)
    })
    .await;
    let (mut client, _) = connect(&server, "permessage-deflate").await;
    let outbox = server.next_outbox().await;
    // Half noise, so that the kernel's buffers fill up in spite of compression.
    let messages: Vec<Vec<u8>> = (0..2000u32)
        .map(|i| [&i.to_be_bytes()[..], &noise(i, 8000), &[0; 8000]].concat())
        .collect();
    let mut dropped = false;
    for message in &messages {
        dropped |= matches!(
            outbox.push(Frame::binary(message), Class::Normal),
            Push::Dropped { .. }
        );
        tokio::task::yield_now().await;
    }
    assert!(
        dropped,
        "the reader has to be slow for this test to mean something"
    );
    outbox.close(Some(Frame::close(1000, "")));
    let mut decompress = Decompress::new(false);
    let mut received = 0;
    loop {
        let frame = client.data().await.unwrap();
        if frame.first == 0x88 {
            break;
        }
        let plain = inflated(&mut decompress, &frame.payload);
        let i = u32::from_be_bytes(plain[..4].try_into().unwrap());
        assert_eq!(plain, messages[i as usize]);
        received += 1;
    }
    assert!(received > 10, "{received}");
}

#[tokio::test]
async fn a_broadcast_is_compressed_once_for_all_who_agreed_on_the_same() {
    let mut server = Server::with_socket(socket(DeflateConfig::default())).await;
    let mut clients = Vec::new();
    for offer in [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=9",
        "x",
    ] {
        for _ in 0..3 {
            let (client, _) = connect(&server, offer).await;
            clients.push((client, server.next_outbox().await));
        }
    }
    let text = sentence(1).repeat(20);
    let frame = Frame::text(text.as_bytes());
    for (_, outbox) in &clients {
        assert_eq!(outbox.push(frame.clone(), Class::Normal), Push::Queued);
    }
    for (i, (client, _)) in clients.iter_mut().enumerate() {
        let received = client.frame().await.unwrap();
        let plain = match received.first {
            0xc1 => inflated(
                &mut Decompress::new_with_window_bits(false, if i < 3 { 15 } else { 9 }),
                &received.payload,
            ),
            _ => received.payload,
        };
        assert_eq!(plain, text.as_bytes());
        assert_eq!(received.first == 0xc1, i < 6);
    }
    let _: Vec<Arc<_>> = clients.into_iter().map(|(_, outbox)| outbox).collect();
}
