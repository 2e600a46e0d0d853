//! Whole conversations over real sockets: order, closing, heartbeat, hostile and slow peers.

mod support;

use std::future::poll_fn;
use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nest_gateway_wire::{
    Acceptor, BorrowedFrame, Burst, Class, ClosedBy, Event, Flusher, Frame, GapNotice, Outbox,
    OutboxConfig, Push, SHORT_TEXT, SlowPolicy, WebSocket, WebSocketConfig, close,
};
use support::client::Client;
use support::server::Server;
use support::{frame, frame_with_len, header};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

fn close_frame(code: u16) -> Vec<u8> {
    frame(0x88, &code.to_be_bytes())
}

#[tokio::test]
async fn messages_come_back_in_order_however_they_are_cut() {
    let server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    let bytes: Vec<u8> = (0..500)
        .flat_map(|i| frame(0x81, format!("message {i}").as_bytes()))
        .collect();
    for piece in bytes.chunks(997) {
        client.send(piece).await;
    }
    for i in 0..500 {
        let frame = client.frame().await.unwrap();
        assert_eq!(frame.payload, format!("message {i}").as_bytes());
    }
}

#[tokio::test]
async fn a_short_text_is_left_in_memory_that_was_lent_and_anything_else_is_an_event() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
    let mut socket = WebSocket::accept_tcp(stream, b"", &acceptor);
    let (longest, long) = ("s".repeat(SHORT_TEXT), "l".repeat(SHORT_TEXT + 1));
    let sent = [
        frame(0x81, b"one"),
        frame(0x81, "zw\u{f6}lf".as_bytes()),
        frame(0x82, b"binary"),
        frame(0x81, longest.as_bytes()),
        frame(0x81, long.as_bytes()),
        frame(0x01, b"in "),
        frame(0x80, b"parts"),
        frame(0x81, b""),
        frame(0x81, b"no text \xff"),
    ]
    .concat();
    let (first, second) = sent.split_at(20);
    let mut text = b"of a former message".to_vec();
    let mut next = async || {
        text.push(b'?');
        let event = poll_fn(|cx| socket.poll_next_in(cx, &mut text)).await;
        event.ok_or_else(|| String::from_utf8(text.clone()).unwrap())
    };
    let owned = |text: &str| Bytes::copy_from_slice(text.as_bytes());

    peer.write_all(first).await.unwrap();
    assert_eq!(next().await, Err("one".to_owned()));
    peer.write_all(second).await.unwrap();
    // It was cut by the two writes.
    assert_eq!(next().await, Ok(Event::Text(owned("zw\u{f6}lf"))));
    assert_eq!(next().await, Ok(Event::Binary(owned("binary"))));
    assert_eq!(next().await, Err(longest));
    assert_eq!(next().await, Ok(Event::Text(owned(&long))));
    assert_eq!(next().await, Ok(Event::Text(owned("in parts"))));
    assert_eq!(next().await, Err(String::new()));
    let Ok(Event::Closed(closed)) = next().await else {
        panic!("text that is no text is a violation")
    };
    assert_eq!(closed.code, Some(close::INVALID_DATA));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_connection_answers_leaves_in_one_write_when_its_turn_is_over() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    stream.writable().await.unwrap();
    let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
    let socket = WebSocket::accept_tcp(stream, b"", &acceptor);
    let (one, two) = (Frame::text(b"one"), Frame::text(b"two"));

    peer.set_nonblocking(true).unwrap();
    let mut read = [0; 64];
    let outbox = socket.outbox();
    outbox.corked(|| {
        for frame in [&one, &two] {
            let pushed = outbox.push_own(BorrowedFrame::of(frame.bytes()).unwrap());
            assert_eq!(pushed, Push::Queued);
        }
        let nothing = peer.read(&mut read).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    });
    // No task has run since, the flusher's neither.
    let len = peer.read(&mut read).unwrap();
    assert_eq!(&read[..len], [&one.bytes()[..], two.bytes()].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_turn_that_panics_writes_what_it_answered_too() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    stream.writable().await.unwrap();
    let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
    let socket = WebSocket::accept_tcp(stream, b"", &acceptor);
    let frame = Frame::text(b"one");
    let push = || {
        socket
            .outbox()
            .push_own(BorrowedFrame::of(frame.bytes()).unwrap())
    };

    let turn = std::panic::AssertUnwindSafe(|| {
        socket.outbox().corked(|| {
            assert_eq!(push(), Push::Queued);
            panic!("in the middle of a turn");
        })
    });
    assert!(std::panic::catch_unwind(turn).is_err());
    let mut read = [0; 64];
    let len = peer.read(&mut read).unwrap();
    assert_eq!(&read[..len], frame.bytes());

    // The turn is over: what comes now is the flusher's.
    assert_eq!(push(), Push::Queued);
    let read =
        tokio::task::spawn_blocking(move || peer.read(&mut read).map(|len| read[..len].to_vec()));
    assert_eq!(read.await.unwrap().unwrap(), frame.bytes()[..]);
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_inside_a_fragmented_message() {
    let server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    client.send(&frame(0x01, b"frag")).await;
    client.send(&frame(0x89, b"are you there?")).await;
    let pong = client.frame().await.unwrap();
    assert_eq!(
        (pong.first, &pong.payload[..]),
        (0x8a, &b"are you there?"[..])
    );
    client.send(&frame(0x80, b"mented")).await;
    assert_eq!(client.frame().await.unwrap().payload, b"fragmented");
}

#[tokio::test]
async fn each_violation_is_answered_with_its_code_and_an_orderly_end() {
    let cases: [(&str, Vec<u8>, u16); 10] = [
        ("reserved bit", frame(0xc1, b"x"), 1002),
        ("reserved opcode", frame(0x83, b"x"), 1002),
        ("unmasked", b"\x81\x01x".to_vec(), 1002),
        ("fragmented ping", frame(0x09, b""), 1002),
        ("long ping", frame(0x89, &[0; 126]), 1002),
        ("lonely continuation", frame(0x80, b""), 1002),
        (
            "interleaved",
            [frame(0x01, b""), frame(0x81, b"")].concat(),
            1002,
        ),
        ("bad utf-8", frame_with_len(0x81, 1000, b"\xff"), 1007),
        ("bad close code", close_frame(1005), 1002),
        ("too big", header(0x82, 1_000_001), 1009),
    ];
    let mut server = Server::start().await;
    for (what, bytes, code) in cases {
        let mut client = Client::connect(server.address).await;
        client.send(&bytes).await;
        // More may be under way; it must not turn the close frame into a reset.
        client.try_send(&frame(0x82, &[0; 10_000])).await;
        client.closed_with(code).await;
        let closed = server.next_closed().await;
        assert_eq!(
            (closed.status(), closed.by),
            (code, ClosedBy::Violation),
            "{what}"
        );
    }
}

#[tokio::test]
async fn eighty_mebibytes_get_1009_whether_whole_or_in_fragments() {
    let server = Server::start().await;
    let mut whole = Client::connect(server.address).await;
    whole.try_send(&header(0x82, 80 << 20)).await;
    let chunk = vec![0; 1 << 20];
    for _ in 0..80 {
        whole.try_send(&chunk).await;
    }
    whole.closed_with(1009).await;

    let mut parts = Client::connect(server.address).await;
    let mut first = 0x02;
    for _ in 0..80 {
        parts.try_send(&frame(first, &chunk[..1 << 20 >> 2])).await;
        first = 0;
    }
    parts.closed_with(1009).await;
}

#[tokio::test]
async fn four_hundred_thousand_empty_fragments_get_1008() {
    let server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    client.send(&frame(0x01, b"")).await;
    let thousand = frame(0x00, b"").repeat(1000);
    for _ in 0..400 {
        client.try_send(&thousand).await;
    }
    client.closed_with(1008).await;
}

#[tokio::test]
async fn a_ping_flood_by_a_peer_that_never_reads_costs_nobody_anything() {
    let mut server = Server::start().await;
    let mut flood = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let mut healthy = Client::connect(server.address).await;
    let pings = frame(0x89, &[b'p'; 125]).repeat(1000);
    for round in 0..200u32 {
        // 26 MB in all: far more than the kernel buffers on the way back.
        flood.send(&pings).await;
        assert!(
            outbox.queued_bytes() < 64 * 1024,
            "{}",
            outbox.queued_bytes()
        );
        healthy
            .send(&frame(0x81, &round.to_be_bytes().map(|b| b'0' + b % 10)))
            .await;
        healthy.frame().await.unwrap();
    }
    // It is still a connection in order: a close is answered behind the last pongs.
    flood.send(&close_frame(1000)).await;
    flood.closed_with(1000).await;
}

#[tokio::test]
async fn a_peer_that_closes_gets_its_code_back_behind_what_was_queued() {
    let mut server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    let mut bytes = frame(0x81, b"last words");
    bytes.extend(frame(0x88, b"\x0f\xa1bye"));
    client.send(&bytes).await;
    assert_eq!(client.frame().await.unwrap().payload, b"last words");
    client.closed_with(4001).await;
    let closed = server.next_closed().await;
    assert_eq!(closed.to_string(), "4001 bye");
    assert_eq!(closed.by, ClosedBy::Peer);
}

#[tokio::test]
async fn a_close_by_the_server_delivers_what_is_queued_and_awaits_the_answer() {
    let mut server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    assert_eq!(
        outbox.push(Frame::text(b"before"), Class::Normal),
        Push::Queued
    );
    outbox.close(Some(Frame::close(close::GOING_AWAY, "restart")));
    assert_eq!(
        outbox.push(Frame::text(b"after"), Class::Normal),
        Push::Closed
    );
    assert_eq!(client.frame().await.unwrap().payload, b"before");
    let close = client.frame().await.unwrap();
    assert_eq!(close.close_code(), Some(1001));
    client.send(&frame(0x81, b"crossing")).await;
    client.send(&close_frame(1001)).await;
    client.ended().await;
    let closed = server.next_closed().await;
    assert_eq!(
        (closed.to_string(), closed.by),
        ("1001 restart".to_owned(), ClosedBy::Server)
    );
}

#[tokio::test]
async fn a_peer_that_never_answers_a_close_is_cut_off_after_the_close_timeout() {
    let mut server = Server::with_socket(WebSocketConfig {
        close_timeout: Duration::from_millis(100),
        ..WebSocketConfig::default()
    })
    .await;
    let mut client = Client::connect(server.address).await;
    server
        .next_outbox()
        .await
        .close(Some(Frame::close(1001, "")));
    client.closed_with(1001).await;
}

#[tokio::test]
async fn a_lost_connection_is_reported_as_1006() {
    let mut server = Server::start().await;
    let client = Client::connect(server.address).await;
    drop(client);
    let closed = server.next_closed().await;
    assert_eq!((closed.status(), closed.by), (1006, ClosedBy::Lost));
}

#[tokio::test]
async fn a_reset_at_any_step_leaves_nothing_behind() {
    let mut server = Server::start().await;
    let steps: [&[u8]; 7] = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        &handshake_and(&[]),
        &handshake_and(&[0x81]),
        &handshake_and(&frame(0x01, b"half")),
        &handshake_and(&[frame(0x81, b"echo me"), close_frame(1000)].concat()),
    ];
    for step in steps {
        let mut client = Client::tcp(server.address).await;
        client.send(step).await;
        client.reset();
    }
    let mut healthy = Client::connect(server.address).await;
    healthy.send(&frame(0x81, b"alive")).await;
    assert_eq!(healthy.frame().await.unwrap().payload, b"alive");
    healthy.send(&close_frame(1000)).await;
    healthy.closed_with(1000).await;
    drop(healthy);
    server.signal();
    assert_eq!(server.stopped().await.remaining, 0);
}

fn handshake_and(bytes: &[u8]) -> Vec<u8> {
    let mut all = format!("{}\r\n", support::client::HANDSHAKE).into_bytes();
    all.extend(bytes);
    all
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_kept_while_it_says_anything() {
    let mut server = Server::with_socket(WebSocketConfig {
        ping_interval: Some(Duration::from_millis(50)),
        ping_timeout: Duration::from_millis(300),
        ..WebSocketConfig::default()
    })
    .await;
    let mut client = Client::connect(server.address).await;
    for _ in 0..5 {
        // Any byte counts: this is the first one of a frame that is never completed, then its second.
        let ping = client.frame().await.unwrap();
        assert_eq!((ping.first, ping.payload.len()), (0x89, 0));
        client.send(&frame(0x8a, b"")).await;
    }
    assert_eq!(client.frame().await.unwrap().first, 0x89);
    let close = client.frame().await.unwrap();
    assert_eq!(
        (close.first, &close.payload[..]),
        (0x88, &b"\x03\xf0ping timeout"[..])
    );
    client.ended().await;
    let closed = server.next_closed().await;
    assert_eq!((closed.status(), closed.by), (1006, ClosedBy::PingTimeout));
}

/// Pushes frames of 16 KiB until the outbox does not just queue them.
fn stuff(outbox: &Arc<nest_gateway_wire::Outbox>, class: Class) -> Push {
    let frame = Frame::binary(&[7; 16 * 1024]);
    for _ in 0..100_000 {
        match outbox.push(frame.clone(), class) {
            Push::Queued => {}
            other => return other,
        }
    }
    panic!("an outbox without bounds");
}

#[tokio::test]
async fn a_slow_consumer_is_closed_with_1008_and_others_notice_nothing() {
    let mut server = Server::with_socket(WebSocketConfig {
        close_timeout: Duration::from_millis(200),
        ..WebSocketConfig::default()
    })
    .await;
    let slow = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let mut healthy = Client::connect(server.address).await;
    assert_eq!(stuff(&outbox, Class::Normal), Push::Overflow);
    assert_eq!(outbox.push(Frame::text(b""), Class::Normal), Push::Closed);
    healthy.send(&frame(0x81, b"alive")).await;
    assert_eq!(healthy.frame().await.unwrap().payload, b"alive");
    let closed = server.next_closed().await;
    assert_eq!(
        (closed.to_string(), closed.by),
        ("1008 slow consumer".to_owned(), ClosedBy::SlowConsumer)
    );
    drop(slow);
}

#[tokio::test]
async fn a_slow_consumer_that_wakes_up_reads_its_close_frame() {
    let mut server = Server::start().await;
    let mut slow = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    // Lets the kernel fill up first, so that a frame is cut when the outbox overflows.
    while outbox.queued_bytes() < 512 * 1024 {
        assert_eq!(
            outbox.push(Frame::binary(&[7; 16 * 1024]), Class::Normal),
            Push::Queued
        );
        tokio::task::yield_now().await;
    }
    assert_eq!(stuff(&outbox, Class::Normal), Push::Overflow);
    loop {
        let frame = slow.data().await.unwrap();
        if frame.first == 0x88 {
            assert_eq!(frame.close_code(), Some(1008));
            break;
        }
        assert_eq!(frame.payload, [7; 16 * 1024]);
    }
    slow.ended().await;
}

#[tokio::test]
async fn under_drop_newest_the_gap_is_told_behind_what_was_queued() {
    let mut server = Server::with_socket(WebSocketConfig {
        outbox: OutboxConfig {
            policy: SlowPolicy::DropNewest,
            gap: Some(GapNotice {
                recipient: |_| Some(Bytes::new()),
                recipients: 1,
                frame: |_, dropped| Frame::text(format!("gap {dropped}").as_bytes()),
            }),
            ..OutboxConfig::default()
        },
        ..WebSocketConfig::default()
    })
    .await;
    let mut slow = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let Push::Dropped {
        pushed: true,
        frames: 1,
    } = stuff(&outbox, Class::Normal)
    else {
        panic!("the newest frame is dropped");
    };
    let first = loop {
        let frame = slow.data().await.unwrap();
        if frame.first == 0x81 {
            break frame;
        }
    };
    assert_eq!(first.payload, b"gap 1");
    assert_eq!(outbox.dropped(), 1);
    assert!(!outbox.is_closed());
}

#[tokio::test]
async fn a_stream_waits_for_its_reader_instead_of_overflowing_it() {
    let mut server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let producer = tokio::spawn(async move {
        for i in 0..2000u32 {
            let frame = Frame::binary(&[&i.to_be_bytes()[..], &[0; 8000]].concat());
            outbox.room(frame.len()).await.unwrap();
            assert_eq!(outbox.push(frame, Class::Normal), Push::Queued);
        }
    });
    for i in 0..2000u32 {
        assert_eq!(client.frame().await.unwrap().payload[..4], i.to_be_bytes());
    }
    producer.await.unwrap();
}

#[tokio::test]
async fn a_message_larger_than_the_outbox_is_delivered_when_nothing_else_waits() {
    let mut server = Server::start().await;
    let mut client = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let big = vec![1; 5 << 20];
    assert_eq!(
        outbox.push(Frame::binary(&big), Class::Normal),
        Push::Queued
    );
    assert_eq!(client.frame().await.unwrap().payload, big);
}

/// Messages that say their number, of so many bytes each.
fn numbered(numbers: std::ops::Range<u32>, len: usize) -> Vec<Bytes> {
    let numbered = numbers.map(|i| Frame::binary(&[&i.to_be_bytes()[..], &vec![0; len]].concat()));
    numbered.map(Frame::into_bytes).collect()
}

#[tokio::test]
async fn a_burst_that_the_kernel_takes_in_parts_arrives_whole_and_in_its_place() {
    const BURST: u32 = 20;
    let config = OutboxConfig {
        max_bytes: usize::MAX,
        max_messages: usize::MAX,
        ..OutboxConfig::default()
    };
    let config = WebSocketConfig {
        outbox: config,
        ..WebSocketConfig::default()
    };
    let mut server = Server::with_socket(config).await;
    let mut client = Client::connect(server.address).await;
    let outbox = server.next_outbox().await;
    let mut next = 0;
    // Until the kernel takes no more, and then as much again.
    let (mut bursts, mut blocked) = (0, 0);
    while blocked <= bursts / 2 {
        let messages = numbered(next..next + BURST, 5000);
        let burst = Burst::new(&messages, Class::Normal);
        burst
            .in_one_piece(&messages.concat())
            .write_to([&outbox], |_| panic!("there is room"));
        next += BURST;
        let between = numbered(next..next + 1, 10).remove(0);
        let between = Frame::from_bytes(between).unwrap();
        assert_eq!(outbox.push(between, Class::Normal), Push::Queued);
        next += 1;
        bursts += 1;
        blocked += usize::from(outbox.queued_bytes() > 5000);
        tokio::task::yield_now().await;
    }
    for i in 0..next {
        assert_eq!(client.frame().await.unwrap().payload[..4], i.to_be_bytes());
    }
    assert_eq!(outbox.dropped(), 0);
}

#[tokio::test]
async fn a_burst_for_many_reaches_all_but_those_who_refuse_it() {
    const CONNECTIONS: usize = 20;
    const CLOSED: [usize; 3] = [0, 9, 19];
    let mut server = Server::start().await;
    let (mut clients, mut outboxes) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(server.address).await);
        outboxes.push(server.next_outbox().await);
    }
    for closed in CLOSED {
        outboxes[closed].close(None);
    }
    // Something stands before the burst, so that it is queued.
    assert_eq!(
        outboxes[5].push(Frame::binary(b"first"), Class::Normal),
        Push::Queued
    );
    let messages = numbered(0..3, 10);
    let whole = messages.concat();
    let burst = Burst::new(&messages, Class::Normal).in_one_piece(&whole);
    let mut refused = Vec::new();
    burst.write_to(&outboxes, |number| refused.push(number));
    assert_eq!(refused, CLOSED);
    assert_eq!(clients[5].frame().await.unwrap().payload, b"first");
    for (number, client) in clients.iter_mut().enumerate() {
        if CLOSED.contains(&number) {
            assert!(client.frame().await.is_none(), "it is told nothing more");
            continue;
        }
        for i in 0..3_u32 {
            assert_eq!(client.frame().await.unwrap().payload[..4], i.to_be_bytes());
        }
    }
}

#[tokio::test]
async fn a_burst_is_refused_as_a_whole_where_each_message_has_to_be_asked_for() {
    let config = OutboxConfig {
        max_messages: 3,
        ..OutboxConfig::default()
    };
    let outbox = Outbox::new(config);
    let messages = numbered(0..2, 10);
    let burst = Burst::new(&messages, Class::Normal);
    assert!(outbox.push_burst(burst));
    assert!(!outbox.push_burst(burst), "four are one too many");
    assert!(!outbox.push_burst(Burst::new(&messages[..1], Class::Volatile)));
    assert!(outbox.push_burst(Burst::new(&messages[..1], Class::Normal)));
    let mut left = Vec::new();
    outbox.drain(usize::MAX, |frame| left.push(frame.into_bytes()));
    assert_eq!(left, [&messages[..], &messages[..1]].concat());
    outbox.close(None);
    assert!(!outbox.push_burst(burst));

    let small = OutboxConfig {
        max_bytes: 20,
        ..OutboxConfig::default()
    };
    let outbox = Outbox::new(small);
    assert!(!outbox.push_burst(burst), "only one alone may be larger");
    assert!(outbox.push_burst(Burst::new(&numbered(0..1, 100), Class::Normal)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_receiver_gets_each_emitters_messages_in_order_from_two_threads() {
    const RECEIVERS: usize = 20;
    const MESSAGES: u32 = 300;
    let mut server = Server::start().await;
    let mut clients = Vec::new();
    let mut outboxes = Vec::new();
    for _ in 0..RECEIVERS {
        clients.push(Client::connect(server.address).await);
        outboxes.push(server.next_outbox().await);
    }
    let emitters: Vec<_> = (0..2u8)
        .map(|emitter| {
            let outboxes = outboxes.clone();
            tokio::spawn(async move {
                for i in 0..MESSAGES {
                    let frame = Frame::binary(&[&[emitter], &i.to_be_bytes()[..]].concat());
                    for outbox in &outboxes {
                        assert_eq!(outbox.push(frame.clone(), Class::Normal), Push::Queued);
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for client in &mut clients {
        let mut next = [0u32; 2];
        for _ in 0..2 * MESSAGES {
            let payload = client.frame().await.unwrap().payload;
            let emitter = usize::from(payload[0]);
            assert_eq!(payload[1..], next[emitter].to_be_bytes());
            next[emitter] += 1;
        }
    }
    for emitter in emitters {
        emitter.await.unwrap();
    }
}
