//! What goes back to the client: the rows of CONTRACT section 4.

use super::context::ExecutionContext;
use super::reply::Reply;
use super::stream;
use crate::adapter::BoxFuture;
use crate::broadcast::send_to;
use crate::error::WsException;
use crate::message::{Delivery, Outgoing};
use crate::payload::{EncodeError, Payload};

/// Sends a reply. For a stream, it is what is returned that sends its items and its end.
pub(super) fn send<'a>(
    context: &'a ExecutionContext,
    reply: Reply<'a>,
) -> Result<Option<BoxFuture<'a, Result<(), WsException>>>, WsException> {
    let request = context.request_id().filter(|_| !context.ack_is_taken());
    let sent = match reply {
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
        Reply::Stream(items) => return Ok(Some(Box::pin(stream::send(context, items)))),
    };
    sent.map(|()| None)
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

pub(super) fn tell(context: &ExecutionContext, message: Outgoing<'_>) -> Result<(), WsException> {
    // A client that is gone is no error of the handler.
    send_to(context.client(), message, Delivery::RELIABLE)
        .map(drop)
        .map_err(|error: EncodeError| WsException::internal(error))
}

fn some(data: &Payload) -> Option<&Payload> {
    (!data.is_empty()).then_some(data)
}
