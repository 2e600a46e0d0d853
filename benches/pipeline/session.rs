//! A session without a wire.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use nest_gateway_core::adapter::{
    Adapter, Capabilities, Codec, Format, Gone, Host, Mount, Outlet, Sent,
};
use nest_gateway_core::gateway::{GatewayDescriptor, ModuleDescriptor, Provider};
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::message::{Delivery, Encoded, Incoming, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::runtime::{RuntimeBuilder, Started};
use nest_gateway_core::session::Session;

use crate::gateways::Bench;

const NAME: &str = "bench";

/// Sends messages through the session of one client.
pub(crate) struct Driver {
    session: Session,
    _started: Started,
}

impl Driver {
    pub(crate) async fn new(gateway: GatewayDescriptor) -> Self {
        let host = Arc::new(OnceLock::new());
        let module =
            ModuleDescriptor::new("BenchModule").gateway_provider(Provider::value(Bench), gateway);
        let started = RuntimeBuilder::from_module(module)
            .adapter(NoWire(Arc::clone(&host)))
            .start()
            .await
            .expect("the gateway is well declared");
        let host = host.get().expect("the adapter was mounted");
        let found = host.find("/", NAME).expect("the namespace exists");
        let admission = host
            .admit(found, Handshake::bare(None), NAME, false)
            .await
            .expect("nobody guards the connection");
        Self {
            session: Session::open(NAME, admission, Arc::new(Nowhere)),
            _started: started,
        }
    }

    /// Handles so many messages, one after the other.
    pub(crate) fn run(&mut self, messages: u32) {
        let mut context = Context::from_waker(Waker::noop());
        let body = Bytes::from_static(br#"{"text":"hello"}"#);
        for _ in 0..messages {
            self.session.receive(Incoming {
                event: "echo",
                arguments: Payload::from_json(body.clone()).into(),
                request: None,
                size: body.len(),
            });
            assert!(
                self.session.poll(&mut context).is_pending(),
                "the session stays open"
            );
        }
    }
}

/// Hands its host out.
struct NoWire(Arc<OnceLock<Arc<Host>>>);

impl Adapter for NoWire {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::events_only()
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        self.0.get_or_init(|| host);
        Ok(Mount::default())
    }
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Outlet for Nowhere {
    fn codec(&self) -> &dyn Codec {
        self
    }

    fn send(&self, message: Bytes, _: Delivery) -> Sent {
        drop(message);
        Sent::Queued
    }

    fn poll_room(&self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn queued_bytes(&self) -> usize {
        0
    }
}

impl Codec for Nowhere {
    fn format(&self) -> Format {
        Format("bench")
    }

    fn encode(&self, _: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        match message {
            Outgoing::Reply {
                data: Some(data), ..
            } => data.to_json().map(Some),
            _ => Ok(None),
        }
    }
}
