//! Arguments with a body of their own: `#[body("field")]` and
//! `#[use_pipes(..)]` on an argument.

use std::sync::Arc;

use crate::dispatch::{DynPipe, Enhancer, ExecutionContext, FromMessage};
use crate::error::WsException;
use crate::gateway::Message;
use crate::payload::{BodyError, Payload};

/// Takes an argument out of the message.
pub fn extract<A: FromMessage>(
    context: &ExecutionContext,
) -> impl Future<Output = Result<A, WsException>> + Send {
    A::from_message(context)
}

/// Takes an argument with a body of its own.
pub fn extract_from<A: FromMessage>(
    context: &ExecutionContext,
    body: Payload,
) -> impl Future<Output = Result<A, WsException>> + Send {
    A::from_body(context, Some(body))
}

/// The providers that an argument takes, as needs of its message.
pub fn needs<G: Send + Sync + 'static, A: FromMessage>(message: Message<G>) -> Message<G> {
    A::dependencies().into_iter().fold(message, Message::needs)
}

/// One field of the message's body; empty when there is none.
pub fn field(context: &ExecutionContext, name: &str) -> Payload {
    context.data().field(name)
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
