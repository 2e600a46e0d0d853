//! A `SocketIo` with an adapter of its own, as those for several nodes are: it comes up
//! some time after it was asked to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nest_gateway_adapter_socketio::SocketIoxide;
use nest_gateway_testkit::assert_reply;
use socketioxide::SocketIo;
use socketioxide::adapter::Emitter;
use socketioxide_core::adapter::{
    BroadcastOptions, CoreAdapter, CoreLocalAdapter, DefinedAdapter, SocketEmitter, Spawnable,
};
use socketioxide_core::packet::Packet;

use crate::app::serve_on;

struct Far(CoreLocalAdapter<Emitter>);

struct Starting(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Spawnable for Starting {
    fn spawn(self) {
        tokio::spawn(self.0);
    }
}

impl DefinedAdapter for Far {}

impl CoreAdapter<Emitter> for Far {
    type Error = Infallible;
    type State = ();
    type AckStream = <Emitter as SocketEmitter>::AckStream;
    type InitRes = Starting;

    fn new((): &(), local: CoreLocalAdapter<Emitter>) -> Self {
        Self(local)
    }

    fn init(self: Arc<Self>, on_success: impl FnOnce() + Send + 'static) -> Starting {
        Starting(Box::pin(async move {
            tokio::task::yield_now().await;
            on_success();
        }))
    }

    async fn broadcast_with_ack(
        &self,
        packet: Packet,
        options: BroadcastOptions,
        timeout: Option<Duration>,
    ) -> Result<Self::AckStream, Infallible> {
        Ok(self.0.broadcast_with_ack(packet, options, timeout).0)
    }

    fn get_local(&self) -> &CoreLocalAdapter<Emitter> {
        &self.0
    }
}

#[tokio::test]
async fn a_socket_io_with_an_adapter_of_its_own_serves_gateways() {
    let (layer, io) = SocketIo::builder().with_adapter::<Far>(()).build_layer();
    let app = serve_on(layer, SocketIoxide::new(io.clone()), |_| {}).await;
    while io.of("/chat").is_none() {
        tokio::task::yield_now().await;
    }
    let mut client = app.client("/chat").connect().await;
    assert_reply!(client, "echo", "far" => "far");
    let mut client = app.client("/room/7").connect().await;
    assert_reply!(client, "where" => "7");
}
