//! Providers: what the container can construct, and from what.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::future::{Future, ready};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::container::{ResolveError, Resolver};
use crate::error::BoxError;

/// Names a provided type: a struct, or a `dyn Trait`.
#[derive(Clone, Copy)]
pub struct Key {
    id: TypeId,
    name: &'static str,
}

impl Key {
    /// The key of `T`. What is injected for it is an `Arc<T>`.
    pub fn of<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }

    /// The name for people, without module paths: `ChatService`, or
    /// `Arc<dyn Store>` for a trait.
    pub fn short_name(&self) -> String {
        let name = without_paths(self.name);
        if name.starts_with("dyn ") {
            format!("Arc<{name}>")
        } else {
            name
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short_name())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

/// `my::app::Cache<my::app::User>` as `Cache<User>`.
pub(super) fn without_paths(type_name: &str) -> String {
    let mut short = String::with_capacity(type_name.len());
    let mut segment = 0;
    let mut rest = type_name;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::")
            && short.len() > segment
        {
            short.truncate(segment);
            rest = after;
            continue;
        }
        short.push(c);
        rest = &rest[c.len_utf8()..];
        if !(c.is_alphanumeric() || c == '_') {
            segment = short.len();
        }
    }
    short
}

/// What a provider needs before it can be constructed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    /// What is needed.
    pub key: Key,
    /// Whether the provider is content without it.
    pub optional: bool,
}

impl Dependency {
    /// A dependency that has to be there.
    pub fn on<T: ?Sized + 'static>() -> Self {
        Self {
            key: Key::of::<T>(),
            optional: false,
        }
    }

    /// The same, but not having it is fine.
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }
}

/// A type that the container constructs from other providers.
///
/// `#[injectable]` and `#[websocket_gateway]` implement it. By hand:
///
/// ```
/// # use std::sync::Arc;
/// # use nest_gateway_core::error::BoxError;
/// # use nest_gateway_core::gateway::{Dependency, FromContainer, Injectable, Resolver};
/// struct Clock;
///
/// struct ChatService {
///     clock: Arc<Clock>,
/// }
///
/// impl Injectable for ChatService {
///     fn dependencies() -> Vec<Dependency> {
///         vec![Dependency::on::<Clock>()]
///     }
///
///     async fn construct(resolver: &Resolver<'_>) -> Result<Self, BoxError> {
///         Ok(Self { clock: FromContainer::resolve(resolver)? })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the container does not know how to construct `{Self}`",
    label = "not injectable",
    note = "add `#[injectable]` to `{Self}`, or provide a value of it with `Provider::value(..)` or `Provider::factory_with(..)`"
)]
pub trait Injectable: Sized + Send + Sync + 'static {
    /// Everything that [`construct`](Injectable::construct) resolves. It is
    /// constructed before, and a start-up error when it is not there.
    fn dependencies() -> Vec<Dependency>;

    /// Constructs the one instance. Called at most once, at start-up.
    fn construct(resolver: &Resolver<'_>) -> impl Future<Output = Result<Self, BoxError>> + Send;
}

/// What can be a field of an injectable: `Arc<T>`, `Arc<dyn Trait>`, and
/// either in an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be injected",
    label = "not something the container hands out",
    note = "the container hands out shared values: write `Arc<{Self}>`, or `Option<Arc<{Self}>>` if it may be absent",
    note = "a field that is not injected has `#[inject(default)]` or `#[inject(value = ..)]`"
)]
pub trait FromContainer: Sized {
    /// The provider that this comes from; `None` when it needs none.
    fn dependency() -> Option<Dependency>;

    /// Takes it from the container.
    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ResolveError>;
}

impl<T: ?Sized + Send + Sync + 'static> FromContainer for Arc<T> {
    fn dependency() -> Option<Dependency> {
        Some(Dependency::on::<T>())
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ResolveError> {
        resolver.require::<T>()
    }
}

impl<T: ?Sized + Send + Sync + 'static> FromContainer for Option<Arc<T>> {
    fn dependency() -> Option<Dependency> {
        Some(Dependency::on::<T>().optional())
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ResolveError> {
        Ok(resolver.get::<T>())
    }
}

/// One thing that a module provides: how to get it, what it needs for that, and
/// what to do with it at start and at shutdown.
pub struct Provider {
    pub(super) key: Key,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) kind: Kind,
    pub(super) construct: Construct,
    pub(super) on_init: Option<Hook>,
    pub(super) on_shutdown: Option<Hook>,
}

/// Whether listing the provider twice says the same thing twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The type says how; one more listing adds nothing.
    Type,
    /// A value, factory or binding; another one is a contradiction.
    Particular,
}

/// An `Arc<T>`, of which only the container's types know the `T`.
pub(super) type Instance = Box<dyn Any + Send + Sync>;

pub(super) type Construct =
    Box<dyn for<'r> FnOnce(&'r Resolver<'r>) -> BoxFuture<'r, Result<Instance, BoxError>> + Send>;

/// A function over the instance of a provider.
pub(super) struct Hook {
    /// The type it was written for.
    pub(super) key: Key,
    pub(super) run: HookFn,
}

type HookFn = Box<dyn FnOnce(&Instance) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

impl Provider {
    /// A type that says itself how it is constructed.
    pub fn of<T: Injectable>() -> Self {
        let construct: Construct =
            Box::new(|resolver| Box::pin(async move { Ok(share(T::construct(resolver).await?)) }));
        Self::new::<T>(Kind::Type, T::dependencies(), construct)
    }

    /// A value that exists already.
    pub fn value<T: Send + Sync + 'static>(value: T) -> Self {
        Self::arc(Arc::new(value))
    }

    /// A value that exists already and is shared with somebody else. With a
    /// `dyn Trait` inside, it is a binding of that trait.
    pub fn arc<T: ?Sized + Send + Sync + 'static>(value: Arc<T>) -> Self {
        let construct: Construct = Box::new(|_| Box::pin(ready(Ok(Box::new(value) as Instance))));
        Self::new::<T>(Kind::Particular, Vec::new(), construct)
    }

    /// A function that constructs the value out of what its arguments name.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use nest_gateway_core::gateway::Provider;
    /// # struct Config { url: String }
    /// # struct Store { url: String }
    /// # impl Store { async fn connect(url: &str) -> std::io::Result<Store> { Ok(Store { url: url.into() }) } }
    /// Provider::factory_with(|config: Arc<Config>| async move { Store::connect(&config.url).await });
    /// ```
    pub fn factory_with<Args, T, F>(factory: F) -> Self
    where
        T: Send + Sync + 'static,
        F: Factory<Args, Output = T>,
    {
        let construct: Construct = Box::new(move |resolver| {
            let value = factory.call(resolver);
            Box::pin(async move { Ok(share(value.await?)) })
        });
        Self::new::<T>(Kind::Particular, F::dependencies(), construct)
    }

    /// The general form of [`factory_with`](Provider::factory_with): a function
    /// that takes what it needs from the resolver. All of it must be listed.
    ///
    /// ```
    /// # use nest_gateway_core::gateway::{Dependency, Provider};
    /// # struct Config; struct Store;
    /// Provider::factory(vec![Dependency::on::<Config>()], |resolver| {
    ///     Box::pin(async move {
    ///         let config = resolver.require::<Config>()?;
    ///         # let _ = config;
    ///         Ok(Store)
    ///     })
    /// });
    /// ```
    pub fn factory<T, F>(dependencies: Vec<Dependency>, factory: F) -> Self
    where
        T: Send + Sync + 'static,
        F: for<'r> FnOnce(&'r Resolver<'r>) -> BoxFuture<'r, Result<T, BoxError>> + Send + 'static,
    {
        let construct: Construct = Box::new(move |resolver| {
            let value = factory(resolver);
            Box::pin(async move { Ok(share(value.await?)) })
        });
        Self::new::<T>(Kind::Particular, dependencies, construct)
    }

    /// Provides `D`, mostly a `dyn Trait`, by the provider of `T`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use nest_gateway_core::gateway::Provider;
    /// # trait Store: Send + Sync {} struct RedisStore; impl Store for RedisStore {}
    /// Provider::bind::<dyn Store, RedisStore>(|redis| redis);
    /// ```
    pub fn bind<D, T>(convert: fn(Arc<T>) -> Arc<D>) -> Self
    where
        D: ?Sized + Send + Sync + 'static,
        T: ?Sized + Send + Sync + 'static,
    {
        let construct: Construct = Box::new(move |resolver| {
            let bound = resolver.require::<T>();
            Box::pin(ready(
                bound
                    .map(|it| Box::new(convert(it)) as Instance)
                    .map_err(Into::into),
            ))
        });
        Self::new::<D>(Kind::Particular, vec![Dependency::on::<T>()], construct)
    }

    /// What is provided.
    pub fn key(&self) -> Key {
        self.key
    }

    /// What has to be constructed before.
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// Adds a dependency that the type itself does not name, such as the guards
    /// that a gateway uses.
    #[must_use]
    pub fn needs(mut self, dependency: Dependency) -> Self {
        self.dependencies.push(dependency);
        self
    }

    /// Runs at start-up, once all providers are constructed and those before
    /// this one have run theirs. An error stops the start-up.
    ///
    /// `T` is the provided type; another one is reported when the container is
    /// built. Macros attach [`OnModuleInit`](super::module::OnModuleInit) so.
    #[must_use]
    pub fn on_init<T, F, Fut>(mut self, hook: F) -> Self
    where
        T: ?Sized + Send + Sync + 'static,
        F: FnOnce(Arc<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.on_init = Some(Hook::new(hook));
        self
    }

    /// Runs at shutdown, after those of all providers constructed later, which
    /// may be using this one.
    ///
    /// `T` is the provided type; another one is reported when the container is
    /// built. Macros attach [`OnShutdown`](super::module::OnShutdown) so.
    #[must_use]
    pub fn on_shutdown<T, F, Fut>(mut self, hook: F) -> Self
    where
        T: ?Sized + Send + Sync + 'static,
        F: FnOnce(Arc<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.on_shutdown = Some(Hook::new(hook));
        self
    }

    fn new<T: ?Sized + 'static>(
        kind: Kind,
        dependencies: Vec<Dependency>,
        construct: Construct,
    ) -> Self {
        Self {
            key: Key::of::<T>(),
            dependencies,
            kind,
            construct,
            on_init: None,
            on_shutdown: None,
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("key", &self.key)
            .field("dependencies", &self.dependencies)
            .finish_non_exhaustive()
    }
}

fn share<T: Send + Sync + 'static>(value: T) -> Instance {
    Box::new(Arc::new(value))
}

impl Hook {
    fn new<T, F, Fut>(hook: F) -> Self
    where
        T: ?Sized + Send + Sync + 'static,
        F: FnOnce(Arc<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self {
            key: Key::of::<T>(),
            run: Box::new(|instance| {
                let instance = instance
                    .downcast_ref::<Arc<T>>()
                    .expect("a container is only built if hooks take what their provider provides");
                Box::pin(hook(Arc::clone(instance)))
            }),
        }
    }
}

/// An async function whose arguments come from the container, for
/// [`Provider::factory_with`]. Implemented for closures of up to eight.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a factory of the container",
    note = "a factory is `|a: Arc<A>, b: Arc<B>| async move {{ Ok::<_, Error>(value) }}`: its arguments are `Arc<_>` or `Option<Arc<_>>` with their types written out, and its future is `Send` and yields a `Result`"
)]
pub trait Factory<Args>: Send + 'static {
    /// What the factory makes.
    type Output;

    /// What the arguments name.
    fn dependencies() -> Vec<Dependency>;

    /// Resolves the arguments and calls the function.
    fn call(self, resolver: &Resolver<'_>) -> BoxFuture<'static, Result<Self::Output, BoxError>>;
}

macro_rules! factory {
    ($($arg:ident)*) => {
        impl<Func, Fut, T, E, $($arg,)*> Factory<($($arg,)*)> for Func
        where
            Func: FnOnce($($arg,)*) -> Fut + Send + 'static,
            Fut: Future<Output = Result<T, E>> + Send + 'static,
            T: Send + 'static,
            E: Into<BoxError>,
            $($arg: FromContainer,)*
        {
            type Output = T;

            fn dependencies() -> Vec<Dependency> {
                let dependencies: Vec<Option<Dependency>> = vec![$($arg::dependency(),)*];
                dependencies.into_iter().flatten().collect()
            }

            #[allow(unused_variables, reason = "a factory without arguments resolves nothing")]
            fn call(self, resolver: &Resolver<'_>) -> BoxFuture<'static, Result<T, BoxError>> {
                #[allow(clippy::redundant_closure_call, reason = "it is what `?` returns from")]
                let resolved = (|| Ok::<_, ResolveError>(($($arg::resolve(resolver)?,)*)))();
                match resolved {
                    #[allow(non_snake_case, reason = "the argument is named as its type")]
                    Ok(($($arg,)*)) => {
                        let value = self($($arg,)*);
                        Box::pin(async move { value.await.map_err(Into::into) })
                    }
                    Err(error) => Box::pin(ready(Err(error.into()))),
                }
            }
        }
    };
}

factory!();
factory!(A);
factory!(A B);
factory!(A B C);
factory!(A B C D);
factory!(A B C D G);
factory!(A B C D G H);
factory!(A B C D G H I);
factory!(A B C D G H I J);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_people_have_no_module_paths() {
        for (full, short) in [
            ("my::app::ChatService", "ChatService"),
            (
                "my::Cache<my::app::User, alloc::vec::Vec<u8>>",
                "Cache<User, Vec<u8>>",
            ),
            ("dyn my::Store", "dyn Store"),
            (
                "dyn my::Store<Item = core::option::Option<u8>> + core::marker::Send",
                "dyn Store<Item = Option<u8>> + Send",
            ),
            ("&'static [(my::A, my::b::B)]", "&'static [(A, B)]"),
            ("fn(a::A) -> b::B", "fn(A) -> B"),
            ("u8", "u8"),
        ] {
            assert_eq!(without_paths(full), short);
        }
        assert_eq!(Key::of::<dyn std::any::Any>().to_string(), "Arc<dyn Any>");
        assert_eq!(Key::of::<Vec<String>>().to_string(), "Vec<String>");
    }
}
