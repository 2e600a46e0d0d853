//! What the attributes say, as plain structs.

mod fields;
mod gateway;
mod handler;
mod injectable;
mod module;
mod ws_error;

pub(crate) use self::fields::Field;
pub(crate) use self::gateway::Gateway;
pub(crate) use self::handler::{
    Argument, EventName, Handler, Receiver, Subject, Subscription, Subscriptions,
};
pub(crate) use self::injectable::{Constructor, Injectable};
pub(crate) use self::module::{Module, Provider, ProviderSource};
pub(crate) use self::ws_error::{Code, Variant, WsError};
