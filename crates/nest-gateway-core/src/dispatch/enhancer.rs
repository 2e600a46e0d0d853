//! Guards, interceptors, pipes and filters as they are listed on a gateway, a
//! method or an application, and as they run.

use std::any::Any;
use std::sync::Arc;

use super::filter::{DynFilter, ExceptionFilter};
use super::guard::{DynGuard, Guard};
use super::interceptor::{DynInterceptor, Interceptor};
use super::pipe::{DynPipe, Pipe};
use crate::gateway::{Dependency, ResolveError, Resolver};

/// A listed guard, interceptor, pipe or filter: a provider's type, resolved
/// once at start-up, or a value.
pub struct Enhancer<T: ?Sized>(Source<T>);

enum Source<T: ?Sized> {
    Provided {
        dependency: Dependency,
        resolve: fn(&Resolver<'_>) -> Result<Arc<T>, ResolveError>,
    },
    Value(Arc<T>),
}

impl<T: ?Sized> Clone for Enhancer<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Source::Provided {
                dependency,
                resolve,
            } => Source::Provided {
                dependency: *dependency,
                resolve: *resolve,
            },
            Source::Value(value) => Source::Value(Arc::clone(value)),
        })
    }
}

impl<T: ?Sized> Enhancer<T> {
    fn provided<P: Any + Send + Sync>(
        resolve: fn(&Resolver<'_>) -> Result<Arc<T>, ResolveError>,
    ) -> Self {
        Self(Source::Provided {
            dependency: Dependency::on::<P>(),
            resolve,
        })
    }

    /// The provider that it needs, if it is one.
    #[must_use]
    pub fn dependency(&self) -> Option<&Dependency> {
        match &self.0 {
            Source::Provided { dependency, .. } => Some(dependency),
            Source::Value(_) => None,
        }
    }

    pub(crate) fn resolve(&self, resolver: &Resolver<'_>) -> Result<Arc<T>, ResolveError> {
        match &self.0 {
            Source::Provided { resolve, .. } => resolve(resolver),
            Source::Value(value) => Ok(Arc::clone(value)),
        }
    }
}

macro_rules! enhancer {
    ($dynamic:ident, $concrete:ident) => {
        impl Enhancer<dyn $dynamic> {
            /// The provider of this type.
            #[must_use]
            pub fn of<P: $concrete>() -> Self {
                Self::provided::<P>(|resolver| Ok(resolver.require::<P>()?))
            }

            /// This value.
            #[must_use]
            pub fn value<P: $concrete>(value: P) -> Self {
                Self(Source::Value(Arc::new(value)))
            }
        }
    };
}
enhancer!(DynGuard, Guard);
enhancer!(DynInterceptor, Interceptor);
enhancer!(DynPipe, Pipe);
enhancer!(DynFilter, ExceptionFilter);

/// All that is listed in one place: on the application, a gateway or a method.
#[derive(Clone, Default)]
pub struct Enhancers {
    pub(crate) guards: Vec<Enhancer<dyn DynGuard>>,
    pub(crate) interceptors: Vec<Enhancer<dyn DynInterceptor>>,
    pub(crate) pipes: Vec<Enhancer<dyn DynPipe>>,
    pub(crate) filters: Vec<Enhancer<dyn DynFilter>>,
}

impl Enhancers {
    /// Nothing listed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a guard.
    #[must_use]
    pub fn guard(mut self, guard: Enhancer<dyn DynGuard>) -> Self {
        self.guards.push(guard);
        self
    }

    /// Adds an interceptor.
    #[must_use]
    pub fn interceptor(mut self, interceptor: Enhancer<dyn DynInterceptor>) -> Self {
        self.interceptors.push(interceptor);
        self
    }

    /// Adds a pipe.
    #[must_use]
    pub fn pipe(mut self, pipe: Enhancer<dyn DynPipe>) -> Self {
        self.pipes.push(pipe);
        self
    }

    /// Adds an exception filter.
    #[must_use]
    pub fn filter(mut self, filter: Enhancer<dyn DynFilter>) -> Self {
        self.filters.push(filter);
        self
    }

    /// The short names of the guards, interceptors, pipes and filters; `value`
    /// for those that are no providers.
    #[must_use]
    pub fn names(&self) -> [Vec<String>; 4] {
        fn all<T: ?Sized>(listed: &[Enhancer<T>]) -> Vec<String> {
            let name = |e: &Enhancer<T>| e.dependency().map(|d| d.key.short_name());
            let names = listed.iter().map(|e| name(e).unwrap_or("value".to_owned()));
            names.collect()
        }
        [
            all(&self.guards),
            all(&self.interceptors),
            all(&self.pipes),
            all(&self.filters),
        ]
    }

    /// The providers that these need.
    pub fn dependencies(&self) -> impl Iterator<Item = &Dependency> {
        let guards = self.guards.iter().filter_map(Enhancer::dependency);
        let interceptors = self.interceptors.iter().filter_map(Enhancer::dependency);
        let pipes = self.pipes.iter().filter_map(Enhancer::dependency);
        let filters = self.filters.iter().filter_map(Enhancer::dependency);
        guards.chain(interceptors).chain(pipes).chain(filters)
    }
}

/// The enhancers of one place, resolved.
#[derive(Clone, Default)]
pub(crate) struct BoundEnhancers {
    pub(crate) guards: Vec<Arc<dyn DynGuard>>,
    pub(crate) interceptors: Vec<Arc<dyn DynInterceptor>>,
    pub(crate) pipes: Vec<Arc<dyn DynPipe>>,
    pub(crate) filters: Vec<Arc<dyn DynFilter>>,
}

impl BoundEnhancers {
    pub(crate) fn resolve(
        listed: &Enhancers,
        resolver: &Resolver<'_>,
    ) -> Result<Self, ResolveError> {
        fn all<T: ?Sized>(
            listed: &[Enhancer<T>],
            resolver: &Resolver<'_>,
        ) -> Result<Vec<Arc<T>>, ResolveError> {
            listed.iter().map(|e| e.resolve(resolver)).collect()
        }
        Ok(Self {
            guards: all(&listed.guards, resolver)?,
            interceptors: all(&listed.interceptors, resolver)?,
            pipes: all(&listed.pipes, resolver)?,
            filters: all(&listed.filters, resolver)?,
        })
    }

    /// These, then the inner ones: the order of guards, interceptors and pipes.
    pub(crate) fn followed_by(&self, inner: Self) -> Self {
        let mut all = self.clone();
        all.guards.extend(inner.guards);
        all.interceptors.extend(inner.interceptors);
        all.pipes.extend(inner.pipes);
        all.filters.extend(inner.filters);
        all
    }
}
