//! Arguments with a body of their own: `#[body("field")]` and
//! `#[use_pipes(..)]` on an argument.

use std::sync::Arc;

use crate::dispatch::{DynPipe, Enhancer, ExecutionContext};
use crate::error::WsException;
use crate::gateway::Dependency;
use crate::payload::{BodyError, Payload};

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

    /// The providers that they are.
    #[must_use]
    pub fn dependencies(&self) -> Vec<Dependency> {
        let dependencies = self.0.iter().filter_map(Enhancer::dependency);
        dependencies.copied().collect()
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
