//! The seam between core and a transport.
//!
//! An [`Adapter`] owns a wire. It turns bytes into [`Incoming`](crate::message::Incoming)
//! messages for a [`Session`](crate::session::Session) and [`Outgoing`](crate::message::Outgoing)
//! ones into bytes through its [`Codec`]. It knows nothing of gateways, guards, rooms or
//! dependency injection; core knows nothing of frames, packets or sockets.
//!
//! # The life of an adapter
//!
//! 1. At start-up, after every `after_init`, [`Adapter::mount`] is called once for
//!    each port, with the [`Host`] that it serves. It returns a [`Mount`]: an HTTP endpoint,
//!    background tasks, or both. No socket is open yet.
//! 2. For each request the application's HTTP server asks the mounts, in the order in which the
//!    adapters were chosen, whether they claim it; the first that does answers it.
//! 3. To admit a client, an adapter calls [`Host::find`] (which namespace is meant?) and
//!    [`Host::admit`] (host, origin, limits, connection guards), and answers a [`Refusal`] in its own way.
//! 4. With the [`Admission`] and an [`Outlet`] it opens a [`Session`](crate::session::Session) and
//!    drives it from one task: bytes in, session polled, until either side ends it.
//! 5. At shutdown [`Host::shutdown`] fires: sessions end with
//!    [`CloseReason::ShuttingDown`](crate::close::CloseReason::ShuttingDown) by themselves, new
//!    clients are refused, and each task returns when its session has finished.

mod admission;
mod burst;
mod capabilities;
mod codec;
mod group;
mod host;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use bytes::Bytes;

pub use self::admission::{Admission, Refusal};
pub use self::burst::Burst;
pub use self::capabilities::Capabilities;
pub use self::codec::{Codec, Format, ItemEncoder};
pub use self::group::Group;
pub use self::host::{Found, Host};

pub(crate) use self::admission::PathParams;
pub(crate) use self::host::{Place, Places};

use crate::message::Delivery;

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A transport that serves gateways. See the [module](self) for its life.
pub trait Adapter: Send + Sync + 'static {
    /// A short, stable name: `native`, `socketio`. Logs, metrics and
    /// `#[websocket_gateway(adapter = ..)]` use it.
    fn name(&self) -> &'static str;

    /// What the transport can do. The conformance suite runs what is declared.
    fn capabilities(&self) -> Capabilities;

    /// Called once for each port, at start-up, before any socket is bound.
    ///
    /// # Errors
    /// A sentence about a wrong option; it stops the start-up.
    fn mount(&self, host: Arc<Host>) -> Result<Mount, String>;
}

/// What an adapter adds to one port.
#[derive(Default)]
pub struct Mount {
    /// Answers HTTP requests, upgrades included.
    pub endpoint: Option<Arc<dyn Endpoint>>,
    /// Tasks that live as long as the application, for instance the accept
    /// loop of a protocol without HTTP. They return when [`Host::shutdown`]
    /// fires and their clients are gone.
    pub tasks: Vec<BoxFuture<'static, ()>>,
}

/// The HTTP face of an adapter.
pub trait Endpoint: Send + Sync {
    /// Whether the request is this adapter's. Called for every request, so it
    /// only looks at the head.
    fn claims(&self, head: &http::request::Parts) -> bool;

    /// Answers a claimed request. An upgrade hands the connection to a task of
    /// the adapter's own and returns at once.
    fn call(&self, request: http::Request<Body>) -> BoxFuture<'_, http::Response<Body>>;

    /// Whether a request that nobody else answered (404) deserves a word from
    /// this adapter: the native one says 426 at its namespaces' paths.
    fn fallback(&self, head: &http::request::Parts) -> Option<http::Response<Body>> {
        let _ = head;
        None
    }
}

/// The way out to one client in one namespace: a bounded queue in front of
/// its wire.
///
/// Called from any task, also under locks of core, so no method may block,
/// call back into core or run user code.
pub trait Outlet: Any + Send + Sync {
    /// The codec of this client's wire.
    fn codec(&self) -> &dyn Codec;

    /// Queues one encoded message. Never waits: a full queue is answered
    /// according to the slow-consumer policy of the configuration.
    fn send(&self, message: Bytes, delivery: Delivery) -> Sent;

    /// Queues one encoded message that no other client gets, as
    /// [`Outlet::send`] does; the bytes are what [`Codec::encode_into`] wrote.
    /// An outlet that can copy them into memory that it has anyway does so.
    /// Default: a copy with memory of its own.
    fn send_own(&self, message: &[u8], delivery: Delivery) -> Sent {
        self.send(Bytes::copy_from_slice(message), delivery)
    }

    /// Queues `count` messages that no other client gets, which stand one behind
    /// the other in `messages` as an [`ItemEncoder`] wrote them, all with
    /// [`Delivery::RELIABLE`]. `true` when all of them are queued; otherwise none
    /// is, and core gives them to [`Outlet::send_own`] one by one, which says
    /// what becomes of each. Default: never takes them together.
    fn send_run(&self, messages: &[u8], count: usize) -> bool {
        let _ = (messages, count);
        false
    }

    /// Queues messages that other clients get too, one right behind the other.
    /// `true` when all of them are queued; otherwise none is, and core gives them
    /// to [`Outlet::send`] one by one, which says what becomes of each. Default:
    /// never takes them together.
    fn send_burst(&self, burst: Burst<'_>) -> bool {
        let _ = burst;
        false
    }

    /// [`Outlet::send_burst`] for a few clients, of which this outlet is one: the
    /// burst of the group is queued for each of them, or written, where it says so
    /// and nothing stands before it. An adapter that knows all of the outlets can
    /// look at what belongs to them first, so that the processor fetches it side by
    /// side, where one call after the other would wait for the memory of one client
    /// after the other. Default: one call after the other.
    fn send_to_group(&self, group: &mut Group<'_>) {
        group.send_to_each();
    }

    /// Ready when the queue has room for a producer that can wait (streams):
    /// below half of its bounds. An error means that the client is gone.
    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>>;

    /// Bytes that wait in the queue.
    fn queued_bytes(&self) -> usize;
}

/// What became of a message that was given to an [`Outlet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is queued.
    Queued,
    /// It is queued, and the queue was full: the policy dropped this many older
    /// messages for it. The client gets a `gap` notice.
    Displaced(u64),
    /// The queue is full and the policy dropped this message. The client gets a
    /// `gap` notice, unless the message was volatile.
    Dropped,
    /// The queue is full and the policy is to close the client.
    Overflow,
    /// The client is gone.
    Gone,
}

/// The client is gone; nothing more reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub struct Gone;
