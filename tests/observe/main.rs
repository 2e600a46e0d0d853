//! What those see who watch an application: its metrics and its traces.

#[cfg(feature = "metrics")]
mod metrics;
mod traces;

use nest_gateway::{RawBody, WsException, module, subscriptions, websocket_gateway};

#[websocket_gateway(namespace = "/observed")]
struct ObservedGateway {}

#[subscriptions]
impl ObservedGateway {
    #[subscribe_message("echo")]
    async fn echo(&self, body: RawBody) -> RawBody {
        body
    }

    #[subscribe_message("fail")]
    async fn fail(&self) -> Result<(), WsException> {
        Err(WsException::new("no"))
    }
}

#[module(providers(ObservedGateway))]
struct ObservedModule;
