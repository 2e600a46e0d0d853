//! Guards, interceptors, pipes and filters of the suite's application.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nest_gateway_core::dispatch::{
    Caught, Emission, ExceptionFilter, ExecutionContext, Guard, HandlerResult, HandshakeContext,
    Interceptor, Next, Pipe, Reply,
};
use nest_gateway_core::error::WsException;
use nest_gateway_core::payload::Payload;

use super::backstage::Backstage;

/// Marks the handlers whose way through the pipeline is logged.
#[derive(Clone, Copy)]
pub(super) struct Logged;

/// What a guard reads from its handler.
pub(super) struct Role(pub(super) &'static str);

/// Who a client is, as the connection guard found out.
pub(super) struct User(pub(super) &'static str);

fn log(backstage: &Backstage, context: &ExecutionContext, line: String) {
    if context.metadata::<Logged>().is_some() {
        backstage.log().write(line);
    }
}

/// Logs its name on its way.
pub(super) struct Named {
    backstage: Arc<Backstage>,
    name: &'static str,
}

impl Named {
    pub(super) fn new(backstage: &Arc<Backstage>, name: &'static str) -> Self {
        Self {
            backstage: Arc::clone(backstage),
            name,
        }
    }
}

impl Guard for Named {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        log(&self.backstage, context, format!("guard:{}", self.name));
        Ok(true)
    }
}

impl Interceptor for Named {
    async fn intercept<'a>(
        &'a self,
        context: &'a ExecutionContext,
        next: Next<'a>,
    ) -> HandlerResult<'a> {
        log(&self.backstage, context, format!("pre:{}", self.name));
        let result = next.run().await;
        let end = if result.is_ok() { "post" } else { "err" };
        log(&self.backstage, context, format!("{end}:{}", self.name));
        result
    }
}

impl Pipe for Named {
    async fn transform(
        &self,
        body: Payload,
        context: &ExecutionContext,
    ) -> Result<Payload, WsException> {
        log(&self.backstage, context, format!("pipe:{}", self.name));
        Ok(body)
    }
}

/// The global guard, as a provider that counts how often it is constructed.
pub(super) struct GlobalGuard(pub(super) Named);

impl Guard for GlobalGuard {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        Guard::can_activate(&self.0, context).await
    }
}

/// The root gateway's guard, likewise.
pub(super) struct ClassGuard(pub(super) Named);

impl Guard for ClassGuard {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        Guard::can_activate(&self.0, context).await
    }
}

/// Answers with what it is told to.
pub(super) enum Verdict {
    No,
    Exception,
    Internal,
    Panic,
}

impl Guard for Verdict {
    async fn can_activate(&self, _: &ExecutionContext) -> Result<bool, WsException> {
        match self {
            Self::No => Ok(false),
            Self::Exception => Err(WsException::new("guard says no")),
            Self::Internal => Err(WsException::internal("secret of a guard")),
            Self::Panic => panic!("secret panic of a guard"),
        }
    }
}

/// Leaves what it saw for the handler.
pub(super) struct Witness;

/// What [`Witness`] saw.
pub(super) struct Seen(pub(super) serde_json::Value);

impl Guard for Witness {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        let ws = context.switch_to_ws();
        let seen = serde_json::json!({
            "type": context.get_type(),
            "event": ws.event(),
            "data": ws.data_as::<serde_json::Value>()?,
            "client_id": ws.client().id(),
            "header": ws.handshake().header("x-test"),
            "metadata": context.metadata::<Role>().map(|role| role.0),
        });
        context.extensions().insert(Seen(seen));
        Ok(true)
    }
}

/// Waits at the gate that the body names.
pub(super) struct Gatekeeper(pub(super) Arc<Backstage>);

impl Guard for Gatekeeper {
    async fn can_activate(&self, context: &ExecutionContext) -> Result<bool, WsException> {
        let gate: String = context.data().decode()?;
        self.0.log().write(format!("guard waits for {gate}"));
        self.0.gates().pass(&gate).await;
        Ok(true)
    }
}

/// Lets clients in that know the token.
pub(super) struct Doorman;

impl Guard for Doorman {
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        if context.handshake().bearer_token().as_deref() == Some("good") {
            context.data().insert(User("ada"));
            Ok(true)
        } else {
            Err(WsException::unauthorized("who are you"))
        }
    }
}

/// Lets nobody in where the path's `id` is `closed`.
pub(super) struct Closed;

impl Guard for Closed {
    async fn can_connect(&self, context: &HandshakeContext) -> Result<bool, WsException> {
        Ok(context.path_param("id") != Some("closed"))
    }
}

/// Wraps a value or each item as `{"mapped": value}`.
pub(super) struct Mapped;

impl Interceptor for Mapped {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        next.run().await?.try_map(|payload| {
            let value: serde_json::Value = payload.decode()?;
            let mapped = serde_json::json!({ "mapped": value });
            Payload::from_serialize(&mapped).map_err(WsException::internal)
        })
    }
}

/// Answers in place of the handler.
pub(super) struct Short;

impl Interceptor for Short {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, _: Next<'a>) -> HandlerResult<'a> {
        Reply::value("short")
    }
}

/// Gives up after 30 ms.
pub(super) struct Deadline;

impl Interceptor for Deadline {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        tokio::time::timeout(Duration::from_millis(30), next.run())
            .await
            .unwrap_or_else(|_| Err(WsException::new("timed out")))
    }
}

/// Tries three times.
pub(super) struct Stubborn;

impl Interceptor for Stubborn {
    async fn intercept<'a>(&'a self, _: &'a ExecutionContext, next: Next<'a>) -> HandlerResult<'a> {
        for _ in 0..2 {
            if let Ok(reply) = next.run().await {
                return Ok(reply);
            }
        }
        next.run().await
    }
}

/// Makes texts loud and refuses all else.
pub(super) struct Loud;

impl Pipe for Loud {
    async fn transform(&self, body: Payload, _: &ExecutionContext) -> Result<Payload, WsException> {
        let text: String = body.decode().map_err(|_| WsException::new("not a text"))?;
        Payload::from_serialize(&text.to_uppercase()).map_err(WsException::internal)
    }
}

macro_rules! errors {
    ($($name:ident),*) => {$(
        #[derive(Debug, Default)]
        pub(super) struct $name;

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("secret ", stringify!($name)))
            }
        }

        impl std::error::Error for $name {}
    )*};
}
errors!(MethodError, ClassError, GlobalError);

/// Catches errors of the type `E`, logs its level, and lets them be.
pub(super) struct Catch<E> {
    backstage: Arc<Backstage>,
    level: &'static str,
    error: std::marker::PhantomData<fn() -> E>,
}

impl<E> Catch<E> {
    pub(super) fn new(backstage: &Arc<Backstage>, level: &'static str) -> Self {
        Self {
            backstage: Arc::clone(backstage),
            level,
            error: std::marker::PhantomData,
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> ExceptionFilter for Catch<E> {
    type Error = E;

    async fn catch(&self, _: &E, _: &ExecutionContext) -> Result<Caught, WsException> {
        self.backstage.log().write(format!("filter:{}", self.level));
        Ok(Caught::Unchanged)
    }
}

/// Catches everything, and does something else.
pub(super) enum Trick {
    Answer,
    Fail,
    Panic,
}

impl ExceptionFilter for Trick {
    type Error = WsException;

    async fn catch(&self, _: &WsException, _: &ExecutionContext) -> Result<Caught, WsException> {
        match self {
            Self::Answer => Ok(Caught::Answer(Reply::Response(Emission {
                event: Some("filtered".into()),
                data: Payload::empty(),
            }))),
            Self::Fail => Err(WsException::new("secret failure of a filter")),
            Self::Panic => panic!("secret panic of a filter"),
        }
    }
}
