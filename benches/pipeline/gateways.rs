//! The gateways that are compared.

use std::sync::Arc;

use nest_gateway_core::dispatch::{
    DynGuard, DynInterceptor, Enhancer, Enhancers, ExecutionContext, FromMessage, Guard,
    HandlerResult, Interceptor, IntoReply, Next, RawBody,
};
use nest_gateway_core::error::WsException;
use nest_gateway_core::gateway::{GatewayBuilder, GatewayDescriptor, Message};

/// The gateway of all variants.
pub(crate) struct Bench;

/// A gateway to measure.
#[derive(Clone, Copy)]
pub(crate) enum Variant {
    Bare,
    Extracted,
    Guards(u32),
    Interceptors(u32),
}

/// All variants; the first is the base.
pub(crate) const VARIANTS: [Variant; 6] = [
    Variant::Bare,
    Variant::Extracted,
    Variant::Guards(1),
    Variant::Guards(8),
    Variant::Interceptors(1),
    Variant::Interceptors(8),
];

impl Variant {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Bare => "bare".to_owned(),
            Self::Extracted => "with an extractor and a typed reply".to_owned(),
            Self::Guards(count) => format!("bare and {count} empty guards"),
            Self::Interceptors(count) => format!("bare and {count} empty interceptors"),
        }
    }

    /// How many guards or interceptors stand in front of the handler.
    pub(crate) fn added(self) -> u32 {
        match self {
            Self::Bare | Self::Extracted => 0,
            Self::Guards(count) | Self::Interceptors(count) => count,
        }
    }

    pub(crate) fn gateway(self) -> GatewayDescriptor {
        let message = match self {
            Self::Extracted => extracted(),
            _ => bare(),
        };
        GatewayBuilder::<Bench>::new("/")
            .enhancers(self.enhancers())
            .message(message)
            .build()
    }

    fn enhancers(self) -> Enhancers {
        let none = Enhancers::new();
        match self {
            Self::Bare | Self::Extracted => none,
            Self::Guards(count) => (0..count).fold(none, |all, _| {
                all.guard(Enhancer::<dyn DynGuard>::value(Empty))
            }),
            Self::Interceptors(count) => (0..count).fold(none, |all, _| {
                all.interceptor(Enhancer::<dyn DynInterceptor>::value(Empty))
            }),
        }
    }
}

/// The echo as a plain function of the context.
fn bare() -> Message<Bench> {
    Message::event(
        "echo",
        "echo",
        |_: &Arc<Bench>, context: &ExecutionContext| {
            Box::pin(async move { RawBody(context.data()).into_reply() })
        },
    )
}

/// The echo as the attributes write it.
fn extracted() -> Message<Bench> {
    Message::event(
        "echo",
        "echo",
        |_: &Arc<Bench>, context: &ExecutionContext| {
            Box::pin(async move {
                let body = <RawBody as FromMessage>::from_message(context).await?;
                body.into_reply()
            })
        },
    )
}

/// A guard that says yes, and an interceptor that changes nothing.
struct Empty;

impl Guard for Empty {
    async fn can_activate(&self, _: &ExecutionContext) -> Result<bool, WsException> {
        Ok(true)
    }
}

impl Interceptor for Empty {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        next.run().await
    }
}
