//! Streamed replies: items go out as they come, at the pace of their reader.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio_util::sync::WaitForCancellationFuture;

use super::answer::tell;
use super::context::ExecutionContext;
use super::items::Items;
use super::pace::Pace;
use super::reply::{Emission, ReplyStream};
use crate::error::WsException;
use crate::message::Outgoing;
use crate::session::Batch;

/// Sends the items of a stream, and its end to who asked with an id.
pub(super) async fn send(
    context: &ExecutionContext,
    producer: ReplyStream<'_>,
) -> Result<(), WsException> {
    context.begin_streaming();
    let _running = context.client().hub().stats.stream_started();
    let request = context.request_id().filter(|_| !context.ack_is_taken());
    send_items(context, Items::new(context, request), producer).await?;
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

async fn send_items(
    context: &ExecutionContext,
    items: Items<'_>,
    producer: ReplyStream<'_>,
) -> Result<(), WsException> {
    let cancellation = context.cancellation();
    let mut cancelled = pin!(cancellation.cancelled());
    let mut streaming = Streaming {
        context,
        producer,
        items,
        pace: Pace::new(&context.client().hub().config),
    };
    while let Turn::Over = poll_fn(|cx| streaming.poll_turn(cx, cancelled.as_mut())).await? {
        tokio::task::yield_now().await;
        if cancellation.is_cancelled() {
            break;
        }
    }
    Ok(())
}

/// A stream that is being sent.
struct Streaming<'a> {
    context: &'a ExecutionContext,
    producer: ReplyStream<'a>,
    items: Items<'a>,
    pace: Pace,
}

/// How a turn ended.
enum Turn {
    /// There may be more items, and others wait.
    Over,
    /// There are no more items, or nobody wants them.
    Ended,
}

impl Streaming<'_> {
    /// Sends what there is, until it is the turn of others.
    ///
    /// All of a turn is one poll: a future for each item would cost more than a
    /// small item does.
    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        cancelled: Pin<&mut WaitForCancellationFuture<'_>>,
    ) -> Poll<Result<Turn, WsException>> {
        let turn = Batch::begin();
        loop {
            let item = match self.poll_item(cx) {
                Poll::Ready(Some(Ok(item))) => item,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(Turn::Ended)),
                // Looked at only when there is time, and when a turn is over.
                Poll::Pending => return cancelled.poll(cx).map(|()| Ok(Turn::Ended)),
            };
            self.pace.produced(item.data.size_hint_bytes());
            self.items.send(&item, &turn)?;
            if self.pace.turn_is_over() {
                return Poll::Ready(Ok(Turn::Over));
            }
        }
    }

    /// The next item; the producer is polled only while the outbox has room.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Emission, WsException>>> {
        if self.pace.must_ask() {
            Batch::release();
            if ready!(self.context.client().poll_room(cx)).is_err() {
                return Poll::Ready(None);
            }
            self.pace.asked();
        }
        self.producer.as_mut().poll_next(cx)
    }
}
