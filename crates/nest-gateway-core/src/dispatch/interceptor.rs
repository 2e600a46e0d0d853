//! Interceptors: code around a handler.

use std::sync::Arc;

use super::context::ExecutionContext;
use super::handler::HandlerResult;
use super::pipeline;
use crate::adapter::BoxFuture;

/// Runs around a handler, and around each item of a stream that it returns
/// (through [`Reply::map`](super::Reply::map)).
///
/// An interceptor may change the reply, answer without calling `next`, call it
/// again, or give up on it: dropping the future of [`Next::run`] cancels the
/// handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interceptor",
    label = "does not implement `Interceptor`",
    note = "`use_interceptors(..)` takes types, or values of types, with `impl Interceptor for {Self}`"
)]
pub trait Interceptor: Send + Sync + 'static {
    /// Called for each message that passed the guards.
    ///
    /// # Errors
    /// The error passes the outer interceptors, then one exception filter.
    fn intercept<'a>(
        &'a self,
        context: &'a ExecutionContext,
        next: Next<'a>,
    ) -> impl Future<Output = HandlerResult<'a>> + Send;
}

/// An [`Interceptor`] behind a pointer.
pub trait DynInterceptor: Send + Sync + 'static {
    /// See [`Interceptor::intercept`].
    fn intercept<'a>(
        &'a self,
        context: &'a ExecutionContext,
        next: Next<'a>,
    ) -> BoxFuture<'a, HandlerResult<'a>>;
}

impl<I: Interceptor> DynInterceptor for I {
    fn intercept<'a>(
        &'a self,
        context: &'a ExecutionContext,
        next: Next<'a>,
    ) -> BoxFuture<'a, HandlerResult<'a>> {
        Box::pin(Interceptor::intercept(self, context, next))
    }
}

/// What an interceptor stands in front of: the inner interceptors, the pipes
/// and the handler.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    chain: &'a [Arc<dyn DynInterceptor>],
    context: &'a ExecutionContext,
}

impl<'a> Next<'a> {
    pub(super) fn new(chain: &'a [Arc<dyn DynInterceptor>], context: &'a ExecutionContext) -> Self {
        Self { chain, context }
    }

    /// Runs the rest and gives its reply. Can be called again, to retry.
    #[must_use = "futures do nothing unless awaited"]
    pub fn run(&self) -> BoxFuture<'a, HandlerResult<'a>> {
        match self.chain.split_first() {
            Some((interceptor, chain)) => {
                interceptor.intercept(self.context, Self::new(chain, self.context))
            }
            None => Box::pin(pipeline::pipes_and_handler(self.context)),
        }
    }
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Next({} interceptors)", self.chain.len())
    }
}
