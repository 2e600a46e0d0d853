//! NestJS-style WebSocket gateways for Rust.
//!
//! A gateway is a struct with `#[websocket_gateway]`, whose methods with
//! `#[subscribe_message]` handle events. Adapters serve it: native RFC 6455
//! ([`Native`], feature `native`, default) and Socket.IO ([`SocketIo`], feature
//! `socketio`), both at the same time when both are enabled, with the same
//! rooms, hooks and providers.
//!
//! ```no_run
//! use nest_gateway::prelude::*;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Say {
//!     text: String,
//! }
//!
//! #[websocket_gateway(namespace = "/chat")]
//! struct ChatGateway {}
//!
//! impl OnGatewayConnection for ChatGateway {
//!     async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
//!         client.join("lobby").await
//!     }
//! }
//!
//! #[subscriptions]
//! impl ChatGateway {
//!     /// Tells the others, and answers how many they are.
//!     #[subscribe_message("say")]
//!     async fn say(&self, MessageBody(say): MessageBody<Say>, client: ConnectedSocket) -> usize {
//!         client.to("lobby").emit("message", &say.text).receivers()
//!     }
//! }
//!
//! #[module(providers(ChatGateway))]
//! struct ChatModule;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let app = App::new::<ChatModule>().listen("127.0.0.1:3000").await?;
//!     app.until_signal().await;
//!     Ok(())
//! }
//! ```
//!
//! A client sends `{"event": "say", "data": {"text": "hi"}, "id": 1}` to
//! `ws://127.0.0.1:3000/chat`, or with the official Socket.IO client
//! `io("http://127.0.0.1:3000/chat").emit("say", { text: "hi" })`.
//!
//! The crate's parts in reading order:
//!
//! - [`App`]: builds, listens, shuts down;
//! - the attributes ([`websocket_gateway`], [`subscriptions`], [`injectable`], [`module`]);
//! - what handlers take ([`MessageBody`], [`ConnectedSocket`], ..) and return ([`WsResponse`], ..);
//! - [`WebSocketServer`] and [`Client`]: emits and rooms; [`ServerOf`] and [`Event`]: typed events;
//! - [`Guard`], [`Interceptor`], [`Pipe`], [`ExceptionFilter`], with ready-made [`guards`] and
//!   [`interceptors`];
//! - [`core`]: everything that adapter authors need.

mod app;
mod describe;
pub mod guards;
mod hosted;
pub mod interceptors;
mod listening;
#[cfg(feature = "asyncapi")]
mod published;

pub use nest_gateway_core as core;
pub use nest_gateway_wire as wire;

pub use nest_gateway_core::adapter::{Adapter, Capabilities, Codec};
pub use nest_gateway_core::broadcast::{
    Answers, ClientOf, EmitContext, EmitError, EmitKind, Emitted, EmittedBy, Emitter, EmitterOf,
    Event, IntoTargets, ServerOf, Servers, WebSocketServer,
};
pub use nest_gateway_core::close::{CloseReason, DisconnectReason, Initiator};
pub use nest_gateway_core::config::{
    AllowedHosts, Config, DenyPolicy, OriginPolicy, SlowPolicy, UnknownEventPolicy,
};
pub use nest_gateway_core::dispatch::{
    Ack, Auth, Binary, CancellationToken, Caught, ConnectedSocket, Emission, Enhancer, Enhancers,
    EventName, ExceptionFilter, ExecutionContext, FromContext, FromMessage, Guard, HandlerResult,
    HandshakeContext, Inject, Interceptor, IntoEmission, IntoReply, MessageArgs, MessageBody, Next,
    Path, Pipe, Query, RawBody, Reply, ReplyStream, Server, State, WsArgumentsHost, WsResponse,
};
pub use nest_gateway_core::error::{BoxError, WsException};
pub use nest_gateway_core::gateway::{
    Dependency, FromContainer, Gateway, GatewayBuilder, GatewayDescriptor, Injectable, Message,
    Metadata, Module, ModuleDescriptor, OnGatewayConnection, OnGatewayDisconnect, OnGatewayEmit,
    OnGatewayInit, OnModuleInit, OnShutdown, Provided, Provider, Resolver,
};
pub use nest_gateway_core::handshake::{Handshake, Headers};
pub use nest_gateway_core::id::{ClientId, RequestId};
pub use nest_gateway_core::observe::Stats;
pub use nest_gateway_core::payload::{BodyError, EncodeError, FieldProblem, Payload, Problem};
pub use nest_gateway_core::recovery::Recovery;
pub use nest_gateway_core::runtime::StartError;
pub use nest_gateway_core::session::{AckError, Client, ClientData};
pub use nest_gateway_core::value::Value;
pub use nest_gateway_wire::AcceptConfig;
#[cfg(feature = "deflate")]
pub use nest_gateway_wire::DeflateConfig;
#[cfg(feature = "tls")]
pub use nest_gateway_wire::rustls;

pub use nest_gateway_macros::{
    Event, WsError, injectable, module, set_metadata, subscribe_any, subscribe_binary,
    subscribe_message, subscriptions, use_filters, use_guards, use_interceptors, use_pipes,
    websocket_gateway,
};

#[cfg(feature = "native")]
pub use nest_gateway_adapter_native::Native;
#[cfg(feature = "socketio")]
pub use nest_gateway_adapter_socketio::SocketIo;
#[cfg(feature = "socketioxide")]
pub use nest_gateway_adapter_socketio::{SocketIoxide, socketioxide};

pub use self::app::{App, AppBuilder};
pub use self::listening::{ListenError, Listening, ShutdownHandle};

/// What the attributes expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use nest_gateway_core::private::*;
}

/// Everything that a file with a gateway usually needs.
pub mod prelude {
    pub use crate::{
        Ack, App, Auth, BoxError, CancellationToken, Client, ConnectedSocket, DisconnectReason,
        ExceptionFilter, ExecutionContext, Guard, HandshakeContext, Inject, Interceptor,
        MessageBody, Next, OnGatewayConnection, OnGatewayDisconnect, OnGatewayEmit, OnGatewayInit,
        Pipe, Reply, Server, ServerOf, State, WebSocketServer, WsError, WsException, WsResponse,
        injectable, module, set_metadata, subscribe_any, subscribe_binary, subscribe_message,
        subscriptions, use_filters, use_guards, use_interceptors, use_pipes, websocket_gateway,
    };
}
