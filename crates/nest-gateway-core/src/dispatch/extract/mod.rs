//! What a handler may take: extractors.
//!
//! [`FromContext`] is for what stands around a message (the client, headers, an
//! identity), [`FromMessage`] for what may also decode its body. Implement the
//! first for your own extractors.

mod ack;
mod body;
mod client;
mod handshake;
mod provider;

pub use self::ack::Ack;
pub use self::body::{Binary, EventName, MessageArgs, MessageBody, RawBody};
pub use self::client::{Auth, ConnectedSocket, State};
pub use self::handshake::{Path, Query};
pub use self::provider::{Inject, Server};

/// Fires when the client leaves or cancels its request; an argument of handlers.
pub use tokio_util::sync::CancellationToken;

use super::context::ExecutionContext;
use crate::error::WsException;
use crate::gateway::Dependency;
use crate::payload::Payload;

/// An argument of a handler that may look at the message's body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "not an extractor",
    note = "a message's body is `MessageBody<{Self}>`, the client is `ConnectedSocket`, a provider is `Inject<..>`; own extractors implement `FromContext`"
)]
pub trait FromMessage: Sized {
    /// Whether it is taken out of the body, so that `#[body("field")]` and
    /// pipes on the argument make sense. Default: yes.
    const READS_BODY: bool = true;

    /// Takes the value out of the message.
    ///
    /// # Errors
    /// The exception that the client gets instead of an answer.
    fn from_message(
        context: &ExecutionContext,
    ) -> impl Future<Output = Result<Self, WsException>> + Send {
        Self::from_body(context, None)
    }

    /// The same for an argument with a body of its own: after
    /// `#[body("field")]` or pipes on the argument. `None` stands for the
    /// message's body.
    ///
    /// # Errors
    /// As [`FromMessage::from_message`].
    fn from_body(
        context: &ExecutionContext,
        body: Option<Payload>,
    ) -> impl Future<Output = Result<Self, WsException>> + Send;

    /// The providers that it takes, so that a missing one stops the start-up.
    /// Default: none.
    #[must_use]
    fn dependencies() -> Vec<Dependency> {
        Vec::new()
    }
}

/// An argument of a handler that stands around the message: implement this for
/// your own extractors.
pub trait FromContext: Sized {
    /// Takes the value out of the context.
    ///
    /// # Errors
    /// The exception that the client gets instead of an answer.
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException>;

    /// The providers that it takes, so that a missing one stops the start-up.
    /// Default: none.
    #[must_use]
    fn dependencies() -> Vec<Dependency> {
        Vec::new()
    }
}

#[diagnostic::do_not_recommend]
impl<T: FromContext> FromMessage for T {
    const READS_BODY: bool = false;

    async fn from_body(
        context: &ExecutionContext,
        _: Option<Payload>,
    ) -> Result<Self, WsException> {
        T::from_context(context)
    }

    fn dependencies() -> Vec<Dependency> {
        T::dependencies()
    }
}

impl<T: FromMessage> FromMessage for Option<T> {
    const READS_BODY: bool = T::READS_BODY;

    /// `None` when the value cannot be extracted; for a body, also when there is
    /// none.
    async fn from_body(
        context: &ExecutionContext,
        body: Option<Payload>,
    ) -> Result<Self, WsException> {
        Ok(T::from_body(context, body).await.ok())
    }

    fn dependencies() -> Vec<Dependency> {
        let dependencies = T::dependencies().into_iter();
        dependencies.map(Dependency::optional).collect()
    }
}

impl<T: FromMessage> FromMessage for Result<T, WsException> {
    const READS_BODY: bool = T::READS_BODY;

    /// The handler decides what a failure means.
    async fn from_body(
        context: &ExecutionContext,
        body: Option<Payload>,
    ) -> Result<Self, WsException> {
        Ok(T::from_body(context, body).await)
    }

    fn dependencies() -> Vec<Dependency> {
        let dependencies = T::dependencies().into_iter();
        dependencies.map(Dependency::optional).collect()
    }
}

impl FromContext for CancellationToken {
    /// Fires when the client leaves or cancels this request.
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(context.cancellation())
    }
}
