//! The one application that every property runs against.
//!
//! It is written with the builder and not with the macros, so that an adapter
//! can be tested with core alone.

mod flow;
mod others;
mod paths;
mod pipeline;
mod replies;
mod rooms;
mod root;

use std::sync::Arc;

use futures_util::StreamExt as _;
use nest_gateway_core::dispatch::{Emission, Enhancer, Enhancers, Reply};
use nest_gateway_core::error::{BoxError, WsException};
use nest_gateway_core::gateway::{GatewayDescriptor, ModuleDescriptor, Provider};
use nest_gateway_core::payload::Payload;
use serde_json::Value;

use self::root::Root;
use super::backstage::{Backstage, LogOnDrop};
use super::enhancers::{ClassGuard, GlobalGuard, Named};

/// The module of the application.
pub(super) fn module(backstage: &Arc<Backstage>) -> ModuleDescriptor {
    let module = ModuleDescriptor::new("Conformance")
        .provide(Provider::arc(Arc::clone(backstage)))
        .provide(Provider::factory_with(
            |backstage: Arc<Backstage>| async move {
                backstage.count_construction("global guard");
                Ok::<_, BoxError>(GlobalGuard(Named::new(&backstage, "global")))
            },
        ))
        .provide(Provider::factory_with(
            |backstage: Arc<Backstage>| async move {
                backstage.count_construction("class guard");
                Ok::<_, BoxError>(ClassGuard(Named::new(&backstage, "class")))
            },
        ));
    let module = gateway(module, Root, Root::describe(backstage));
    others::add(module, backstage)
}

/// A gateway without state of its own: each is given the back stage.
struct With<G> {
    backstage: Arc<Backstage>,
    #[expect(dead_code, reason = "it only names the type")]
    kind: G,
}

fn gateway<G: Copy + Send + Sync + 'static>(
    module: ModuleDescriptor,
    kind: G,
    descriptor: GatewayDescriptor,
) -> ModuleDescriptor {
    let provider = Provider::factory_with(move |backstage: Arc<Backstage>| async move {
        Ok::<_, BoxError>(With { backstage, kind })
    });
    module.gateway_provider(provider, descriptor)
}

impl<G> With<G> {
    fn log(&self, line: impl Into<String>) {
        self.backstage.log().write(line);
    }

    async fn pass(&self, gate: &str) {
        self.backstage.gates().pass(gate).await;
    }

    fn on_drop(&self, line: &'static str) -> LogOnDrop {
        LogOnDrop(Arc::clone(&self.backstage), line)
    }
}

fn guard(guard: impl nest_gateway_core::dispatch::Guard) -> Enhancers {
    Enhancers::new().guard(Enhancer::<dyn nest_gateway_core::dispatch::DynGuard>::value(guard))
}

fn interceptor(
    interceptor: impl nest_gateway_core::dispatch::Interceptor,
) -> Enhancer<dyn nest_gateway_core::dispatch::DynInterceptor> {
    Enhancer::<dyn nest_gateway_core::dispatch::DynInterceptor>::value(interceptor)
}

fn pipe(
    pipe: impl nest_gateway_core::dispatch::Pipe,
) -> Enhancer<dyn nest_gateway_core::dispatch::DynPipe> {
    Enhancer::<dyn nest_gateway_core::dispatch::DynPipe>::value(pipe)
}

fn filter(
    filter: impl nest_gateway_core::dispatch::ExceptionFilter,
) -> Enhancer<dyn nest_gateway_core::dispatch::DynFilter> {
    Enhancer::<dyn nest_gateway_core::dispatch::DynFilter>::value(filter)
}

type Result<T, E = WsException> = std::result::Result<T, E>;
type Replied = Result<Reply<'static>>;

/// A handler with enhancers or options of its own: a function of gateway and
/// context whose reply borrows nothing.
macro_rules! message {
    ($event:expr, |$gateway:ident, $context:ident| $body:expr) => {
        $crate::conformance::app::root::message($event, |$gateway, $context| {
            let future = async move { $body };
            Box::pin(future) as $crate::conformance::app::root::Handled<'_>
        })
    };
}
use message;

/// The stream 1, 2, 3, under an event of its own if given.
fn three(event: Option<&'static str>) -> Reply<'static> {
    Reply::stream(futures_util::stream::iter([1, 2, 3]).map(move |i| item(event, &i)))
}

fn item<T: serde::Serialize + ?Sized>(event: Option<&'static str>, value: &T) -> Result<Emission> {
    Ok(Emission {
        event: event.map(Into::into),
        data: Payload::from_serialize(value).map_err(WsException::internal)?,
    })
}

/// A body for the log: a text without its quotes, else JSON.
fn text(body: &Payload) -> String {
    match body.decode() {
        Ok(Value::String(text)) => text,
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}
