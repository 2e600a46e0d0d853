//! Arguments with a body of their own: `#[body("field")]` and
//! `#[use_pipes(..)]` on an argument.

use std::future::Ready;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::Tag;
use crate::dispatch::{DynPipe, Enhancer, ExecutionContext, FromMessage, MessageBody};
use crate::error::WsException;
use crate::gateway::Message;
use crate::payload::{BodyError, Payload};

/// An extractor.
pub trait ExtractorRung<A> {
    /// Takes the argument out of the message, or out of a body of its own. The
    /// tag is only there to be pointed at.
    fn extract(
        &self,
        context: &ExecutionContext,
        body: Option<Payload>,
        tag: Tag<A>,
    ) -> impl Future<Output = Result<A, WsException>> + Send;

    /// The providers that it takes, as needs of its message.
    fn needs<G: Send + Sync + 'static>(&self, message: Message<G>) -> Message<G>;
}

impl<A: FromMessage> ExtractorRung<A> for &&Tag<A> {
    fn extract(
        &self,
        context: &ExecutionContext,
        body: Option<Payload>,
        _: Tag<A>,
    ) -> impl Future<Output = Result<A, WsException>> + Send {
        A::from_body(context, body)
    }

    fn needs<G: Send + Sync + 'static>(&self, message: Message<G>) -> Message<G> {
        A::dependencies().into_iter().fold(message, Message::needs)
    }
}

/// A body that cannot be read.
pub trait NoBodyRung<T> {
    /// Does not compile.
    fn extract(
        &self,
        context: &ExecutionContext,
        body: Option<Payload>,
        tag: Tag<MessageBody<T>>,
    ) -> Ready<Result<MessageBody<T>, WsException>>
    where
        T: Body;
}

impl<T> NoBodyRung<T> for &Tag<MessageBody<T>> {
    fn extract(
        &self,
        _: &ExecutionContext,
        _: Option<Payload>,
        _: Tag<MessageBody<T>>,
    ) -> Ready<Result<MessageBody<T>, WsException>>
    where
        T: Body,
    {
        unreachable!("a body that can be read is on the rung above")
    }
}

/// What can be read from a message. Only there for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a message",
    label = "does not implement `Deserialize`, or is not `Send`",
    note = "add `#[derive(Deserialize)]` to `{Self}`"
)]
pub trait Body {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send> Body for T {}

/// Anything else: a mistake, which is reported once because nothing but this
/// call asks for an extractor.
pub trait NoExtractorRung<A> {
    /// Does not compile.
    fn extract(
        &self,
        context: &ExecutionContext,
        body: Option<Payload>,
        tag: Tag<A>,
    ) -> Ready<Result<A, WsException>>
    where
        A: FromMessage;

    /// What it was.
    fn needs<G>(&self, message: Message<G>) -> Message<G>;
}

impl<A> NoExtractorRung<A> for Tag<A> {
    fn extract(
        &self,
        _: &ExecutionContext,
        _: Option<Payload>,
        _: Tag<A>,
    ) -> Ready<Result<A, WsException>>
    where
        A: FromMessage,
    {
        unreachable!("an extractor is on the rung above")
    }

    fn needs<G>(&self, message: Message<G>) -> Message<G> {
        message
    }
}

/// Says in a body's error which field of the message it is about.
pub fn within<T>(field: &str, extracted: Result<T, WsException>) -> Result<T, WsException> {
    extracted.map_err(|exception| match exception.source_as::<BodyError>() {
        Some(error) => error.clone().within(field).into(),
        None => exception,
    })
}

/// The pipes of one argument.
#[derive(Clone)]
pub struct ArgumentPipes(Arc<[Enhancer<dyn DynPipe>]>);

impl ArgumentPipes {
    /// These, in this order.
    pub fn new<const N: usize>(pipes: [Enhancer<dyn DynPipe>; N]) -> Self {
        Self(Arc::new(pipes))
    }

    /// The providers that they are, as needs of their message.
    pub fn needs<G: Send + Sync + 'static>(&self, message: Message<G>) -> Message<G> {
        let dependencies = self.0.iter().filter_map(Enhancer::dependency);
        dependencies.copied().fold(message, Message::needs)
    }

    /// The body as they leave it.
    pub async fn transform(
        &self,
        mut body: Payload,
        context: &ExecutionContext,
    ) -> Result<Payload, WsException> {
        for pipe in &*self.0 {
            let pipe = pipe.resolve(&context.route().resolver());
            body = pipe
                .map_err(WsException::internal)?
                .transform(body, context)
                .await?;
        }
        Ok(body)
    }
}

impl std::fmt::Debug for ArgumentPipes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ArgumentPipes({})", self.0.len())
    }
}
