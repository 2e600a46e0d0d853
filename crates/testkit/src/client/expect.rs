//! What a test expects a client to receive.
//!
//! Each of these panics at the line that called it, with the last frames in
//! both directions, when the expectation does not come true in time.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::Location;

use bytes::Bytes;
use serde_json::Value;

use super::link::Incoming;
use super::message::{CloseSeen, Event, Payload, Question, Reply, RequestId, StreamSeen};
use super::{Client, describe};

/// The event that a round trip asks for. No application may handle it, so a
/// server answers it the same way whatever the application: as unknown.
const MARKER: &str = "testkit:marker";

impl Client {
    /// Sends an event and waits for its reply, value or exception.
    #[track_caller]
    pub fn request(
        &mut self,
        event: &str,
        data: impl Into<Payload>,
    ) -> impl Future<Output = Reply> + Send {
        let at = Location::caller();
        let payload = data.into();
        async move {
            let id = self.ask(event, payload).await;
            self.reply_at(at, &id).await
        }
    }

    /// Waits for the (next) frame that answers a request.
    #[track_caller]
    pub fn reply(&mut self, id: &RequestId) -> impl Future<Output = Reply> + Send {
        let at = Location::caller();
        async move { self.reply_at(at, id).await }
    }

    /// Sends an event that is answered by a stream, and collects it.
    #[track_caller]
    pub fn stream(
        &mut self,
        event: &str,
        data: impl Into<Payload>,
    ) -> impl Future<Output = StreamSeen> + Send {
        let at = Location::caller();
        let payload = data.into();
        async move {
            let id = self.ask(event, payload).await;
            self.stream_at(at, &id).await
        }
    }

    /// Collects what is left of a stream, up to its terminal frame.
    ///
    /// On transports whose items carry no id (Socket.IO), every event that
    /// came before the terminal ack counts as an item.
    #[track_caller]
    pub fn rest_of_stream(&mut self, id: &RequestId) -> impl Future<Output = StreamSeen> + Send {
        let at = Location::caller();
        async move { self.stream_at(at, id).await }
    }

    /// Takes the oldest event, whatever its name.
    #[track_caller]
    pub fn next_event(&mut self) -> impl Future<Output = Event> + Send {
        let at = Location::caller();
        async move {
            self.wait(at, "an event", |seen, from| {
                take_event(seen, from, |_| true)
            })
            .await
        }
    }

    /// Waits for an event of this name and gives its data, `null` if none.
    #[track_caller]
    pub fn expect_event(&mut self, name: &str) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        async move { self.event_at(at, name).await.into_data() }
    }

    /// Waits for an event of this name and gives all of it.
    #[track_caller]
    pub fn event(&mut self, name: &str) -> impl Future<Output = Event> + Send {
        let at = Location::caller();
        async move { self.event_at(at, name).await }
    }

    /// Waits for an exception that answers no request, and gives its object.
    #[track_caller]
    pub fn expect_exception(&mut self) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        async move { self.event_at(at, "exception").await.into_data() }
    }

    /// Waits for a question of this name.
    #[track_caller]
    pub fn expect_question(&mut self, event: &str) -> impl Future<Output = Question> + Send {
        let at = Location::caller();
        async move {
            let what = format!("a question {event:?}");
            self.wait(at, &what, |seen, from| {
                let wanted = |incoming: &Incoming| {
                    matches!(incoming, Incoming::Question(question) if question.event == event)
                };
                take(seen, from, wanted).and_then(|incoming| match incoming {
                    Incoming::Question(question) => Some(question),
                    _ => None,
                })
            })
            .await
        }
    }

    /// Waits for a binary message without an envelope.
    #[track_caller]
    pub fn expect_binary(&mut self) -> impl Future<Output = Bytes> + Send {
        let at = Location::caller();
        async move {
            self.wait(at, "a binary message", |seen, from| {
                let wanted = |incoming: &Incoming| matches!(incoming, Incoming::Binary(_));
                take(seen, from, wanted).and_then(|incoming| match incoming {
                    Incoming::Binary(bytes) => Some(bytes),
                    _ => None,
                })
            })
            .await
        }
    }

    /// Takes the oldest event, which has to be this one: no other event came
    /// before it.
    #[track_caller]
    pub fn expect_no_event_before(&mut self, marker: &str) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        async move {
            let what = format!("event {marker:?} and no other before it");
            let event = self
                .wait(at, &what, |seen, from| take_event(seen, from, |_| true))
                .await;
            if event.name != marker {
                self.fail(at, &what, &event.raw);
            }
            event.into_data()
        }
    }

    /// Asks the server something it does not know and waits for the answer, so
    /// that all that was queued for this client before has arrived.
    ///
    /// Needs the server's default policy for unknown events, which is to
    /// answer them.
    #[track_caller]
    pub fn round_trip(&mut self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move { self.round_trip_at(at).await }
    }

    /// Makes a round trip and fails if an event of this name came before its
    /// end, and was not taken yet.
    #[track_caller]
    pub fn refute_event(&mut self, name: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            self.round_trip_at(at).await;
            if let Some(event) = take_event(&mut self.seen, 0, |event| event.name == name) {
                self.fail(at, &format!("no event {name:?}"), &event.raw);
            }
        }
    }

    /// Makes a round trip and fails if any event came before its end, and was
    /// not taken yet.
    #[track_caller]
    pub fn refute_any_event(&mut self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            self.round_trip_at(at).await;
            if let Some(event) = take_event(&mut self.seen, 0, |_| true) {
                self.fail(at, "no event", &event.raw);
            }
        }
    }

    /// Makes a round trip and fails if anything came that was not taken yet.
    #[track_caller]
    pub fn refute_anything(&mut self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            self.round_trip_at(at).await;
            if let Some(incoming) = self.seen.front() {
                let seen = format!("{}, in all {incoming:?}", describe(incoming));
                self.fail(at, "nothing", &seen);
            }
        }
    }

    /// Makes a round trip and fails if the connection is over.
    #[track_caller]
    pub fn expect_open(&mut self) -> impl Future<Output = ()> + Send {
        self.round_trip()
    }

    /// Waits for the end of the connection (or of the namespace). Messages
    /// that came before stay to be taken.
    #[track_caller]
    pub fn expect_close(&mut self) -> impl Future<Output = CloseSeen> + Send {
        let at = Location::caller();
        async move {
            self.wait(at, "the end of the connection", |seen, from| {
                let wanted = |incoming: &Incoming| matches!(incoming, Incoming::Closed(_));
                take(seen, from, wanted).and_then(|incoming| match incoming {
                    Incoming::Closed(closed) => Some(closed),
                    _ => None,
                })
            })
            .await
        }
    }

    /// All messages that came and were not taken yet, oldest first, without a
    /// wait. Call it behind a wait that proves that all is there.
    pub fn take_seen(&mut self) -> Vec<Incoming> {
        self.drain();
        self.seen.drain(..).collect()
    }

    async fn event_at(&mut self, at: &Location<'_>, name: &str) -> Event {
        let what = format!("event {name:?}");
        self.wait(at, &what, |seen, from| {
            take_event(seen, from, |event| event.name == name)
        })
        .await
    }

    async fn reply_at(&mut self, at: &Location<'_>, id: &RequestId) -> Reply {
        let what = format!("a reply to {id}");
        self.wait(at, &what, |seen, from| take_reply(seen, from, id))
            .await
    }

    async fn round_trip_at(&mut self, at: &Location<'_>) {
        let id = self.ask(MARKER, ()).await;
        self.reply_at(at, &id).await;
    }

    async fn stream_at(&mut self, at: &Location<'_>, id: &RequestId) -> StreamSeen {
        let mut items = Vec::new();
        loop {
            let reply = self.reply_at(at, id).await;
            match &reply.event {
                // An ack ends it; its items came as events, before it.
                None => {
                    let before = reply.order;
                    while let Some(event) =
                        take_event(&mut self.seen, 0, |event| event.order < before)
                    {
                        items.push((event.name.clone(), event.into_data()));
                    }
                    return StreamSeen { items, end: reply };
                }
                Some(_) if reply.done || reply.exception().is_some() => {
                    return StreamSeen { items, end: reply };
                }
                Some(event) => items.push((event.clone(), reply.data().clone())),
            }
        }
    }
}

fn take_event(
    seen: &mut VecDeque<Incoming>,
    from: usize,
    wanted: impl Fn(&Event) -> bool,
) -> Option<Event> {
    take(
        seen,
        from,
        |incoming| matches!(incoming, Incoming::Event(event) if wanted(event)),
    )
    .and_then(|incoming| match incoming {
        Incoming::Event(event) => Some(event),
        _ => None,
    })
}

fn take_reply(seen: &mut VecDeque<Incoming>, from: usize, id: &RequestId) -> Option<Reply> {
    take(
        seen,
        from,
        |incoming| matches!(incoming, Incoming::Reply(reply) if reply.id == *id),
    )
    .and_then(|incoming| match incoming {
        Incoming::Reply(reply) => Some(reply),
        _ => None,
    })
}

/// Takes the oldest message of this kind.
fn take(
    seen: &mut VecDeque<Incoming>,
    from: usize,
    wanted: impl Fn(&Incoming) -> bool,
) -> Option<Incoming> {
    let index = from + seen.iter().skip(from).position(wanted)?;
    seen.remove(index)
}
