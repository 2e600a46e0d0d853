//! Handlers, as the pipeline calls them.

use std::sync::Arc;

use super::context::ExecutionContext;
use super::extract::FromMessage;
use super::reply::{IntoReply, Reply};
use crate::adapter::BoxFuture;
use crate::error::WsException;

/// What a handler comes to.
pub type HandlerResult<'a> = Result<Reply<'a>, WsException>;

/// One message handler, bound to its gateway.
pub trait Handler: Send + Sync + 'static {
    /// Handles one message. The reply may borrow from the handler and the
    /// context, as a stream does that reads from its gateway.
    fn call<'a>(&'a self, context: &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>;
}

/// A handler with its gateway.
struct Bound<G, F> {
    gateway: Arc<G>,
    function: Arc<F>,
}

/// Binds a function to its gateway.
pub(crate) fn bind<G, F>(gateway: Arc<G>, function: Arc<F>) -> Arc<dyn Handler>
where
    G: Send + Sync + 'static,
    F: for<'a> Fn(&'a Arc<G>, &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>
        + Send
        + Sync
        + 'static,
{
    Arc::new(Bound { gateway, function })
}

impl<G, F> Handler for Bound<G, F>
where
    G: Send + Sync + 'static,
    F: for<'a> Fn(&'a Arc<G>, &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>>
        + Send
        + Sync
        + 'static,
{
    fn call<'a>(&'a self, context: &'a ExecutionContext) -> BoxFuture<'a, HandlerResult<'a>> {
        (self.function)(&self.gateway, context)
    }
}

/// Functions and closures that can be registered by hand, without the macros:
/// `Fn(Arc<G>, A, B, ..) -> impl Future<Output = R>` with extractors for
/// arguments and a reply for `R`.
///
/// The macros do not use it: their generated code calls the traits directly,
/// so that a mistake is reported on the argument that is wrong.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot handle messages of `{G}`",
    note = "a handler is `async fn(Arc<{G}>, ..extractors) -> impl IntoReply`"
)]
pub trait IntoHandler<G, Arguments>: Send + Sync + 'static {
    /// Extracts the arguments, calls the function, and turns what it returns
    /// into a reply.
    fn handle<'a>(
        &self,
        gateway: Arc<G>,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, HandlerResult<'a>>;
}

macro_rules! into_handler {
    ($($argument:ident),*) => {
        impl<G, F, Fut, R, $($argument,)*> IntoHandler<G, ($($argument,)*)> for F
        where
            G: Send + Sync + 'static,
            F: Fn(Arc<G>, $($argument),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send,
            R: IntoReply<'static>,
            $($argument: FromMessage + Send,)*
        {
            #[allow(non_snake_case, unused_variables, reason = "one macro for every number of arguments")]
            fn handle<'a>(
                &self,
                gateway: Arc<G>,
                context: &'a ExecutionContext,
            ) -> BoxFuture<'a, HandlerResult<'a>> {
                let function = self.clone();
                Box::pin(async move {
                    $(let $argument = $argument::from_message(context).await?;)*
                    function(gateway, $($argument),*).await.into_reply()
                })
            }
        }
    };
}
into_handler!();
into_handler!(A);
into_handler!(A, B);
into_handler!(A, B, C);
into_handler!(A, B, C, D);
into_handler!(A, B, C, D, E);
into_handler!(A, B, C, D, E, H);

impl<'a, R: IntoReply<'a>> IntoReply<'a> for Result<R, WsException> {
    fn into_reply(self) -> HandlerResult<'a> {
        self?.into_reply()
    }
}

impl<'a> IntoReply<'a> for () {
    fn into_reply(self) -> HandlerResult<'a> {
        Ok(Reply::None)
    }
}
