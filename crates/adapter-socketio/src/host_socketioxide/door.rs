//! The way into a namespace: guards before CONNECT is answered, then the client's task.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use nest_gateway_core::adapter::{Admission, Host, Refusal};
use nest_gateway_core::handshake::{Handshake, PeerAddr};
use socketioxide::SocketIo;
use socketioxide::adapter::Adapter;
use socketioxide::extract::SocketRef;
use socketioxide::handler::{ConnectHandler, Value};
use socketioxide::socket::Socket;

use super::NAME;
use super::arguments;
use super::occupancy::{Occupancy, Place};
use super::seat::{ByGateway, QueueLimits, Registered, Seat};
use super::task::Task;
use crate::parser::Parser;

/// What the clients of one `SocketIo` share.
pub(super) struct Shared<A: Adapter> {
    pub(super) host: Arc<Host>,
    pub(super) io: SocketIo<A>,
    pub(super) codec: Arc<Parser>,
    pub(super) queue: QueueLimits,
    pub(super) close_at_shutdown: bool,
    pub(super) occupancy: Arc<Occupancy>,
}

impl<A: Adapter> Shared<A> {
    /// Deletes namespaces that were made from a pattern and are empty for long.
    pub(super) fn clear_away(&self) {
        for path in self.occupancy.outdated() {
            self.io.delete_ns(&*path);
        }
    }

    /// The sockets that the connection of this one has in other namespaces, those of the
    /// application's own handlers included: all have the id of the connection.
    pub(super) fn others(&self, socket: &Socket<A>) -> Vec<SocketRef<A>> {
        let namespaces = self.io.nsps().into_iter();
        namespaces
            .filter(|namespace| namespace.ns_path() != socket.ns())
            .filter_map(|namespace| namespace.get_socket(socket.id))
            .collect()
    }

    /// Whether socketioxide knows the socket. It does not when the namespace, made from a
    /// pattern, was deleted while the client was on its way into it.
    fn knows(&self, socket: &Socket<A>) -> bool {
        let namespace = self.io.of(socket.ns());
        namespace.is_some_and(|namespace| namespace.get_socket(socket.id).is_some())
    }
}

/// The handler of one namespace, or of those of one pattern.
pub(super) struct Door<A: Adapter> {
    shared: Arc<Shared<A>>,
    is_pattern: bool,
}

impl<A: Adapter> Clone for Door<A> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            is_pattern: self.is_pattern,
        }
    }
}

/// As socketioxide wants it: its text is all that a refused client is told.
type Refused = Box<dyn Display + Send>;

impl<A: Adapter> Door<A> {
    pub(super) fn new(shared: Arc<Shared<A>>, is_pattern: bool) -> Self {
        Self { shared, is_pattern }
    }

    #[expect(clippy::ref_option, reason = "as socketioxide hands it over")]
    async fn admit(
        &self,
        socket: &Arc<Socket<A>>,
        auth: &Option<Value>,
    ) -> Result<(Admission, Place), Refused> {
        let Shared {
            host, occupancy, ..
        } = &*self.shared;
        let path = self.is_pattern.then(|| socket.ns().into());
        let max = host.config().max_namespaces_per_connection;
        let place = occupancy
            .enter(socket.id, path, max)
            .ok_or_else(|| refused("Too many namespaces"))?;
        let found = host
            .find(socket.ns(), NAME)
            .ok_or_else(|| refused("Invalid namespace"))?;
        let auth = arguments::auth(socket, auth).map_err(|error| refused(error.to_string()))?;
        let handshake = handshake(socket).with_auth(auth);
        let admitted = host.admit(found, handshake, NAME, false);
        let timeout = self.shared.io.config().connect_timeout;
        match tokio::time::timeout(timeout, admitted).await {
            Ok(Ok(admission)) => Ok((admission, place)),
            Ok(Err(refusal)) => Err(refused(message(&refusal))),
            Err(_) => Err(refused("timeout")),
        }
    }
}

impl<A: Adapter> ConnectHandler<A, ByGateway> for Door<A> {
    /// Called when the CONNECT was answered, before anything else of the client is looked at.
    fn call(&self, socket: Arc<Socket<A>>, _: Option<Value>) {
        let seat = socket.extensions.remove::<Arc<Seat>>();
        let Some((seat, (admission, place))) =
            seat.and_then(|seat| Some((Arc::clone(&seat), seat.take_admission()?)))
        else {
            return;
        };
        if self.is_pattern && !self.shared.knows(&socket) {
            // It is told to leave, which it can do something about; silence it could not.
            if socket.disconnect().is_err() {
                tracing::debug!("a client of a deleted namespace could not be told");
            }
            return;
        }
        let task = Task::new(Arc::clone(&self.shared), socket, seat);
        // As a task of the host, so that a shutdown waits for it.
        self.shared.host.spawn(task.run(admission, place));
    }

    fn call_middleware<'a>(
        &'a self,
        socket: Arc<Socket<A>>,
        auth: &'a Option<Value>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Refused>> + Send + 'a>> {
        Box::pin(async move {
            let admitted = self.admit(&socket, auth).await;
            self.shared.clear_away();
            let (admission, place) = admitted?;
            let seat = Seat::new(self.shared.queue, admission, place);
            // Before the CONNECT is answered: the client's first event may come right behind
            // the answer, on another thread.
            socket.on_fallback(Registered(Arc::clone(&seat)));
            socket.on_disconnect(Registered(Arc::clone(&seat)));
            socket.extensions.insert(seat);
            Ok(())
        })
    }
}

fn refused(message: impl Into<String>) -> Refused {
    Box::new(message.into())
}

/// The text for the client. socketioxide sends a text and nothing else, so code and
/// details of an exception stay here.
fn message(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Guard(exception) if exception.message().is_empty() => {
            nest_gateway_core::error::FORBIDDEN_MESSAGE.to_owned()
        }
        other => other.message().to_owned(),
    }
}

/// The request that opened the connection. Behind axum, the peer's address is known when
/// the router is served with `into_make_service_with_connect_info::<SocketAddr>()`.
fn handshake<A: Adapter>(socket: &Socket<A>) -> Handshake {
    let head = socket.req_parts();
    match head.extensions.get::<ConnectInfo<SocketAddr>>() {
        Some(info) if head.extensions.get::<PeerAddr>().is_none() => {
            let mut head = head.clone();
            head.extensions.insert(PeerAddr(info.0));
            Handshake::from_http(&head)
        }
        _ => Handshake::from_http(head),
    }
}
