//! A line in the log for each message.

use std::time::Instant;

use nest_gateway_core::dispatch::{ExecutionContext, HandlerResult, Interceptor, Next};

/// Logs each message with its event, its client, how long it took and how it
/// ended, at level `info` under the target `nest_gateway::message`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoggingInterceptor;

impl Interceptor for LoggingInterceptor {
    async fn intercept<'a>(
        &'a self,
        context: &'a ExecutionContext,
        next: Next<'a>,
    ) -> HandlerResult<'a> {
        let started = Instant::now();
        let result = next.run().await;
        let error = result.as_ref().err();
        tracing::info!(
            target: "nest_gateway::message",
            event = context.event(),
            gateway = context.gateway(),
            client = %context.client().id(),
            micros = started.elapsed().as_micros(),
            error = error.map(tracing::field::display),
        );
        result
    }
}
