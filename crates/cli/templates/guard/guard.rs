//! Decides who may use what it guards.

use nest_gateway::prelude::*;

/// Lets in clients that bring a token: `#[use_guards({{ pascal }}Guard)]` on a gateway
/// or a handler, or `App::use_guard` for all of them.
#[injectable]
pub struct {{ pascal }}Guard {}

impl Guard for {{ pascal }}Guard {
    /// Asked once for each connection, before it is accepted.
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        match context.handshake().bearer_token() {
            Some(_token) => Ok(true),
            None => Err(WsException::unauthorized("a token is needed")),
        }
    }

    /// Asked for each message, before it is handled.
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        Ok(context.client().is_connected())
    }
}
