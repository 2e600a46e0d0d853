//! Pipes: change or refuse a message's body before it is extracted.

use super::context::ExecutionContext;
use crate::adapter::BoxFuture;
use crate::error::WsException;
use crate::payload::Payload;

/// Transforms or validates a message's body: global pipes, then those of the
/// gateway, the method and the argument. Other arguments of a handler never
/// pass through pipes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pipe",
    label = "does not implement `Pipe`",
    note = "`use_pipes(..)` takes types, or values of types, with `impl Pipe for {Self}`"
)]
pub trait Pipe: Send + Sync + 'static {
    /// The body as the next pipe, or the extractor, gets it.
    ///
    /// # Errors
    /// The exception that the client gets.
    fn transform(
        &self,
        body: Payload,
        context: &ExecutionContext,
    ) -> impl Future<Output = Result<Payload, WsException>> + Send;
}

/// A [`Pipe`] behind a pointer.
pub trait DynPipe: Send + Sync + 'static {
    /// See [`Pipe::transform`].
    fn transform<'a>(
        &'a self,
        body: Payload,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Payload, WsException>>;
}

impl<P: Pipe> DynPipe for P {
    fn transform<'a>(
        &'a self,
        body: Payload,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Payload, WsException>> {
        Box::pin(Pipe::transform(self, body, context))
    }
}
