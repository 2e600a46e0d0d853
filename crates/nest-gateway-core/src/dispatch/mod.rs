//! The pipeline: from a decoded message to its answer.
//!
//! ```text
//! route ─► guards ─► interceptors ─► pipes ─► extract ─► handler ─► interceptors ─► filters ─► answer
//! ```
//!
//! `dispatch` in `pipeline.rs` is that picture as one function. It knows no transport: what it
//! has to say goes out through the client's codec.

mod answer;
mod context;
mod enhancer;
mod extract;
mod filter;
mod guard;
mod handler;
mod interceptor;
mod items;
mod pace;
mod pipe;
mod pipeline;
mod reply;
mod stream;

pub use self::context::{ExecutionContext, HandshakeContext, WsArgumentsHost};
pub use self::enhancer::{Enhancer, Enhancers};
pub use self::extract::{
    Ack, Auth, Binary, CancellationToken, ConnectedSocket, EventName, FromContext, FromMessage,
    Inject, MessageArgs, MessageBody, Path, Query, RawBody, Server, State,
};
pub use self::filter::{Caught, DynFilter, ExceptionFilter};
pub use self::guard::{DynGuard, Guard};
pub use self::handler::{Handler, HandlerResult, IntoHandler};
pub use self::interceptor::{DynInterceptor, Interceptor, Next};
pub use self::pipe::{DynPipe, Pipe};
pub use self::reply::{Emission, IntoEmission, IntoReply, Reply, ReplyStream, WsResponse};

pub(crate) use self::enhancer::BoundEnhancers;
pub(crate) use self::handler::bind;
pub(crate) use self::pipeline::dispatch;
