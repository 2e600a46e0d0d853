//! Modules: which providers there are, and who may see them.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::descriptor::{Gateway, GatewayDescriptor};
use super::provider::{Injectable, Key, Provider};
use crate::error::BoxError;

/// A part of an application, as `#[module(..)]` declares it.
///
/// A provider is visible in its own module; in the modules that import it, if
/// it is exported; and everywhere, if the exporting module is global.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    note = "add `#[module(providers(..), imports(..), exports(..))]` to it"
)]
pub trait Module: 'static {
    /// Describes the module. Called once, at start-up, however many modules
    /// import it.
    fn describe() -> ModuleDescriptor;
}

/// Implemented by a provider that has something to do before the gateways
/// start, when all other providers exist.
pub trait OnModuleInit: Send + Sync + 'static {
    /// Called once, in the order of construction; an error stops the start-up.
    fn on_module_init(&self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Implemented by a provider that has something to put away at the end.
pub trait OnShutdown: Send + Sync + 'static {
    /// Called once, after the gateways have stopped, in the reverse order of
    /// construction. An error is logged, and the others go on.
    fn on_shutdown(&self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A module as plain data.
///
/// ```
/// # use nest_gateway_core::gateway::{Module, ModuleDescriptor, Provider};
/// struct Greeting(&'static str);
///
/// struct GreetingModule;
///
/// impl Module for GreetingModule {
///     fn describe() -> ModuleDescriptor {
///         ModuleDescriptor::new("GreetingModule")
///             .provide(Provider::value(Greeting("hello")))
///             .export::<Greeting>()
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ModuleDescriptor {
    pub(super) name: String,
    pub(super) providers: Vec<Provider>,
    pub(super) imports: Vec<ModuleSource>,
    pub(super) exports: Vec<Key>,
    pub(super) export_all: bool,
    pub(super) global: bool,
    pub(super) attachments: Vec<Attached>,
}

impl ModuleDescriptor {
    /// An empty module. The name is for error messages.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            providers: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            export_all: false,
            global: false,
            attachments: Vec::new(),
        }
    }

    /// Adds a provider.
    ///
    /// A type is constructed once, in whichever modules it is listed. A value,
    /// a factory or a binding can be listed only once.
    pub fn provide(mut self, provider: Provider) -> Self {
        self.providers.push(provider);
        self
    }

    /// Makes the exports of another module visible in this one.
    pub fn import<M: Module>(self) -> Self {
        self.import_from(ModuleSource::of::<M>())
    }

    /// The same, for a module that was put together by hand, for example with
    /// settings of its own.
    pub fn import_from(mut self, module: impl Into<ModuleSource>) -> Self {
        self.imports.push(module.into());
        self
    }

    /// Lets importers see `T`, which this module provides or sees itself. If
    /// `T` is an imported module, they see all that it exports.
    pub fn export<T: ?Sized + 'static>(mut self) -> Self {
        self.exports.push(Key::of::<T>());
        self
    }

    /// Lets importers see everything that this module provides.
    pub fn export_all(mut self) -> Self {
        self.export_all = true;
        self
    }

    /// Makes the exports visible in every module, without an import.
    pub fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// Lists a provider that registers itself: an `#[injectable]`, or a gateway.
    pub fn list<P: Provided>(self) -> Self {
        P::provide(self)
    }

    /// Lists a gateway: it is provided, and served. What its guards,
    /// interceptors, pipes, filters and handlers need is checked with it.
    pub fn gateway<G: Gateway + Injectable>(self) -> Self {
        self.gateway_provider(Provider::of::<G>(), G::describe())
    }

    /// [`ModuleDescriptor::gateway`] for a provider and a description made by
    /// hand.
    pub fn gateway_provider(self, provider: Provider, gateway: GatewayDescriptor) -> Self {
        let key = provider.key();
        let needs = gateway.all_dependencies().into_iter();
        self.provide(needs.fold(provider, Provider::needs))
            .attach(key, gateway)
    }

    /// Attaches data about a provider that the container does not understand
    /// and hands back through [`Container::attachments`], such as the
    /// descriptor of a gateway.
    ///
    /// Of one type `A` a provider has one attachment: the first stays.
    ///
    /// [`Container::attachments`]: super::container::Container::attachments
    pub fn attach<A: Any + Send + Sync>(mut self, provider: Key, attachment: A) -> Self {
        self.attachments.push(Attached {
            provider,
            value: Arc::new(attachment),
        });
        self
    }
}

/// A type that can be listed in `providers(..)`: the macros implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be listed in `providers(..)`",
    label = "neither `#[injectable]` nor a gateway",
    note = "put `#[injectable]` on `{Self}`, or list a value with `value(..)` or a function with `factory(..)`"
)]
pub trait Provided: 'static {
    /// Adds the type to a module.
    fn provide(module: ModuleDescriptor) -> ModuleDescriptor;
}

/// Something attached to a provider.
pub(super) struct Attached {
    pub(super) provider: Key,
    pub(super) value: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attached({})", self.provider)
    }
}

/// Where a module comes from: a type, or a descriptor made by hand.
pub struct ModuleSource(pub(super) Source);

pub(super) enum Source {
    Type {
        key: Key,
        describe: fn() -> ModuleDescriptor,
    },
    Descriptor(ModuleDescriptor),
}

impl ModuleSource {
    /// The module that a type declares. Imported twice, it is the same module.
    pub fn of<M: Module>() -> Self {
        Self(Source::Type {
            key: Key::of::<M>(),
            describe: M::describe,
        })
    }
}

impl From<ModuleDescriptor> for ModuleSource {
    fn from(descriptor: ModuleDescriptor) -> Self {
        Self(Source::Descriptor(descriptor))
    }
}

impl fmt::Debug for ModuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Type { key, .. } => write!(f, "{key}"),
            Source::Descriptor(descriptor) => descriptor.fmt(f),
        }
    }
}
