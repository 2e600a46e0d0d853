//! Gateways as plain data, the container that builds them, and the registry
//! that serves them.

mod builder;
mod check;
mod container;
mod descriptor;
mod lifecycle;
mod module;
mod namespace;
mod provider;

pub use self::builder::{GatewayBuilder, Message};
pub use self::container::{
    Ambient, Attachment, Container, ContainerError, ModuleId, Planned, ResolveError, Resolver,
    WiringProblem,
};
pub use self::descriptor::{
    ANY_EVENT, CANCEL_EVENT, EmitDescriptor, Gateway, GatewayDescriptor, MessageDescriptor,
    MessageKind, Metadata, RESERVED_EVENTS,
};
pub use self::lifecycle::{OnGatewayConnection, OnGatewayDisconnect, OnGatewayEmit, OnGatewayInit};
pub use self::module::{
    Module, ModuleDescriptor, ModuleSource, OnModuleInit, OnShutdown, Provided,
};
pub use self::namespace::{Namespace, Route};
pub use self::provider::{Dependency, Factory, FromContainer, Injectable, Key, Provider};

pub use self::check::GatewayProblem;
pub(crate) use self::check::check_gateways;
pub(crate) use self::namespace::NamespaceBuilder;
