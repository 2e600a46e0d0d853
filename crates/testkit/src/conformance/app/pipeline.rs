//! Handlers behind guards, interceptors, pipes and filters.

use std::sync::Arc;

use nest_gateway_core::dispatch::{
    Enhancer, Enhancers, ExecutionContext, FromMessage as _, Pipe as _, RawBody, Reply,
};
use nest_gateway_core::error::WsException;
use nest_gateway_core::gateway::{GatewayBuilder, Message};
use nest_gateway_core::payload::Payload;

use super::super::backstage::Backstage;
use super::super::enhancers::{
    Catch, ClassError, Deadline, GlobalError, Logged, Loud, Mapped, MethodError, Named, Role, Seen,
    Short, Stubborn, Trick, Verdict, Witness,
};
use super::root::{Root, RootGateway};
use super::{Result, With, filter, guard, interceptor, message, pipe, three};

impl Root {
    pub(super) fn pipeline(
        builder: GatewayBuilder<RootGateway>,
        backstage: &Arc<Backstage>,
    ) -> GatewayBuilder<RootGateway> {
        let named = |name| Named::new(backstage, name);
        let levels = || {
            guard(named("m1"))
                .guard(Enhancer::<dyn nest_gateway_core::dispatch::DynGuard>::value(named("m2")))
                .interceptor(interceptor(named("m1")))
                .interceptor(interceptor(named("m2")))
                .pipe(pipe(named("method")))
        };
        let denied = |event: &'static str, verdict| {
            message!(event, |gateway, _context| {
                gateway.log("handler ran");
                Ok(Reply::None)
            })
            .enhancers(guard(verdict))
        };
        builder
            .message(
                message!("order", |gateway, context| {
                    let body = param_pipe(gateway, context).await?;
                    gateway.log("handler");
                    Ok(Reply::Value(body))
                })
                .enhancers(levels())
                .metadata(Logged),
            )
            .message(
                message!("order_fail", |gateway, context| {
                    param_pipe(gateway, context).await?;
                    gateway.log("handler");
                    Err(WsException::new("x"))
                })
                .enhancers(levels().filter(filter(Catch::<WsException>::new(backstage, "method"))))
                .metadata(Logged),
            )
            .message(denied("g_deny", Verdict::No))
            .message(denied("g_ws", Verdict::Exception))
            .message(denied("g_err", Verdict::Internal))
            .message(denied("g_panic", Verdict::Panic))
            .message(
                message!("g_ctx", |_gateway, context| {
                    match context.extensions().get::<Seen>() {
                        Some(seen) => Reply::value(&seen.0),
                        None => Err(WsException::new("the guard left nothing")),
                    }
                })
                .enhancers(guard(Witness))
                .metadata(Role("admin")),
            )
            .message(
                message!("map", |_gateway, context| Ok(Reply::Value(context.data())))
                    .enhancers(Enhancers::new().interceptor(interceptor(Mapped))),
            )
            .message(
                message!("map_stream", |_gateway, _context| Ok(three(None)))
                    .enhancers(Enhancers::new().interceptor(interceptor(Mapped))),
            )
            .message(
                message!("short", |gateway, _context| {
                    gateway.log("handler ran");
                    Ok(Reply::None)
                })
                .enhancers(Enhancers::new().interceptor(interceptor(Short))),
            )
            .message(
                message!("timeout", |gateway, _context| {
                    let _dropped = gateway.on_drop("handler dropped");
                    gateway.pass("timeout").await;
                    gateway.log("late");
                    Ok(Reply::None)
                })
                .enhancers(Enhancers::new().interceptor(interceptor(Deadline))),
            )
            .message(
                message!("flaky", |gateway, _context| {
                    let attempt = gateway.backstage.produce();
                    gateway.log(format!("try {attempt}"));
                    match attempt {
                        3 => Reply::value("third time lucky"),
                        _ => Err(WsException::new("not yet")),
                    }
                })
                .enhancers(Enhancers::new().interceptor(interceptor(Stubborn))),
            )
            .message(
                message!("piped", |_gateway, context| Ok(Reply::Value(
                    context.data()
                )))
                .enhancers(Enhancers::new().pipe(pipe(Loud))),
            )
    }

    pub(super) fn filters(
        builder: GatewayBuilder<RootGateway>,
        backstage: &Arc<Backstage>,
    ) -> GatewayBuilder<RootGateway> {
        let failing = Enhancers::new;
        builder
            .message(fails_with("f_method", MethodError).enhancers(
                failing().filter(filter(Catch::<MethodError>::new(backstage, "method"))),
            ))
            .message(fails_with("f_class", ClassError))
            .message(fails_with("f_global", GlobalError))
            .message(
                fails_with("f_reply", MethodError)
                    .enhancers(failing().filter(filter(Trick::Answer))),
            )
            .message(
                fails_with("f_fail", MethodError).enhancers(failing().filter(filter(Trick::Fail))),
            )
            .message(
                fails_with("f_panic", MethodError)
                    .enhancers(failing().filter(filter(Trick::Panic))),
            )
    }
}

/// The pipe on the argument, as the macros would call it.
async fn param_pipe<G>(gateway: &With<G>, context: &ExecutionContext) -> Result<Payload> {
    let pipe = Named::new(&gateway.backstage, "param");
    let body = pipe.transform(context.data(), context).await?;
    Ok(RawBody::from_body(context, Some(body)).await?.0)
}

fn fails_with<E>(event: &'static str, _: E) -> Message<RootGateway>
where
    E: std::error::Error + Default + Send + Sync + 'static,
{
    Message::event(event, "handler", |_, _| {
        Box::pin(async { Err(WsException::internal(E::default())) })
    })
}
