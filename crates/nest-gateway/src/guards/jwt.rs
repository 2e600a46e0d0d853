//! Identity by JSON Web Token.

use std::fmt;
use std::marker::PhantomData;

pub use jsonwebtoken;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use nest_gateway_core::dispatch::{ExecutionContext, Guard, HandshakeContext};
use nest_gateway_core::error::WsException;
use serde::de::DeserializeOwned;

/// Lets in who presents a valid token, and leaves its claims for
/// [`Auth<C>`](crate::Auth).
///
/// The token may stand in the header `Authorization: Bearer`, the query
/// parameter `token`, or Socket.IO's `auth.token`. Without a valid one a
/// native client gets 401, a Socket.IO client CONNECT_ERROR. As a method's
/// guard it lets through who was let in with claims of this type.
///
/// ```
/// # use nest_gateway::guards::JwtGuard;
/// #[derive(serde::Deserialize)]
/// struct Claims {
///     sub: String,
/// }
///
/// let guard = JwtGuard::<Claims>::hs256(b"a secret of at least 32 bytes ...");
/// ```
pub struct JwtGuard<C> {
    key: DecodingKey,
    validation: Validation,
    claims: PhantomData<fn() -> C>,
}

impl<C> JwtGuard<C> {
    /// Tokens signed with HMAC-SHA-256 and this secret. Expiry (`exp`) is
    /// required and checked.
    #[must_use]
    pub fn hs256(secret: &[u8]) -> Self {
        Self::new(
            DecodingKey::from_secret(secret),
            Validation::new(Algorithm::HS256),
        )
    }

    /// Any key and rules: algorithms, audience, issuer, leeway.
    #[must_use]
    pub fn new(key: DecodingKey, validation: Validation) -> Self {
        Self {
            key,
            validation,
            claims: PhantomData,
        }
    }
}

impl<C> fmt::Debug for JwtGuard<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtGuard").finish_non_exhaustive()
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Guard for JwtGuard<C> {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        match context.client().data().get::<C>() {
            Some(_) => Ok(true),
            None => Err(WsException::unauthorized("Not authenticated")),
        }
    }

    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        let Some(token) = context.handshake().bearer_token() else {
            return Err(WsException::unauthorized("Token missing"));
        };
        // Which check failed is the log's business, not the client's.
        let token = jsonwebtoken::decode::<C>(token, &self.key, &self.validation)
            .map_err(|error| WsException::unauthorized("Token invalid").with_source(error))?;
        context.data().insert(token.claims);
        Ok(true)
    }
}
