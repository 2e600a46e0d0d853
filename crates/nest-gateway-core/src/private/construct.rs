//! What injectables and modules are made of.

use std::sync::Arc;

use super::Tag;
use crate::gateway::{Dependency, Factory, Message, Provider};

/// What the fields, or the arguments of a constructor, need.
#[must_use]
pub fn dependencies<const N: usize>(fields: [Option<Dependency>; N]) -> Vec<Dependency> {
    fields.into_iter().flatten().collect()
}

/// Adds what the arguments of a handler need.
pub fn needs<G: Send + Sync + 'static>(
    message: Message<G>,
    dependencies: Vec<Dependency>,
) -> Message<G> {
    dependencies.into_iter().fold(message, Message::needs)
}

/// The type that a factory makes.
pub const fn factory_output<Arguments, F: Factory<Arguments>>(_: &F) -> Tag<F::Output> {
    Tag::new()
}

/// `value(..) as dyn Trait`: a binding to a type that has no name here.
pub fn bind<D, T>(_: &Tag<T>, convert: fn(Arc<T>) -> Arc<D>) -> Provider
where
    D: ?Sized + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    Provider::bind(convert)
}
