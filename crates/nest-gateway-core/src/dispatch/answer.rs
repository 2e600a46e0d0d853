//! What goes back to the client: the rows of CONTRACT section 4.

use std::pin::pin;
use std::task::Poll;

use futures_core::Stream as _;

use super::context::ExecutionContext;
use super::reply::{Emission, Reply, ReplyStream};
use crate::broadcast::{RoomOf, send_to};
use crate::error::WsException;
use crate::message::{Delivery, Outgoing};
use crate::payload::{EncodeError, Payload};

/// Items after which a stream that is always ready lets others run.
const ITEMS_PER_TURN: u32 = 32;

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
        Reply::Stream(items) => stream(context, items).await,
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
    if let Err(error) = send_to(context.client(), message, Delivery::Reliable) {
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
        let mut turn = 0;
        loop {
            let next = std::future::poll_fn(|cx| {
                if cancelled.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                // The producer is polled only while the outbox has room.
                match std::pin::Pin::new(&mut RoomOf(context.client())).poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(_)) => Poll::Ready(None),
                    Poll::Ready(Ok(())) => items.as_mut().poll_next(cx),
                }
            });
            let Some(item) = next.await else { break };
            let Emission { event, data } = item?;
            tell(
                context,
                Outgoing::Item {
                    event: event.as_deref().unwrap_or(context.event()),
                    request,
                    data: Some(&data),
                },
            )?;
            turn += 1;
            if turn % ITEMS_PER_TURN == 0 {
                tokio::task::yield_now().await;
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

fn tell(context: &ExecutionContext, message: Outgoing<'_>) -> Result<(), WsException> {
    // A client that is gone is no error of the handler.
    send_to(context.client(), message, Delivery::Reliable)
        .map(drop)
        .map_err(|error: EncodeError| WsException::internal(error))
}

fn some(data: &Payload) -> Option<&Payload> {
    (!data.is_empty()).then_some(data)
}
