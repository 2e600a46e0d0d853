//! The attributes of `nest-gateway`.
//!
//! They contain no behaviour: each expands to calls of the builders and traits
//! in `nest-gateway-core`, which can be written by hand as well. Applications
//! use them through the crate `nest-gateway`.
//!
//! The way of an attribute through this crate: `attrs` reads what is in its
//! parentheses, `model` makes plain structs of it, `check` looks for mistakes
//! that span several attributes, `expand` writes the tokens. Mistakes are
//! collected by `errors` and reported together; the item itself is always
//! emitted, so that a mistake in an attribute does not hide the type.

mod attrs;
mod check;
mod errors;
mod expand;
mod model;

use proc_macro::TokenStream;

/// Makes a struct a gateway.
///
/// ```
/// # use std::sync::{Arc, atomic::AtomicU64};
/// # use nest_gateway::prelude::*;
/// # #[injectable] struct ChatService;
/// # #[injectable] struct WsJwtGuard;
/// # impl Guard for WsJwtGuard {}
/// #[websocket_gateway(namespace = "/chat")]
/// #[use_guards(WsJwtGuard)]
/// pub struct ChatGateway {
///     chat: Arc<ChatService>,
///     server: WebSocketServer,
///     #[inject(default)]
///     seen: AtomicU64,
/// }
/// # #[subscriptions] impl ChatGateway {}
/// ```
///
/// # Options
/// - `namespace = "/path"`: a path, or a pattern such as `"/room/{id}"`, each path
///   of which is a namespace of its own, or a constant. Default: `"/"`.
/// - `port = 3001`: a listener of its own. Default: the application's port.
/// - `adapter = Native`, `adapter = [Native, SocketIo]`, `adapter = "name"`: only
///   these adapters serve it. Default: all.
/// - `emits(MessageSent, ..)`: the typed events (`#[derive(Event)]`) that it
///   emits. They are in the documents made from the gateway, and `send` of its
///   `ServerOf<Self>` takes no others.
/// - `crate = ::path::to::nest_gateway`: where the crate is, if it is re-exported.
///
/// # Fields
/// They are injected: `Arc<T>`, `Arc<dyn Trait>`, `Option<Arc<T>>`,
/// `WebSocketServer` (that of this gateway), `ServerOf<Self>` (the same, with typed
/// events), `ServerOf<OtherGateway>`, or anything else that is `FromContainer`. A field that is not injected says what it is set to:
/// `#[inject(default)]` or `#[inject(value = expression)]`.
///
/// # Beside it
/// - `#[use_guards(..)]`, `#[use_interceptors(..)]`, `#[use_pipes(..)]`,
///   `#[use_filters(..)]`, `#[set_metadata(..)]`: for all handlers.
/// - [`macro@subscriptions`] on the impl block with the handlers is required, even
///   if that block is empty.
/// - `OnGatewayInit`, `OnGatewayConnection`, `OnGatewayDisconnect`, `OnModuleInit`
///   and `OnShutdown` are called if they are implemented; nothing registers them.
///
/// The struct then implements `Gateway`, `Injectable` and `Provided`, so that a
/// module can list it. It cannot be generic.
#[proc_macro_attribute]
pub fn websocket_gateway(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::gateway(options.into(), &item.into()).into()
}

/// Reads the handlers of a gateway's impl block.
///
/// ```
/// # use futures_core::Stream;
/// # use nest_gateway::{guards::ThrottleGuard, prelude::*};
/// # #[derive(serde::Deserialize)] struct SendMessage { room: String, text: String }
/// # #[derive(serde::Serialize)] struct MessageAck { delivered: usize }
/// # type ChatError = WsException;
/// # type LlmError = std::io::Error;
/// # #[injectable] struct RolesGuard;
/// # impl Guard for RolesGuard {}
/// # #[websocket_gateway] struct ChatGateway;
/// #[subscriptions]
/// impl ChatGateway {
///     #[subscribe_message("send_message")]
///     #[use_guards(RolesGuard, ThrottleGuard::per_second(5))]
///     async fn send_message(
///         &self,
///         MessageBody(message): MessageBody<SendMessage>,
///         client: ConnectedSocket,
///     ) -> Result<MessageAck, ChatError> {
///         let said = client.to(&message.room).emit("said", &message.text);
///         Ok(MessageAck { delivered: said.receivers() })
///     }
///
///     #[subscribe_message("prompt", concurrent)]
///     async fn prompt(
///         &self,
///         #[body("text")] MessageBody(text): MessageBody<String>,
///     ) -> Result<impl Stream<Item = String>, LlmError> {
///         Ok(async_stream::stream! {
///             for word in text.split(' ') {
///                 yield word.to_owned();
///             }
///         })
///     }
/// }
/// ```
///
/// The block stays as it is written, and methods without
/// [`macro@subscribe_message`], [`macro@subscribe_any`] or
/// [`macro@subscribe_binary`] stay plain methods. A
/// gateway has one such block.
///
/// # Handlers
/// take `&self` (or `self: Arc<Self>`) and any extractors, are `async` or not,
/// and return `()`, anything that is `Serialize`, `WsResponse`, `Reply`, a
/// `Stream` of these (which may borrow from `&self`), and `Option` or `Result` of
/// all of them. Types are told apart by their traits, so that aliases work.
///
/// An error that is `Into<WsException>` (as with [`macro@WsError`]) reaches the
/// client as it is; any other `std::error::Error`, `anyhow::Error` or
/// `Box<dyn Error>` is logged, and the client gets "Internal server error".
///
/// # Attributes on a method
/// `#[use_guards(..)]`, `#[use_interceptors(..)]`, `#[use_pipes(..)]`,
/// `#[use_filters(..)]`: a path is the type of a provider, any other expression
/// a value. `#[set_metadata(expression)]`: a value that guards and interceptors
/// read by its type. `#[cfg(..)]` is respected.
///
/// # Attributes on an argument
/// `#[body("field")]`: the argument is one field of the body.
/// `#[use_pipes(..)]`: pipes for this argument alone, which run last.
///
/// # Options
/// `crate = ::path::to::nest_gateway`, as for [`macro@websocket_gateway`].
#[proc_macro_attribute]
pub fn subscriptions(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::subscriptions(options.into(), &item.into()).into()
}

/// Lets the container construct a type.
///
/// On a struct, its fields are injected, as those of a gateway
/// ([`macro@websocket_gateway`]). On an impl block, the arguments of its `new` are;
/// `new` may be async, and return `Self` or a `Result` of it:
///
/// ```
/// # use std::sync::Arc;
/// # use nest_gateway::prelude::*;
/// # trait Store: Send + Sync {}
/// # struct Config { url: String }
/// # struct Connection;
/// # impl Connection { async fn open(_: &str) -> std::io::Result<Self> { Ok(Self) } }
/// #[injectable]
/// pub struct ChatService {
///     store: Arc<dyn Store>,
///     #[inject(value = 100)]
///     history: usize,
/// }
///
/// pub struct RedisStore {
///     connection: Connection,
/// }
///
/// #[injectable]
/// impl RedisStore {
///     async fn new(config: Arc<Config>) -> Result<Self, std::io::Error> {
///         Ok(Self {
///             connection: Connection::open(&config.url).await?,
///         })
///     }
/// }
/// ```
///
/// The type then implements `Injectable` and `Provided`, so that a module can
/// list it. `OnModuleInit` and `OnShutdown` are called if it implements them. It
/// cannot be generic; list such types with `factory(..)`.
///
/// Option: `crate = ::path::to::nest_gateway`.
#[proc_macro_attribute]
pub fn injectable(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::injectable(options.into(), &item.into()).into()
}

/// Declares a module.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use nest_gateway::{BoxError, ModuleDescriptor, prelude::*};
/// # #[injectable] struct ChatService;
/// # #[websocket_gateway] struct ChatGateway;
/// # #[subscriptions] impl ChatGateway {}
/// # #[derive(Default)] struct Config;
/// # struct Connection;
/// # async fn connect(config: Arc<Config>) -> Result<Connection, BoxError> { drop(config); Ok(Connection) }
/// # trait Store: Send + Sync {}
/// # #[injectable] struct RedisStore;
/// # impl Store for RedisStore {}
/// # #[module()] struct AuthModule;
/// # struct MetricsModule;
/// # impl MetricsModule { fn every(_: Duration) -> ModuleDescriptor { ModuleDescriptor::new("Metrics") } }
/// #[module(
///     providers(
///         ChatService,
///         ChatGateway,
///         value(Config::default()),
///         factory(connect),
///         RedisStore as dyn Store,
///     ),
///     imports(AuthModule, MetricsModule::every(Duration::from_secs(10))),
///     exports(ChatService, dyn Store),
/// )]
/// pub struct ChatModule;
/// ```
///
/// # Options
/// - `providers(..)`: types with [`macro@injectable`] or
///   [`macro@websocket_gateway`]; `value(expression)`; `factory(function)`, an async
///   function whose arguments are injected and that returns a `Result`. Each of
///   these `as dyn Trait` is also what an `Arc<dyn Trait>` stands for.
/// - `imports(..)`: modules whose exports are visible here: types, or expressions
///   that make a `ModuleDescriptor`.
/// - `exports(..)`: what importing modules see: types, `dyn Trait`, or imported
///   modules.
/// - `global`: all modules see the exports.
/// - `crate = ::path::to::nest_gateway`.
///
/// Providers that are missing, or need each other, are reported at start-up.
#[proc_macro_attribute]
pub fn module(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::module(options.into(), &item.into()).into()
}

/// Subscribes a method to an event: `#[subscribe_message("event")]`, in an impl
/// block with [`macro@subscriptions`].
///
/// The event is a string or the path of a constant. A method can subscribe to
/// several. With `#[subscribe_message("event", concurrent)]` the handler runs
/// beside other messages of its client, up to `max_in_flight`; without, messages
/// of a client are handled one after another.
#[proc_macro_attribute]
pub fn subscribe_message(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("subscribe_message", &options.into(), &item.into()).into()
}

/// Subscribes a method to all events of the namespace that no other handler
/// subscribed to: `#[subscribe_any]`, in an impl block with
/// [`macro@subscriptions`]. The argument `EventName` tells which one it is.
///
/// A namespace has one at most. Without it, such an event is answered as the
/// application's `unknown_event_policy` says. The option `concurrent` is that of
/// [`macro@subscribe_message`].
#[proc_macro_attribute]
pub fn subscribe_any(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("subscribe_any", &options.into(), &item.into()).into()
}

/// Subscribes a method to binary messages without an envelope, which the native
/// wire has: `#[subscribe_binary]`, in an impl block with [`macro@subscriptions`].
///
/// The option `concurrent` is that of [`macro@subscribe_message`].
#[proc_macro_attribute]
pub fn subscribe_binary(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("subscribe_binary", &options.into(), &item.into()).into()
}

/// Guards of a gateway or a handler: `#[use_guards(WsJwtGuard,
/// ThrottleGuard::per_second(5))]`. A path is the type of a provider, any other
/// expression a value.
#[proc_macro_attribute]
pub fn use_guards(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("use_guards", &options.into(), &item.into()).into()
}

/// Interceptors of a gateway or a handler; written as [`macro@use_guards`].
#[proc_macro_attribute]
pub fn use_interceptors(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("use_interceptors", &options.into(), &item.into()).into()
}

/// Pipes of a gateway, a handler or one of its arguments; written as
/// [`macro@use_guards`].
#[proc_macro_attribute]
pub fn use_pipes(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("use_pipes", &options.into(), &item.into()).into()
}

/// Exception filters of a gateway or a handler; written as [`macro@use_guards`].
#[proc_macro_attribute]
pub fn use_filters(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("use_filters", &options.into(), &item.into()).into()
}

/// A value on a gateway or a handler that guards and interceptors read by its
/// type: `#[set_metadata(Roles(&["admin"]))]`, then `ctx.metadata::<Roles>()`. That
/// of a handler comes before that of its gateway.
#[proc_macro_attribute]
pub fn set_metadata(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::beside("set_metadata", &options.into(), &item.into()).into()
}

/// Gives a body the name of its event, for `server.send(&event)` of a gateway that
/// declares it with `emits(..)`:
///
/// ```
/// use nest_gateway::Event;
/// use serde::Serialize;
///
/// #[derive(Serialize, Event)]
/// #[event("message_sent")]
/// pub struct MessageSent {
///     text: String,
/// }
///
/// assert_eq!(MessageSent::NAME, "message_sent");
/// ```
///
/// The name is written out, so that renaming the struct does not change the wire.
/// Option: `#[event("name", crate = ::path::to::nest_gateway)]`.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    expand::event(input.into()).into()
}

/// Says what clients see of an error: implements `From<E> for WsException`.
///
/// ```
/// # use std::time::Duration;
/// # use nest_gateway::{WsError, WsException};
/// # type AuthError = WsException;
/// # type DbError = std::io::Error;
/// #[derive(Debug, thiserror::Error, WsError)]
/// pub enum ChatError {
///     #[error("no room {0}")]
///     #[ws_error(code = "not_found", status = 404)]
///     NoRoom(String),
///     #[error("{0} is muted for {1:?}")]
///     #[ws_error(code = "muted", message = "{0} is muted")]
///     Muted(String, Duration),
///     #[error(transparent)]
///     #[ws_error(transparent)]
///     Auth(#[from] AuthError),
///     #[error(transparent)]
///     #[ws_error(internal)]
///     Database(#[from] DbError),
/// }
///
/// let seen = WsException::from(ChatError::NoRoom("attic".to_owned()));
/// assert_eq!((seen.message(), seen.code()), ("no room attic", Some("not_found")));
/// ```
///
/// Every variant says what is shown, or the enum says it for all others:
/// - `code = ".."`, `message = ".."`, `status = ..`: a message, by default what
///   `Display` writes, with a machine-readable code and the HTTP status for a refused
///   handshake. The message may name fields: `{room}`, `{0}`. An empty
///   `#[ws_error]` shows the message alone.
/// - `internal`: "Internal server error"; the error itself is logged.
/// - `transparent`: what the only field, which is `Into<WsException>`, says.
///
/// Exception filters for the type find the error in the exception (except a
/// transparent one, where they find the inner one), so that it has to be `Error +
/// Send + Sync`.
///
/// Option on the type: `#[ws_error(crate = ::path::to::nest_gateway)]`.
#[proc_macro_derive(WsError, attributes(ws_error))]
pub fn derive_ws_error(input: TokenStream) -> TokenStream {
    expand::ws_error(input.into()).into()
}
