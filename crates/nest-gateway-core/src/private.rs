//! What the attribute macros expand to. Not for use by hand: everything in
//! here can be written with the public builders instead.
//!
//! Macros see how a type is written and not what it is: an alias of `Result`
//! looks like anything. So generated code asks the compiler, by method calls on
//! a [`Tag`] that resolve to the first of several *rungs* whose bounds the type
//! meets. The rungs of a ladder are traits with a method of the same name, for
//! `&&Tag<T>`, `&Tag<T>` and `Tag<T>`: a call on `(&&&tag)` tries them in this
//! order. That works on concrete types only, which is why the macros refuse
//! generic gateways.

mod arguments;
mod construct;
mod hooks;
mod reply;
mod rules;
#[cfg(feature = "schema")]
mod schema;

use std::marker::PhantomData;

pub use self::arguments::{ArgumentPipes, Body, within};
pub use self::construct::{ShownError, bind, dependencies, factory, message, source, value};
pub use self::reply::{HandlerError, Never, ReplyValue, StreamItem};
#[cfg(feature = "schema")]
pub use self::schema::{Function, object, output, output_of_future};
pub use crate::broadcast::{EmittedBy, Event};
pub use crate::dispatch::{
    DynFilter, DynGuard, DynInterceptor, DynPipe, Enhancer, Enhancers, FromContext, FromMessage,
    HandlerResult, Reply,
};
pub use crate::error::{BoxError, WsException};
pub use crate::gateway::{
    Dependency, FromContainer, Gateway, GatewayBuilder, GatewayDescriptor, Injectable, Message,
    Module, ModuleDescriptor, Provided, Provider, Resolver,
};

/// All rungs, to be imported with `*`.
pub mod rungs {
    pub use super::arguments::{ExtractorRung, NoBodyRung, NoExtractorRung};
    pub use super::hooks::{
        AfterInitRung, ConnectionRung, DisconnectRung, EmitRung, ModuleInitRung, NoAfterInitRung,
        NoConnectionRung, NoDisconnectRung, NoEmitRung, NoModuleInitRung, NoShutdownRung,
        ShutdownRung,
    };
    pub use super::reply::{
        BoxedErrorRung, ExceptionRung, InternalErrorRung, IntoEmissionRung, IntoReplyRung,
        ItemRung, NoOptionRung, NoResultRung, OptionRung, ResultRung, StreamRung, ValueRung,
    };
    pub use super::rules::{NoRulesRung, RulesRung};
    #[cfg(feature = "schema")]
    pub use super::schema::{
        BodyTypeRung, ItemTypeRung, NoBodyTypeRung, NoSchemaRung, NotOptionalRung, OkTypeRung,
        OptionalRung, OwnBodyRung, PlainItemRung, PlainOkRung, PlainResponseRung, PlainSomeRung,
        ResponseTypeRung, SchemaRung, SomeTypeRung,
    };
}

/// Stands for a type on the ladders.
#[derive(Debug)]
pub struct Tag<T>(PhantomData<fn() -> T>);

impl<T> Tag<T> {
    /// Of the named type.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "only generated code makes them")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// Of a value's type.
    pub const fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// The handlers of a gateway: `#[subscriptions]` implements it, and
/// `#[websocket_gateway]` asks for it.
#[diagnostic::on_unimplemented(
    message = "the gateway `{Self}` has no `#[subscriptions]`",
    label = "its handlers are not known",
    note = "put `#[subscriptions]` on `impl {Self} {{ .. }}`, the block with the `#[subscribe_message(\"..\")]` methods",
    note = "a gateway without handlers gets an empty one: `#[subscriptions] impl {Self} {{}}`"
)]
pub trait Subscriptions: Sized {
    /// Adds the handlers.
    fn subscribe(gateway: GatewayBuilder<Self>) -> GatewayBuilder<Self>;
}

/// Fails to compile where a type is no gateway.
pub const fn is_gateway<G: Gateway>() {}
