//! What can be observed from outside: counters, log events, spans. All stable
//! names stand in this file.
//!
//! Names that clients choose (unknown events, rooms) are never metric labels.

mod tally;

use std::any::Any;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::adapter::Refusal;
use crate::close::DisconnectReason;
use crate::dispatch::ExecutionContext;
use crate::error::WsException;
use crate::id::ClientId;
use crate::recovery::Lost;
use crate::session::Client;

use self::tally::Tally;

/// How the handling of a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler answered.
    Handled,
    /// It, or something in front of it, answered with an error meant for the
    /// client.
    Failed,
    /// It failed with an error that is none of the client's business.
    Internal,
    /// A guard said no.
    Denied,
    /// The body did not fit.
    BadBody,
    /// Nobody subscribed to the event.
    Unknown,
    /// The message could not be decoded.
    Malformed,
    /// The client sent more messages than allowed.
    RateLimited,
}

impl Outcome {
    pub(crate) fn of(exception: &WsException) -> Self {
        match exception.code() {
            Some("internal") => Self::Internal,
            Some("forbidden") => Self::Denied,
            Some("bad_request") => Self::BadBody,
            _ => Self::Failed,
        }
    }

    /// The name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Failed => "failed",
            Self::Internal => "internal",
            Self::Denied => "denied",
            Self::BadBody => "bad_body",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
            Self::RateLimited => "rate_limited",
        }
    }
}

/// Counters of an application since its start, readable at any time and
/// injectable into providers.
#[derive(Debug, Default)]
pub struct Stats {
    clients: AtomicUsize,
    running_handlers: AtomicUsize,
    streams: AtomicUsize,
    connections: AtomicU64,
    refused: AtomicU64,
    tally: Tally,
    dropped: AtomicU64,
    slow_consumers: AtomicU64,
    away: AtomicUsize,
    recovered: AtomicU64,
    not_recovered: AtomicU64,
    recovery_bytes: AtomicUsize,
    inbox_overflows: AtomicU64,
    crowd_overflows: AtomicU64,
    failed: AtomicU64,
}

macro_rules! readings {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $field:ident;)*) => {
        impl Stats {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $type {
                self.$field.load(Ordering::Relaxed)
            }
        )*}
    };
}
readings! {
    /// Clients that are connected now, over all adapters and namespaces.
    clients: usize = clients;
    /// Handlers that are running now.
    running_handlers: usize = running_handlers;
    /// Streams that are running now.
    streams: usize = streams;
    /// Clients that connected since the start.
    connections: u64 = connections;
    /// Clients that were refused.
    refusals: u64 = refused;
    /// Messages dropped because a client read too slowly.
    messages_dropped: u64 = dropped;
    /// Clients closed because they read too slowly.
    slow_consumers: u64 = slow_consumers;
    /// Clients that lost their connection and may come back to their session.
    clients_away: usize = away;
    /// Clients that came back to their session.
    recoveries: u64 = recovered;
    /// Clients that wanted to come back and had to begin anew.
    failed_recoveries: u64 = not_recovered;
    /// What is kept for clients that may come back, in bytes.
    recovery_bytes: usize = recovery_bytes;
    /// Clients closed because they sent more than may wait, on a transport that
    /// cannot slow them down.
    inbox_overflows: u64 = inbox_overflows;
    /// Messages to large rooms that did not wait to be brought to their members,
    /// since too much waited already (`crowd_messages`, `crowd_bytes`): whoever
    /// emitted them queued them for each member.
    crowd_overflows: u64 = crowd_overflows;
    /// Messages that were answered with an exception.
    exceptions: u64 = failed;
}

impl Stats {
    /// Messages received.
    #[must_use]
    pub fn messages_received(&self) -> u64 {
        self.tally.sum(|counts| &counts.received)
    }

    /// Their size in bytes, without framing.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.tally.sum(|counts| &counts.received_bytes)
    }

    /// Messages queued towards clients.
    #[must_use]
    pub fn messages_sent(&self) -> u64 {
        self.tally.sum(|counts| &counts.sent)
    }

    /// Their size in bytes, with framing.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.tally.sum(|counts| &counts.sent_bytes)
    }

    pub(crate) fn connected(&self, client: &Client) {
        self.clients.fetch_add(1, Ordering::Relaxed);
        self.connections.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(
            client = %client.id(),
            adapter = client.adapter(),
            namespace = client.path(),
            "connected"
        );
        #[cfg(feature = "metrics")]
        {
            metrics::counter!(names::CONNECTIONS, "adapter" => client.adapter()).increment(1);
            metrics::gauge!(names::CLIENTS, "adapter" => client.adapter()).increment(1.0);
        }
    }

    pub(crate) fn disconnected(&self, client: &Client, reason: &DisconnectReason) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
        tracing::debug!(client = %client.id(), %reason, "disconnected");
        #[cfg(feature = "metrics")]
        metrics::gauge!(names::CLIENTS, "adapter" => client.adapter()).decrement(1.0);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(
            status = refusal.status(),
            reason = refusal.message(),
            "refused"
        );
        #[cfg(feature = "metrics")]
        metrics::counter!(names::REFUSALS, "status" => refusal.status().to_string()).increment(1);
    }

    pub(crate) fn received(&self, size: usize) {
        self.tally.received(size);
    }

    /// So many messages, of so many bytes together.
    pub(crate) fn sent(&self, messages: usize, bytes: usize) {
        self.tally.sent(messages, bytes);
    }

    /// `first` for the first messages that a drop policy took from the client.
    pub(crate) fn dropped(&self, client: ClientId, messages: u64, first: bool) {
        self.dropped.fetch_add(messages, Ordering::Relaxed);
        if first {
            tracing::warn!(%client, messages, "dropping: the client reads too slowly");
        } else {
            tracing::debug!(%client, messages, "dropped");
        }
        #[cfg(feature = "metrics")]
        metrics::counter!(names::DROPPED).increment(messages);
    }

    pub(crate) fn too_slow(&self, client: ClientId) {
        self.slow_consumers.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%client, "closing: the client reads too slowly");
        #[cfg(feature = "metrics")]
        metrics::counter!(names::SLOW_CONSUMERS).increment(1);
    }

    /// A client is away and may come back.
    pub(crate) fn away(&self) {
        self.away.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::gauge!(names::CLIENTS_AWAY).increment(1.0);
    }

    /// It came back, or it will not any more.
    pub(crate) fn no_longer_away(&self) {
        self.away.fetch_sub(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::gauge!(names::CLIENTS_AWAY).decrement(1.0);
    }

    pub(crate) fn recovered(&self, client: ClientId) {
        self.recovered.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%client, "recovered");
        #[cfg(feature = "metrics")]
        metrics::counter!(names::RECOVERIES, "outcome" => "recovered").increment(1);
    }

    pub(crate) fn not_recovered(&self, lost: Lost) {
        self.not_recovered.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(reason = lost.as_str(), "not recovered");
        #[cfg(feature = "metrics")]
        metrics::counter!(names::RECOVERIES, "outcome" => lost.as_str()).increment(1);
    }

    /// So many bytes more are kept for clients that may come back.
    pub(crate) fn kept(&self, bytes: usize) {
        self.recovery_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes less.
    pub(crate) fn no_longer_kept(&self, bytes: usize) {
        self.recovery_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// An adapter without backpressure closes a client that sent more than may
    /// wait.
    pub fn inbox_overflowed(&self) {
        self.inbox_overflows.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::counter!(names::INBOX_OVERFLOWS).increment(1);
    }

    /// A message to a large room finds too many waiting.
    pub(crate) fn crowd_was_full(&self) {
        self.crowd_overflows.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::counter!(names::CROWD_OVERFLOWS).increment(1);
    }

    /// `event` is a registered one, or empty.
    pub(crate) fn handled(&self, event: &str, outcome: Outcome) {
        if outcome != Outcome::Handled {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        #[cfg(feature = "metrics")]
        metrics::counter!(
            names::MESSAGES,
            "event" => event.to_owned(),
            "outcome" => outcome.as_str()
        )
        .increment(1);
        #[cfg(not(feature = "metrics"))]
        let _ = event;
    }

    pub(crate) fn handler_started(&self) -> RunningGuard<'_> {
        RunningGuard::new(
            &self.running_handlers,
            #[cfg(feature = "metrics")]
            names::RUNNING_HANDLERS,
        )
    }

    pub(crate) fn stream_started(&self) -> RunningGuard<'_> {
        RunningGuard::new(
            &self.streams,
            #[cfg(feature = "metrics")]
            names::STREAMS,
        )
    }
}

/// The span of a client's life: its hooks, handlers and what they log.
pub(crate) fn connection_span(client: &Client) -> tracing::Span {
    tracing::debug_span!(
        "ws.connection",
        client = %client.id(),
        adapter = client.adapter(),
        namespace = client.path(),
    )
}

/// The span of one message on its way through the pipeline.
pub(crate) fn message_span(context: &ExecutionContext) -> tracing::Span {
    tracing::debug_span!(
        "ws.message",
        event = context.event(),
        gateway = context.gateway(),
        handler = context.handler(),
        outcome = tracing::field::Empty,
    )
}

/// Counts something for as long as it lives.
pub(crate) struct RunningGuard<'a> {
    counter: &'a AtomicUsize,
    #[cfg(feature = "metrics")]
    gauge: &'static str,
}

impl<'a> RunningGuard<'a> {
    fn new(counter: &'a AtomicUsize, #[cfg(feature = "metrics")] gauge: &'static str) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::gauge!(gauge).increment(1.0);
        Self {
            counter,
            #[cfg(feature = "metrics")]
            gauge,
        }
    }
}

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::gauge!(self.gauge).decrement(1.0);
    }
}

/// The text of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

/// Names of metrics.
#[cfg(feature = "metrics")]
pub mod names {
    /// Clients that are connected now; label `adapter`.
    pub const CLIENTS: &str = "nest_gateway_clients";
    /// Clients that connected; label `adapter`.
    pub const CONNECTIONS: &str = "nest_gateway_connections_total";
    /// Clients that were refused; label `status`.
    pub const REFUSALS: &str = "nest_gateway_refusals_total";
    /// Messages handled; labels `event` (registered ones only) and `outcome`.
    pub const MESSAGES: &str = "nest_gateway_messages_total";
    /// Messages dropped because a client read too slowly.
    pub const DROPPED: &str = "nest_gateway_dropped_total";
    /// Clients closed because they read too slowly.
    pub const SLOW_CONSUMERS: &str = "nest_gateway_slow_consumers_total";
    /// Clients that lost their connection and may come back.
    pub const CLIENTS_AWAY: &str = "nest_gateway_clients_away";
    /// Clients that wanted to come back; label `outcome`: `recovered`, or why they had to begin
    /// anew: `gap` (they missed more than is kept), `unknown` (nobody is known by their key, or
    /// too late).
    pub const RECOVERIES: &str = "nest_gateway_recoveries_total";
    /// Bytes that are kept for clients that may come back, sampled every five seconds.
    pub const RECOVERY_BYTES: &str = "nest_gateway_recovery_bytes";
    /// Clients closed because they sent more than may wait (socketioxide only;
    /// other transports slow them down).
    pub const INBOX_OVERFLOWS: &str = "nest_gateway_inbox_overflows_total";
    /// Messages to large rooms that were queued for each member by whoever emitted
    /// them, since too many waited to be brought.
    pub const CROWD_OVERFLOWS: &str = "nest_gateway_crowd_overflows_total";
    /// Bytes queued towards clients, sampled every five seconds.
    pub const QUEUED_BYTES: &str = "nest_gateway_queued_bytes";
    /// Handlers that are running.
    pub const RUNNING_HANDLERS: &str = "nest_gateway_running_handlers";
    /// Streams that are running.
    pub const STREAMS: &str = "nest_gateway_streams";
}
