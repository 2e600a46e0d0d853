//! The pipeline itself.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::answer;
use super::context::ExecutionContext;
use super::filter::{Caught, DynFilter};
use super::handler::HandlerResult;
use super::interceptor::Next;
use super::reply::Reply;
use crate::close::CloseReason;
use crate::config::DenyPolicy;
use crate::error::WsException;
use crate::observe::{Outcome, RunningGuard, panic_text};

/// Handles one message, from its guards to the last item of its reply.
///
/// Every failure, a panic included, ends here as an answer to the client.
pub(crate) async fn dispatch(context: Arc<ExecutionContext>) -> Outcome {
    let context = &*context;
    let stats = &context.client().hub().stats;
    let mut handling = Some(stats.handler_started());
    // A future is as large as the largest of its states, and every message pays for that: what only
    // some of them need is boxed.
    let outcome = match caught(pin!(guards_to_answer(context, &mut handling))).await {
        Ok(()) => Outcome::Handled,
        Err(exception) => Box::pin(failed(context, exception)).await,
    };
    // Not the name that a client chose.
    stats.handled(context.route().event(), outcome);
    drop(handling);
    outcome
}

async fn guards_to_answer(
    context: &ExecutionContext,
    handling: &mut Option<RunningGuard<'_>>,
) -> Result<(), WsException> {
    let reply = match context.client().hub().config.handler_timeout {
        None => guards_to_handler(context).await?,
        Some(limit) => Box::pin(within(limit, guards_to_handler(context))).await?,
    };
    if let Some(stream) = answer::send(context, reply)? {
        // It counts as a stream from here on, no longer as a handler.
        *handling = None;
        stream.await?;
    }
    Ok(())
}

/// Handles a message for so long and no longer.
async fn within<'a>(
    limit: Duration,
    handling: impl Future<Output = HandlerResult<'a>>,
) -> HandlerResult<'a> {
    match tokio::time::timeout(limit, handling).await {
        Ok(result) => result,
        Err(_) => Err(WsException::new("The handler took too long").with_code("timeout")),
    }
}

async fn guards_to_handler(context: &ExecutionContext) -> HandlerResult<'_> {
    let route = context.route();
    pass_guards(context).await?;
    match route.enhancers().interceptors.as_slice() {
        [] => {
            pass_pipes(context).await?;
            route.handler().call(context).await
        }
        chain => Next::new(chain, context).run().await,
    }
}

async fn pass_guards(context: &ExecutionContext) -> Result<(), WsException> {
    for guard in &context.route().enhancers().guards {
        let no = match guard.can_activate(context).await {
            Ok(true) => continue,
            Ok(false) => WsException::forbidden(),
            // A guard that is broken has not said no.
            Err(error) if error.log_id().is_some() => return Err(error),
            Err(no) => no,
        };
        denied(context);
        return Err(no);
    }
    Ok(())
}

/// The innermost part, which an interceptor may run more than once.
pub(super) async fn pipes_and_handler(context: &ExecutionContext) -> HandlerResult<'_> {
    pass_pipes(context).await?;
    context.route().handler().call(context).await
}

async fn pass_pipes(context: &ExecutionContext) -> Result<(), WsException> {
    if let Some((first, others)) = context.route().enhancers().pipes.split_first() {
        let mut body = first
            .transform(context.arguments().first(), context)
            .await?;
        for pipe in others {
            body = pipe.transform(body, context).await?;
        }
        context.set_body(body);
    }
    Ok(())
}

/// Gives the error to the one filter that fits, and the client its answer.
async fn failed(context: &ExecutionContext, exception: WsException) -> Outcome {
    let outcome = Outcome::of(&exception);
    let Some(filter) = filter_for(context, &exception) else {
        answer::exception(context, &exception);
        return outcome;
    };
    match caught(pin!(filter.catch(&exception, context))).await {
        Ok(Caught::Unchanged) => answer::exception(context, &exception),
        Ok(Caught::Exception(other)) => answer::exception(context, &other),
        Ok(Caught::Answer(reply)) => {
            if let Err(error) = caught(pin!(answer_by_filter(context, reply))).await {
                answer::exception(context, &error);
            }
        }
        Err(error) => answer::exception(context, &as_internal(error)),
    }
    outcome
}

async fn answer_by_filter(context: &ExecutionContext, reply: Reply<'_>) -> Result<(), WsException> {
    match answer::send(context, reply)? {
        Some(stream) => stream.await,
        None => Ok(()),
    }
}

fn filter_for<'a>(
    context: &'a ExecutionContext,
    exception: &WsException,
) -> Option<&'a Arc<dyn DynFilter>> {
    context.route().filter_levels().find_map(|filters| {
        // The first of the best: `max_by_key` would take the last.
        filters
            .iter()
            .rev()
            .filter_map(|filter| Some((filter.fit(exception)?, filter)))
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, filter)| filter)
    })
}

/// The client of a failing filter learns nothing of it.
fn as_internal(error: WsException) -> WsException {
    if error.log_id().is_some() {
        error
    } else {
        WsException::internal(error)
    }
}

fn denied(context: &ExecutionContext) {
    if context.client().hub().config.deny_policy == DenyPolicy::Close {
        context.client().close(CloseReason::Denied);
    }
}

/// A panic of user code costs its message only.
///
/// It takes the future where it is: they are large, and each move is a copy.
async fn caught<T>(
    future: Pin<&mut impl Future<Output = Result<T, WsException>>>,
) -> Result<T, WsException> {
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(WsException::internal(format!(
            "panicked: {}",
            panic_text(&*panic)
        ))),
    }
}
