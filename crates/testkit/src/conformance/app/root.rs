//! The gateway of namespace `/`.

use std::sync::Arc;

use nest_gateway_core::adapter::BoxFuture;
use nest_gateway_core::broadcast::WebSocketServer;
use nest_gateway_core::close::DisconnectReason;
use nest_gateway_core::dispatch::{Enhancer, Enhancers, ExecutionContext, HandlerResult};
use nest_gateway_core::error::BoxError;
use nest_gateway_core::gateway::{
    GatewayBuilder, GatewayDescriptor, Message, OnGatewayDisconnect, OnGatewayInit,
};
use nest_gateway_core::session::Client;

use super::super::backstage::Backstage;
use super::super::enhancers::{Catch, ClassError, ClassGuard, Named};
use super::rooms::rooms;
use super::{Result, With, filter, interceptor, pipe};

/// The root gateway.
#[derive(Clone, Copy)]
pub(super) struct Root;

pub(super) type RootGateway = With<Root>;

impl Root {
    pub(super) fn describe(backstage: &Arc<Backstage>) -> GatewayDescriptor {
        let enhancers = Enhancers::new()
            .guard(Enhancer::<dyn nest_gateway_core::dispatch::DynGuard>::of::<
                ClassGuard,
            >())
            .interceptor(interceptor(Named::new(backstage, "class")))
            .pipe(pipe(Named::new(backstage, "class")))
            .filter(filter(Catch::<ClassError>::new(backstage, "class")));
        let builder = GatewayBuilder::<RootGateway>::new("/")
            .enhancers(enhancers)
            .after_init()
            .on_disconnect();
        let builder = Self::replies(builder);
        let builder = Self::failures(builder);
        let builder = Self::pipeline(builder, backstage);
        let builder = Self::filters(builder, backstage);
        let builder = Self::streams(builder);
        let builder = Self::asides(builder);
        let builder = Self::flow(builder, backstage);
        let builder = Self::rooms(builder);
        Self::questions(builder).build()
    }
}

impl OnGatewayInit for RootGateway {
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        // The start-up has to wait for this, however long it takes.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if self.backstage.has_flag("fail after_init") {
            return Err("after_init says no".into());
        }
        self.log(format!("init {}", server.namespace()));
        Ok(())
    }
}

impl OnGatewayDisconnect for RootGateway {
    async fn on_disconnect(&self, client: &Client, reason: &DisconnectReason) {
        self.log(format!(
            "disconnect {} {reason} rooms={} state={} by={:?}",
            client.id(),
            rooms(client).join(","),
            client.state::<i64>().get(),
            reason.initiator,
        ));
    }
}

/// What a handler of the root gateway comes to.
pub(in super::super) type Handled<'a> = BoxFuture<'a, HandlerResult<'a>>;

/// A handler that is a function of gateway and context, as the macros of the
/// project write it.
pub(in super::super) fn message<F>(event: &'static str, function: F) -> Message<RootGateway>
where
    F: for<'a> Fn(&'a Arc<RootGateway>, &'a ExecutionContext) -> Handled<'a>
        + Send
        + Sync
        + 'static,
{
    Message::event(event, "handler", function)
}
