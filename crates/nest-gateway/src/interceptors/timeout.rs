//! Handlers that may take only so long.

use std::time::Duration;

use nest_gateway_core::dispatch::{ExecutionContext, HandlerResult, Interceptor, Next};
use nest_gateway_core::error::WsException;

/// Gives up on a handler that takes too long: it is cancelled where it awaits,
/// and the client gets an exception with code `timeout`.
///
/// For a streamed reply the time runs until the stream exists, not until it
/// ends.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutInterceptor {
    limit: Duration,
}

impl TimeoutInterceptor {
    /// Handlers get this long.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl Interceptor for TimeoutInterceptor {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        match tokio::time::timeout(self.limit, next.run()).await {
            Ok(result) => result,
            Err(_) => Err(WsException::new("The handler took too long").with_code("timeout")),
        }
    }
}
