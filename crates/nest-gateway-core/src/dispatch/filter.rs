//! Exception filters: what the client gets when something fails.

use std::any::TypeId;
use std::error::Error;

use super::context::ExecutionContext;
use super::reply::Reply;
use crate::adapter::BoxFuture;
use crate::error::WsException;

/// Decides what becomes of an error of the type that it names.
///
/// Exactly one filter sees an error: the method's, else the gateway's, else a
/// global one; within a list the one whose type fits best. `WsException` fits
/// every error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an exception filter",
    label = "does not implement `ExceptionFilter`",
    note = "`use_filters(..)` takes types, or values of types, with `impl ExceptionFilter for {Self}`"
)]
pub trait ExceptionFilter: Send + Sync + 'static {
    /// What it catches: the error that a handler returned, or
    /// [`WsException`] for any.
    type Error: Error + 'static;

    /// Answers the client, or says which exception it gets.
    ///
    /// # Errors
    /// The filter itself failed: that is logged and the client gets
    /// "Internal server error".
    fn catch(
        &self,
        error: &Self::Error,
        context: &ExecutionContext,
    ) -> impl Future<Output = Result<Caught, WsException>> + Send;
}

/// What a filter decided.
#[derive(Debug)]
#[non_exhaustive]
pub enum Caught {
    /// The client gets this answer, as if the handler had returned it.
    Answer(Reply<'static>),
    /// The client gets this exception.
    Exception(WsException),
    /// The client gets the error as it would without the filter.
    Unchanged,
}

/// An [`ExceptionFilter`] behind a pointer.
pub trait DynFilter: Send + Sync + 'static {
    /// How well the filter fits: `None` not at all, otherwise the more the
    /// better.
    fn fit(&self, exception: &WsException) -> Option<u8>;

    /// See [`ExceptionFilter::catch`]. Called only when it fits.
    fn catch<'a>(
        &'a self,
        exception: &'a WsException,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Caught, WsException>>;
}

impl<F: ExceptionFilter> DynFilter for F {
    fn fit(&self, exception: &WsException) -> Option<u8> {
        exception.downcast_ref::<F::Error>()?;
        Some(u8::from(
            TypeId::of::<F::Error>() != TypeId::of::<WsException>(),
        ))
    }

    fn catch<'a>(
        &'a self,
        exception: &'a WsException,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<Caught, WsException>> {
        Box::pin(async move {
            match exception.downcast_ref::<F::Error>() {
                Some(error) => ExceptionFilter::catch(self, error, context).await,
                None => Ok(Caught::Unchanged),
            }
        })
    }
}
