//! Guards: who may do this?

use super::context::{ExecutionContext, HandshakeContext};
use crate::adapter::BoxFuture;
use crate::error::WsException;

/// Decides whether a client may connect, and whether a message is handled.
///
/// Guards are providers: they are built once, with their own dependencies.
/// Those of a message run in the order global, gateway, method, each list in
/// its written order, and the first no ends it. A plain `Ok(false)` is answered
/// with "Forbidden resource", an error with itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    label = "does not implement `Guard`",
    note = "`use_guards(..)` takes types, or values of types, with `impl Guard for {Self}`"
)]
pub trait Guard: Send + Sync + 'static {
    /// Called for each message. Default: yes.
    ///
    /// # Errors
    /// The exception that the client gets instead of "Forbidden resource".
    fn can_activate(
        &self,
        context: &ExecutionContext,
    ) -> impl Future<Output = Result<bool, WsException>> + Send {
        let _ = context;
        async { Ok(true) }
    }

    /// Called for each connection, before it is accepted, for global guards and
    /// those of the gateway. It may leave the client's identity for
    /// [`Auth`](super::Auth). Default: yes.
    ///
    /// # Errors
    /// The refusal: an HTTP status on the native adapter
    /// ([`WsException::with_status`], 403 by default), CONNECT_ERROR on Socket.IO.
    fn can_connect(
        &self,
        context: &HandshakeContext,
    ) -> impl Future<Output = Result<bool, WsException>> + Send {
        let _ = context;
        async { Ok(true) }
    }
}

/// A [`Guard`] behind a pointer.
pub trait DynGuard: Send + Sync + 'static {
    /// See [`Guard::can_activate`].
    fn can_activate<'a>(
        &'a self,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<bool, WsException>>;

    /// See [`Guard::can_connect`].
    fn can_connect<'a>(
        &'a self,
        context: &'a HandshakeContext,
    ) -> BoxFuture<'a, Result<bool, WsException>>;
}

impl<G: Guard> DynGuard for G {
    fn can_activate<'a>(
        &'a self,
        context: &'a ExecutionContext,
    ) -> BoxFuture<'a, Result<bool, WsException>> {
        Box::pin(Guard::can_activate(self, context))
    }

    fn can_connect<'a>(
        &'a self,
        context: &'a HandshakeContext,
    ) -> BoxFuture<'a, Result<bool, WsException>> {
        Box::pin(Guard::can_connect(self, context))
    }
}
