//! Loom models of the outbox and the dirty list: every interleaving of a few operations.
//!
//! `cargo xtask test` runs them; alone they are
//! `RUSTFLAGS="--cfg loom" cargo test -p nest-gateway-wire --lib --release models`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::thread;

use crate::dirty::DirtyList;
use crate::flusher::FlusherHandle;
use crate::frame::{BorrowedFrame, Frame};
use crate::outbox::{Burst, Class, Outbox, OutboxConfig, Push, Terms};
use crate::writer::{Sink, TcpWriter, flush};

type List = Arc<DirtyList<Arc<Outbox>>>;

fn connection(config: OutboxConfig) -> (Arc<Outbox>, List, Sink) {
    connection_of(FlusherHandle::new(false), config)
}

fn connection_of(
    (flusher, list): (FlusherHandle, List),
    config: OutboxConfig,
) -> (Arc<Outbox>, List, Sink) {
    let sink = Sink::default();
    let terms = Terms {
        config,
        flusher: Some(flusher),
    };
    let outbox = Outbox::on_tcp(Arc::new(terms), TcpWriter(Arc::clone(&sink)));
    (Arc::new(outbox), list, sink)
}

/// One turn of the flusher, which finds something or nothing.
fn flush_once(list: &List) {
    let mut batch = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    if list.poll_take(&mut cx, &mut batch).is_ready() {
        batch.iter().for_each(flush);
    }
}

/// The same on another thread.
fn flush_beside(list: &List) -> thread::JoinHandle<()> {
    let list = Arc::clone(list);
    thread::spawn(move || flush_once(&list))
}

fn text(name: &str) -> Frame {
    Frame::text(name.as_bytes())
}

fn arrived(sink: &Sink) -> String {
    // Frames of a few bytes: two bytes of header, then text.
    let bytes = sink.lock().unwrap();
    String::from_utf8_lossy(&bytes).replace(|c: char| !c.is_ascii_lowercase(), "")
}

#[test]
fn what_is_pushed_during_a_flush_is_written_and_in_order() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        let pusher = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || {
                assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued);
                assert_eq!(outbox.push(text("b"), Class::Normal), Push::Queued);
            }
        });
        flush_once(&list);
        pusher.join().unwrap();
        flush_once(&list);
        assert_eq!(arrived(&sink), "ab");
        assert_eq!(outbox.queued_bytes(), 0);
    });
}

#[test]
fn two_flushers_never_write_the_same_connection_at_once_and_forget_nothing() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued);
        let other = flush_beside(&list);
        assert_eq!(outbox.push(text("b"), Class::Normal), Push::Queued);
        flush_once(&list);
        other.join().unwrap();
        flush_once(&list);
        assert_eq!(arrived(&sink), "ab");
    });
}

#[test]
fn a_reply_that_is_written_where_it_is_queued_keeps_its_place() {
    loom::model(|| {
        let single_thread = FlusherHandle::new(true);
        let (outbox, list, sink) = connection_of(single_thread, OutboxConfig::default());
        let reply = |name| {
            let frame = text(name);
            let frame = BorrowedFrame::of(frame.bytes()).unwrap();
            assert_eq!(outbox.push_own(frame), Push::Queued);
        };
        reply("a");
        let flusher = flush_beside(&list);
        reply("b");
        assert_eq!(outbox.push(text("c"), Class::Normal), Push::Queued);
        flusher.join().unwrap();
        flush_once(&list);
        assert_eq!(arrived(&sink), "abc");
        assert_eq!(outbox.queued_bytes(), 0);
    });
}

/// Writes both texts in one piece.
fn write_burst(outbox: &Arc<Outbox>, texts: [&str; 2]) -> bool {
    let messages = texts.map(|name| text(name).into_bytes());
    let burst = Burst::new(&messages, Class::Normal);
    let mut taken = true;
    burst
        .in_one_piece(&messages.concat())
        .write_to([outbox], |_| taken = false);
    taken
}

#[test]
fn a_burst_stays_together_and_nothing_is_forgotten_behind_it() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        let pusher = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued)
        });
        assert!(write_burst(&outbox, ["b", "c"]));
        pusher.join().unwrap();
        flush_once(&list);
        assert!(["abc", "bca"].contains(&&*arrived(&sink)));
        assert_eq!(outbox.queued_bytes(), 0);
    });
}

#[test]
fn a_burst_during_a_flush_comes_behind_what_is_flushed() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued);
        let flusher = flush_beside(&list);
        assert!(write_burst(&outbox, ["b", "c"]));
        flusher.join().unwrap();
        flush_once(&list);
        assert_eq!(arrived(&sink), "abc");
        assert_eq!(outbox.queued_bytes(), 0);
    });
}

#[test]
fn two_who_send_to_the_same_connections_side_by_side_each_stay_together() {
    loom::model(|| {
        let (ada, list, of_ada) = connection(OutboxConfig::default());
        let (eve, other_list, of_eve) = connection(OutboxConfig::default());
        let messages = ["a", "b"].map(|name| text(name).into_bytes());
        let other = thread::spawn({
            let outboxes = [Arc::clone(&eve), Arc::clone(&ada)];
            move || {
                outboxes
                    .iter()
                    .for_each(|outbox| assert!(write_burst(outbox, ["c", "d"])))
            }
        });
        Burst::new(&messages, Class::Normal)
            .in_one_piece(&messages.concat())
            .write_to([&ada, &eve], |_| panic!("there is room"));
        other.join().unwrap();
        flush_once(&list);
        flush_once(&other_list);
        for sink in [of_ada, of_eve] {
            assert!(["abcd", "cdab"].contains(&&*arrived(&sink)));
        }
        assert_eq!(ada.queued_bytes() + eve.queued_bytes(), 0);
    });
}

#[test]
fn a_kill_during_a_burst_leaves_no_writer() {
    loom::model(|| {
        let (outbox, _list, sink) = connection(OutboxConfig::default());
        let killer = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || outbox.kill()
        });
        write_burst(&outbox, ["a", "b"]);
        killer.join().unwrap();
        assert_eq!(Arc::strong_count(&sink), 1, "the writer is gone");
        assert_eq!(outbox.queued_bytes(), 0);
    });
}

#[test]
fn nothing_is_queued_behind_a_close_and_nothing_before_it_is_lost() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        let closer = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || outbox.close(Some(Frame::close(1000, "z")))
        });
        let pushed = outbox.push(text("a"), Class::Normal);
        flush_once(&list);
        closer.join().unwrap();
        flush_once(&list);
        let expected = if pushed == Push::Queued { "az" } else { "z" };
        assert_eq!(arrived(&sink), expected);
        assert_eq!(outbox.push(text("b"), Class::Normal), Push::Closed);
    });
}

#[test]
fn a_half_close_during_a_flush_drops_the_writer_behind_the_last_frame() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        outbox.close(Some(Frame::close(1000, "z")));
        let flusher = flush_beside(&list);
        outbox.half_close();
        flusher.join().unwrap();
        flush_once(&list);
        assert_eq!(arrived(&sink), "z");
        assert_eq!(Arc::strong_count(&sink), 1, "the writer is gone");
    });
}

#[test]
fn a_kill_during_a_flush_leaves_no_writer() {
    loom::model(|| {
        let (outbox, list, sink) = connection(OutboxConfig::default());
        assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued);
        let flusher = flush_beside(&list);
        outbox.kill();
        flusher.join().unwrap();
        assert_eq!(Arc::strong_count(&sink), 1, "the writer is gone");
        assert_eq!(outbox.push(text("b"), Class::Normal), Push::Closed);
        assert_eq!(outbox.queued_bytes(), 0);
    });
}

#[test]
fn one_who_waits_for_room_is_woken_by_the_flush() {
    loom::model(|| {
        let (outbox, list, _sink) = connection(OutboxConfig {
            max_bytes: 4,
            ..OutboxConfig::default()
        });
        assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued);
        let flusher = flush_beside(&list);
        assert_eq!(loom::future::block_on(outbox.room(3)), Ok(()));
        flusher.join().unwrap();
    });
}

#[test]
fn one_who_waits_for_room_is_woken_by_the_end() {
    loom::model(|| {
        let (outbox, _list, _sink) = connection(OutboxConfig {
            max_bytes: 4,
            ..OutboxConfig::default()
        });
        assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued);
        let killer = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || outbox.kill()
        });
        assert!(loom::future::block_on(outbox.room(3)).is_err());
        killer.join().unwrap();
    });
}

#[test]
fn a_consumer_that_waits_is_woken_by_a_push() {
    loom::model(|| {
        let outbox = Outbox::new(OutboxConfig::default());
        let pusher = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || assert_eq!(outbox.push(text("a"), Class::Normal), Push::Queued)
        });
        assert_eq!(loom::future::block_on(outbox.readable()), Ok(()));
        assert_eq!(outbox.drain(usize::MAX, |_| {}), 1);
        pusher.join().unwrap();
    });
}

#[test]
fn the_socket_is_woken_by_a_close() {
    loom::model(|| {
        let (outbox, _list, _sink) = connection(OutboxConfig::default());
        let closer = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || outbox.close(None)
        });
        loom::future::block_on(poll_fn(|cx| outbox.poll_closed(cx)));
        closer.join().unwrap();
    });
}

#[test]
fn the_taker_of_the_dirty_list_is_woken_for_every_item() {
    loom::model(|| {
        let list = Arc::new(DirtyList::new());
        let pushers: Vec<_> = (0..2)
            .map(|item| {
                let list = Arc::clone(&list);
                thread::spawn(move || list.push(item))
            })
            .collect();
        let mut taken = Vec::new();
        while taken.len() < 2 {
            let mut batch = Vec::new();
            let more = loom::future::block_on(poll_fn(|cx| list.poll_take(cx, &mut batch)));
            assert!(more);
            taken.append(&mut batch);
        }
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
        for pusher in pushers {
            pusher.join().unwrap();
        }
    });
}

#[test]
fn a_closed_dirty_list_ends_its_taker_after_the_last_item() {
    loom::model(|| {
        let list = Arc::new(DirtyList::new());
        let closer = thread::spawn({
            let list = Arc::clone(&list);
            move || {
                list.push(1);
                list.close();
            }
        });
        let mut taken = Vec::new();
        let mut batch = Vec::new();
        while loom::future::block_on(poll_fn(|cx| list.poll_take(cx, &mut batch))) {
            taken.append(&mut batch);
        }
        assert_eq!(taken, [1]);
        closer.join().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(list.poll_take(&mut cx, &mut batch), Poll::Ready(false));
    });
}
