//! What injectables and modules are made of.

use std::sync::Arc;

use super::Tag;
use crate::error::BoxError;
use crate::gateway::{Dependency, Factory, Provider};

/// What the fields, or the arguments of a constructor, need.
#[must_use]
pub fn dependencies<const N: usize>(fields: [Option<Dependency>; N]) -> Vec<Dependency> {
    fields.into_iter().flatten().collect()
}

/// A provider by a value, and its type.
pub fn value<T: Send + Sync + 'static>(value: T) -> (Provider, Tag<T>) {
    (Provider::value(value), Tag::new())
}

/// A provider by a function, and the type that it makes.
pub fn factory<Arguments, F, T>(factory: F) -> (Provider, Tag<T>)
where
    F: Factory<Arguments, Output = T>,
    T: Send + Sync + 'static,
{
    (Provider::factory_with(factory), Tag::new())
}

/// `value(..) as dyn Trait`: a binding to a type that has no name here.
pub fn bind<D, T>(_: &Tag<T>, convert: fn(Arc<T>) -> Arc<D>) -> Provider
where
    D: ?Sized + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    Provider::bind(convert)
}

/// The text of an error that clients may see.
pub fn message<E: ShownError>(error: &E) -> String {
    error.to_string()
}

/// The error, kept for exception filters and the log.
pub fn source<E: ShownError>(error: E) -> BoxError {
    Box::new(error)
}

/// What `#[derive(WsError)]` stands on. Only there for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has `#[derive(WsError)]`, but is not an error",
    label = "not `std::error::Error + Send + Sync`",
    note = "implement `std::error::Error` for it: `#[derive(Debug, thiserror::Error)]`, say"
)]
pub trait ShownError: std::error::Error + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: std::error::Error + Send + Sync + 'static> ShownError for E {}
