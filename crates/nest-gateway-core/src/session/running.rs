//! Messages that are being handled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::{Instrument as _, Span};

use crate::dispatch::{ExecutionContext, dispatch};
use crate::observe::{Outcome, message_span};

/// One message on its way through the pipeline, from its guards to the last
/// item of its reply.
pub(super) struct Running {
    context: Arc<ExecutionContext>,
    future: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Running {
    pub(super) fn start(context: Arc<ExecutionContext>) -> Self {
        let span = message_span(&context);
        // Made where it is boxed, so that it is moved once: it is large.
        Self {
            future: if span.is_disabled() {
                Box::pin(dispatch(Arc::clone(&context)))
            } else {
                Box::pin(traced(span, dispatch(Arc::clone(&context))))
            },
            context,
        }
    }

    pub(super) fn context(&self) -> &Arc<ExecutionContext> {
        &self.context
    }

    pub(super) fn is_streaming(&self) -> bool {
        self.context.is_streaming()
    }

    /// Tells the handler that nobody waits for it any more.
    pub(super) fn cancel(&self) {
        self.context.cancel();
    }
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.future.as_mut().poll(context).map(drop)
    }
}

/// Handles a message in its span, which learns how it ended.
async fn traced(span: Span, handling: impl Future<Output = Outcome>) -> Outcome {
    let outcome = handling.instrument(span.clone()).await;
    span.record("outcome", outcome.as_str());
    outcome
}

/// What runs beside the queue: concurrent handlers, and streams. Empty, it
/// costs a pointer.
#[derive(Default)]
pub(super) struct Beside(Option<Box<FuturesUnordered<Running>>>);

impl Beside {
    pub(super) fn push(&mut self, running: Running) {
        self.0.get_or_insert_default().push(running);
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |set| set.len())
    }

    /// Polls all that can go on; gives up the memory when nothing is left.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) {
        let Some(set) = &mut self.0 else { return };
        while let Poll::Ready(Some(())) = set.poll_next_unpin(context) {}
        if set.is_empty() {
            self.0 = None;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Running> {
        self.0.iter().flat_map(|set| set.iter())
    }

    /// Drops the streams and keeps the handlers that have not answered yet.
    pub(super) fn drop_streams(&mut self) {
        if let Some(set) = self.0.take() {
            let handlers: FuturesUnordered<_> =
                (*set).into_iter().filter(|r| !r.is_streaming()).collect();
            if !handlers.is_empty() {
                self.0 = Some(Box::new(handlers));
            }
        }
    }
}
