//! What goes back to the client: the rows of CONTRACT section 4.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_core::Stream as _;

use super::context::ExecutionContext;
use super::reply::{Emission, Reply, ReplyStream};
use crate::broadcast::send_to;
use crate::config::Config;
use crate::error::WsException;
use crate::message::{Delivery, Outgoing};
use crate::payload::{EncodeError, Payload};

/// Sends a reply; a stream to its end.
pub(super) async fn send(context: &ExecutionContext, reply: Reply<'_>) -> Result<(), WsException> {
    let request = context.request_id().filter(|_| !context.ack_is_taken());
    match reply {
        Reply::Taken => Ok(()),
        // Who took the ack answers by hand.
        Reply::None | Reply::Value(_) if context.ack_is_taken() => Ok(()),
        Reply::None => tell(
            context,
            Outgoing::Reply {
                event: context.event(),
                request,
                data: None,
            },
        ),
        Reply::Value(data) => tell(
            context,
            Outgoing::Reply {
                event: context.event(),
                request,
                data: Some(&data),
            },
        ),
        Reply::Response(emission) => tell(
            context,
            Outgoing::Response {
                event: emission.event.as_deref().unwrap_or(context.event()),
                request,
                data: some(&emission.data),
            },
        ),
        // Boxed, so that replies of other kinds don't pay for its size.
        Reply::Stream(items) => Box::pin(stream(context, items)).await,
    }
}

/// Sends an error answer.
pub(super) fn exception(context: &ExecutionContext, exception: &WsException) {
    exception.log(context.event());
    let config = &context.client().hub().config;
    let request_data = context.arguments().first();
    let data = exception.to_payload(
        Some(context.event()),
        (config.echo_request_data && !request_data.is_empty()).then_some(&request_data),
    );
    let message = Outgoing::Exception {
        request: context.request_id().filter(|_| !context.ack_is_taken()),
        data: &data,
    };
    if let Err(error) = send_to(context.client(), message, Delivery::RELIABLE) {
        tracing::error!(%error, event = context.event(), "exception cannot be encoded");
    }
}

async fn stream(context: &ExecutionContext, items: ReplyStream<'_>) -> Result<(), WsException> {
    context.begin_streaming();
    let _running = context.client().hub().stats.stream_started();
    let request = context.request_id().filter(|_| !context.ack_is_taken());
    {
        let mut items = pin!(items);
        let cancelled = context.cancellation();
        let mut cancelled = pin!(cancelled.cancelled());
        let mut pace = Pace::new(&context.client().hub().config);
        loop {
            let next = std::future::poll_fn(|cx| {
                let next = poll_item(cx, context, &mut pace, items.as_mut());
                // Looked at only when there is time, and when a turn is over.
                if next.is_pending() && cancelled.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                next
            });
            let Some(item) = next.await else { break };
            let Emission { event, data } = item?;
            pace.produced(data.size_hint_bytes());
            tell(
                context,
                Outgoing::Item {
                    event: event.as_deref().unwrap_or(context.event()),
                    request,
                    data: Some(&data),
                },
            )?;
            if pace.turn_is_over() {
                tokio::task::yield_now().await;
                if context.cancellation().is_cancelled() {
                    break;
                }
            }
        }
    }
    match request {
        Some(request) => tell(
            context,
            Outgoing::Done {
                event: context.event(),
                request,
            },
        ),
        None => Ok(()),
    }
}

/// The next item; the producer is polled only while the outbox has room.
fn poll_item(
    cx: &mut Context<'_>,
    context: &ExecutionContext,
    pace: &mut Pace,
    items: Pin<&mut ReplyStream<'_>>,
) -> Poll<Option<Result<Emission, WsException>>> {
    if pace.must_ask() {
        match context.client().poll_room(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(None),
            Poll::Ready(Ok(())) => pace.asked(),
        }
    }
    items.poll_next(cx)
}

/// How often a stream asks for room, and how often it lets others run: both
/// cost more than a small item does.
struct Pace {
    /// Bytes that may be sent without asking for room again: a small part of
    /// the half that the outbox keeps free.
    unasked_limit: usize,
    unasked_items_limit: usize,
    unasked_bytes: usize,
    unasked_items: usize,
    turn_bytes: usize,
    turn_items: u32,
}

impl Pace {
    fn new(config: &Config) -> Self {
        Self {
            unasked_limit: (config.outbox_bytes / 16).min(MAX_UNASKED_BYTES),
            unasked_items_limit: (config.outbox_messages / 16).min(MAX_UNASKED_ITEMS),
            unasked_bytes: usize::MAX,
            unasked_items: 0,
            turn_bytes: 0,
            turn_items: 0,
        }
    }

    fn must_ask(&self) -> bool {
        self.unasked_bytes >= self.unasked_limit || self.unasked_items >= self.unasked_items_limit
    }

    fn asked(&mut self) {
        self.unasked_bytes = 0;
        self.unasked_items = 0;
    }

    fn produced(&mut self, bytes: usize) {
        let bytes = bytes + ENVELOPE_BYTES;
        self.unasked_bytes = self.unasked_bytes.saturating_add(bytes);
        self.unasked_items += 1;
        self.turn_bytes += bytes;
        self.turn_items += 1;
    }

    fn turn_is_over(&mut self) -> bool {
        let over = self.turn_bytes >= MAX_TURN_BYTES || self.turn_items >= MAX_TURN_ITEMS;
        if over {
            self.turn_bytes = 0;
            self.turn_items = 0;
        }
        over
    }
}

/// A generous guess at what a codec puts around an item.
const ENVELOPE_BYTES: usize = 64;
/// Bytes that a stream sends before it asks for room again.
const MAX_UNASKED_BYTES: usize = 8 * 1024;
/// Items that a stream sends before it asks for room again.
const MAX_UNASKED_ITEMS: usize = 32;
/// Bytes after which a stream that is always ready lets others run: what a
/// socket takes in one write.
const MAX_TURN_BYTES: usize = 128 * 1024;
/// Items after which a stream that is always ready lets others run: about a
/// fifth of a millisecond.
const MAX_TURN_ITEMS: u32 = 1024;

fn tell(context: &ExecutionContext, message: Outgoing<'_>) -> Result<(), WsException> {
    // A client that is gone is no error of the handler.
    send_to(context.client(), message, Delivery::RELIABLE)
        .map(drop)
        .map_err(|error: EncodeError| WsException::internal(error))
}

fn some(data: &Payload) -> Option<&Payload> {
    (!data.is_empty()).then_some(data)
}
