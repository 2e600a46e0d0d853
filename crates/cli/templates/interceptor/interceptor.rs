//! Runs around handlers.

use std::time::Instant;

use nest_gateway::HandlerResult;
use nest_gateway::prelude::*;

/// Tells how long handlers take: `#[use_interceptors({{ pascal }}Interceptor)]` on a
/// gateway or a handler, or `App::use_interceptor` for all of them.
#[injectable]
pub struct {{ pascal }}Interceptor {}

impl Interceptor for {{ pascal }}Interceptor {
    async fn intercept<'a>(
        &'a self,
        context: &'a ExecutionContext,
        next: Next<'a>,
    ) -> HandlerResult<'a> {
        let begin = Instant::now();
        let reply = next.run().await;
        println!("{} took {:?}", context.event(), begin.elapsed());
        reply
    }
}
