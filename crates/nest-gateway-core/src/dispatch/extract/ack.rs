//! The answer, in the handler's own hands.

use serde::Serialize;

use super::FromContext;
use crate::broadcast::send_to;
use crate::dispatch::context::ExecutionContext;
use crate::error::WsException;
use crate::id::RequestId;
use crate::message::{Delivery, Outgoing};
use crate::payload::Payload;
use crate::session::Client;

/// Answers the client's request by hand: the handler's return value is not
/// acknowledged a second time.
///
/// Dropping it without an answer answers with nothing, so that no client waits
/// for ever.
#[derive(Debug)]
#[must_use = "an `Ack` that is dropped answers with nothing"]
pub struct Ack {
    client: Client,
    event: String,
    request: Option<RequestId>,
}

impl Ack {
    /// Whether the client asked for an answer. If it did not, answering does
    /// nothing on Socket.IO and sends the event on the native wire.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.request.is_some()
    }

    /// Answers with a value.
    ///
    /// # Errors
    /// When the value cannot be encoded; the client then gets the internal
    /// error.
    pub fn send<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), WsException> {
        let sent = Payload::from_serialize(value)
            .and_then(|payload| self.reply(self.request.as_ref(), Some(&payload)));
        match sent {
            Ok(()) => {
                self.request = None;
                Ok(())
            }
            Err(error) => {
                let error = WsException::internal(error);
                self.fail(&error);
                Err(error)
            }
        }
    }

    /// Answers with several values, which a Socket.IO client's callback gets as
    /// its arguments; the native wire carries them as an array.
    ///
    /// # Errors
    /// When they cannot be encoded.
    pub fn send_args(mut self, values: Vec<Payload>) -> Result<(), WsException> {
        let arguments = values.into();
        let message = Outgoing::Answer {
            event: &self.event,
            request: self.request.as_ref(),
            arguments: &arguments,
        };
        match send_to(&self.client, message, Delivery::RELIABLE) {
            Ok(_) => {
                self.request = None;
                Ok(())
            }
            Err(error) => Err(WsException::internal(error)),
        }
    }

    /// Answers with an error.
    pub fn fail(mut self, exception: &WsException) {
        exception.log(&self.event);
        let data = exception.to_payload(Some(&self.event), None);
        let message = Outgoing::Exception {
            request: self.request.as_ref(),
            data: &data,
        };
        if let Err(error) = send_to(&self.client, message, Delivery::RELIABLE) {
            tracing::error!(%error, event = self.event, "exception cannot be encoded");
        }
        self.request = None;
    }

    fn reply(
        &self,
        request: Option<&RequestId>,
        data: Option<&Payload>,
    ) -> Result<(), crate::payload::EncodeError> {
        let message = Outgoing::Reply {
            event: &self.event,
            request,
            data,
        };
        send_to(&self.client, message, Delivery::RELIABLE).map(drop)
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            // An empty answer always encodes.
            let _ = self.reply(Some(&request), None);
        }
    }
}

impl FromContext for Ack {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        context.take_ack();
        Ok(Self {
            client: context.client().clone(),
            event: context.event().to_owned(),
            request: context.request_id().cloned(),
        })
    }
}
