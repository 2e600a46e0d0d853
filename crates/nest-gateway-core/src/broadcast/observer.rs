//! Who hears of everything that a namespace sends.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::message::Outgoing;
use crate::observe::panic_text;
use crate::payload::Payload;
use crate::session::Client;

/// Hears of what was queued.
pub(crate) type Observer = Arc<dyn Fn(&EmitContext<'_>) + Send + Sync>;

thread_local! {
    /// An observer is running on this thread: what it emits itself is not observed.
    static OBSERVING: Cell<bool> = const { Cell::new(false) };
}

/// A message that was queued for clients, for
/// [`OnGatewayEmit`](crate::gateway::OnGatewayEmit): an emit, a reply, an item of a stream, a
/// question or an exception. A broadcast is one, however many clients it reaches.
#[derive(Clone, Copy, Debug)]
pub struct EmitContext<'a> {
    namespace: &'a str,
    message: Outgoing<'a>,
    client: Option<&'a Client>,
    receivers: usize,
}

/// What a message to clients is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmitKind {
    /// `emit` of a server, a room or a client.
    Event,
    /// `emit_with_ack`: the client is asked for an answer.
    Question,
    /// The answer of a handler, and the end of a stream.
    Reply,
    /// An item of a stream that a handler returned.
    Item,
    /// An error.
    Exception,
}

impl<'a> EmitContext<'a> {
    pub(super) fn new(
        namespace: &'a str,
        message: Outgoing<'a>,
        client: Option<&'a Client>,
        receivers: usize,
    ) -> Self {
        Self {
            namespace,
            message,
            client,
            receivers,
        }
    }

    /// The namespace to whose clients it went: its path, and the pattern for
    /// what went to all paths of a pattern.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        self.namespace
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> EmitKind {
        match self.message {
            Outgoing::Event { .. } => EmitKind::Event,
            Outgoing::Question { .. } => EmitKind::Question,
            Outgoing::Item { .. } => EmitKind::Item,
            Outgoing::Exception { .. } => EmitKind::Exception,
            Outgoing::Reply { .. }
            | Outgoing::Answer { .. }
            | Outgoing::Response { .. }
            | Outgoing::Done { .. } => EmitKind::Reply,
        }
    }

    /// The event; of a reply that of its request, or its own.
    #[must_use]
    pub fn event(&self) -> &'a str {
        match self.message {
            Outgoing::Event { event, .. }
            | Outgoing::Question { event, .. }
            | Outgoing::Reply { event, .. }
            | Outgoing::Answer { event, .. }
            | Outgoing::Response { event, .. }
            | Outgoing::Item { event, .. }
            | Outgoing::Done { event, .. } => event,
            Outgoing::Exception { .. } => "exception",
        }
    }

    /// The arguments; empty where there is no data.
    #[must_use]
    pub fn arguments(&self) -> &'a [Payload] {
        match self.message {
            Outgoing::Event { arguments, .. }
            | Outgoing::Question { arguments, .. }
            | Outgoing::Answer { arguments, .. } => arguments.as_slice(),
            Outgoing::Reply { data, .. }
            | Outgoing::Response { data, .. }
            | Outgoing::Item { data, .. } => data.map_or(&[], std::slice::from_ref),
            Outgoing::Exception { data, .. } => std::slice::from_ref(data),
            Outgoing::Done { .. } => &[],
        }
    }

    /// The first argument; empty where there is no data.
    #[must_use]
    pub fn data(&self) -> Payload {
        self.arguments().first().cloned().unwrap_or_default()
    }

    /// The client, of a message to one; `None` for one to a room or to all.
    #[must_use]
    pub fn client(&self) -> Option<&'a Client> {
        self.client
    }

    /// For how many clients of this node it was queued; at least one.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.receivers
    }

    /// Tells the observers. A panic of one of them costs nobody else anything.
    pub(super) fn tell(&self, observers: &[Observer]) {
        if OBSERVING.replace(true) {
            return;
        }
        for observer in observers {
            let told = std::panic::catch_unwind(AssertUnwindSafe(|| observer(self)));
            if let Err(panic) = told {
                tracing::error!(panic = panic_text(&*panic), "on_emit panicked");
            }
        }
        OBSERVING.set(false);
    }
}
