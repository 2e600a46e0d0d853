//! The container: constructs every provider once, in the order of their needs.

mod error;
mod graph;

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;

pub use self::error::{ContainerError, ResolveError, WiringProblem};
pub use self::graph::ModuleId;

use self::graph::{Graph, Plan};
use super::module::ModuleSource;
use super::provider::{Hook, Instance, Key, Provider};

/// The instances of all providers, complete after [`Container::build`].
///
/// There is one instance of a type in an application. Modules decide who sees
/// it, not how many there are.
pub struct Container {
    graph: Graph,
    /// One place for each provider of the graph.
    instances: Vec<Option<Instance>>,
    ambient: Ambient,
    on_init: Mutex<VecDeque<PendingHook>>,
    on_shutdown: Mutex<Vec<PendingHook>>,
}

/// A container that is checked and not yet constructed.
pub struct Planned(Plan);

impl Planned {
    /// Constructs everything that the root modules, and those they import,
    /// provide. Async factories are awaited one after another, each after all
    /// that it needs.
    ///
    /// # Errors
    /// The first error of a constructor or factory, with the chain of those who
    /// need it.
    pub async fn construct(self, ambient: Ambient) -> Result<Container, ContainerError> {
        let Plan { graph, steps } = self.0;
        let mut container = Container {
            instances: graph.providers().map(|_| None).collect(),
            graph,
            ambient,
            on_init: Mutex::default(),
            on_shutdown: Mutex::default(),
        };
        for (index, provider) in steps {
            container.construct(index, provider).await?;
        }
        Ok(container)
    }

    /// Everything of type `A` that modules attached to their providers; see
    /// [`Container::attachments`].
    pub fn attachments<A: Any + Send + Sync>(&self) -> impl Iterator<Item = Attachment<A>> {
        attachments(&self.0.graph)
    }
}

impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.graph.providers()).finish()
    }
}

/// A hook that has not run.
struct PendingHook {
    provider: usize,
    hook: Hook,
}

impl Container {
    /// Works out what is to be constructed, and in which order; nothing is
    /// constructed yet.
    ///
    /// `overrides` replace providers of the same type wherever they are
    /// listed, which is for tests; they may need anything, whether it is
    /// exported or not. What only replaced providers needed is not constructed.
    ///
    /// # Errors
    /// What is missing, cyclic, invisible or provided twice, all together.
    pub fn plan(
        roots: Vec<ModuleSource>,
        overrides: Vec<Provider>,
    ) -> Result<Planned, ContainerError> {
        let plan = Graph::plan(roots, overrides).map_err(ContainerError::Wiring)?;
        Ok(Planned(plan))
    }

    /// [`Container::plan`] and [`Planned::construct`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub async fn build(
        roots: Vec<ModuleSource>,
        overrides: Vec<Provider>,
        ambient: Ambient,
    ) -> Result<Self, ContainerError> {
        Self::plan(roots, overrides)?.construct(ambient).await
    }

    async fn construct(&mut self, index: usize, provider: Provider) -> Result<(), ContainerError> {
        let Provider {
            key,
            construct,
            on_init,
            on_shutdown,
            ..
        } = provider;
        let resolver = Resolver {
            container: self,
            consumer: key,
            module: self.graph.home(index),
        };
        let instance = construct(&resolver)
            .await
            .map_err(|cause| ContainerError::Construct {
                provider: key,
                chain: self.graph.chain_to(index),
                cause,
            })?;
        self.instances[index] = Some(instance);
        let pending = |hook| PendingHook {
            provider: index,
            hook,
        };
        lock(&self.on_init).extend(on_init.map(pending));
        lock(&self.on_shutdown).extend(on_shutdown.map(pending));
        Ok(())
    }

    /// The instance of `T`, in whichever module it is provided.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.instance::<T>(self.graph.find(Key::of::<T>())?)
    }

    /// What is resolved later on behalf of somebody in a module, such as a guard
    /// that a gateway uses. It sees what that module sees.
    pub fn resolver_for(&self, consumer: Key, module: ModuleId) -> Resolver<'_> {
        Resolver {
            container: self,
            consumer,
            module: Some(module),
        }
    }

    /// Everything of type `A` that modules attached to their providers: the
    /// imported modules before those that import them, and in the order listed.
    pub fn attachments<A: Any + Send + Sync>(&self) -> impl Iterator<Item = Attachment<A>> {
        attachments(&self.graph)
    }

    /// The root modules, in the order given to [`Container::build`].
    pub fn roots(&self) -> &[ModuleId] {
        self.graph.roots()
    }

    /// The name of a module.
    pub fn module_name(&self, module: ModuleId) -> &str {
        self.graph.module_name(module)
    }

    /// Runs the init hooks in the order of construction, and stops at the first
    /// error. Whoever calls it decides how long it may take: when the future is
    /// dropped, the hook that was running is cancelled.
    pub async fn init(&self) -> Result<(), ContainerError> {
        while let Some(PendingHook { provider, hook }) = self.next_init() {
            let done = (hook.run)(self.constructed(provider)).await;
            done.map_err(|cause| ContainerError::Init {
                provider: self.graph.label(provider),
                cause,
            })?;
        }
        Ok(())
    }

    /// Runs the shutdown hooks in the reverse order of construction, each once.
    /// An error or a panic of one is logged and does not keep the others from
    /// running.
    ///
    /// Whoever calls it decides how long it may take: when the future is
    /// dropped, the hook that was running is cancelled, and another call goes
    /// on with the next.
    pub async fn shutdown(&self) {
        while let Some(PendingHook { provider, hook }) = self.next_shutdown() {
            let done = async { (hook.run)(self.constructed(provider)).await };
            let provider = self.graph.label(provider);
            match AssertUnwindSafe(done).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(provider, %error, "a shutdown hook failed"),
                Err(_) => tracing::error!(provider, "a shutdown hook panicked"),
            }
        }
    }

    fn next_init(&self) -> Option<PendingHook> {
        lock(&self.on_init).pop_front()
    }

    fn next_shutdown(&self) -> Option<PendingHook> {
        lock(&self.on_shutdown).pop()
    }

    fn constructed(&self, provider: usize) -> &Instance {
        self.instances[provider]
            .as_ref()
            .expect("a hook becomes pending when its provider has been constructed")
    }

    fn instance<T: ?Sized + Send + Sync + 'static>(&self, index: usize) -> Option<Arc<T>> {
        self.instances[index].as_ref()?.downcast_ref().cloned()
    }
}

fn attachments<A: Any + Send + Sync>(graph: &Graph) -> impl Iterator<Item = Attachment<A>> {
    graph.attachments().filter_map(|(module, provider, value)| {
        let value = Arc::clone(value).downcast().ok()?;
        Some(Attachment {
            provider,
            module,
            value,
        })
    })
}

/// No user code runs under these locks, so they are never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.graph.providers()).finish()
    }
}

/// What a module attached to a provider with
/// [`ModuleDescriptor::attach`](super::module::ModuleDescriptor::attach).
#[derive(Debug)]
pub struct Attachment<A> {
    /// The provider that it is about.
    pub provider: Key,
    /// The module that lists it.
    pub module: ModuleId,
    /// The attached value.
    pub value: Arc<A>,
}

/// Access to the container on behalf of one consumer.
#[derive(Clone, Copy)]
pub struct Resolver<'c> {
    container: &'c Container,
    consumer: Key,
    /// Where the consumer is at home. An override is nowhere, and sees all.
    module: Option<ModuleId>,
}

impl<'c> Resolver<'c> {
    /// Who is asking: the type that is being constructed, or uses something
    /// later.
    pub fn consumer(&self) -> Key {
        self.consumer
    }

    /// The instance of `T`, if the consumer sees one.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let index = self
            .container
            .graph
            .find_visible(self.module, Key::of::<T>())?;
        self.container.instance(index)
    }

    /// The instance of `T`, or an error that says what to do about it.
    pub fn require<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ResolveError> {
        self.get().ok_or_else(|| {
            let needed = Key::of::<T>();
            let advice = self
                .container
                .graph
                .advice(self.module, self.consumer, needed);
            ResolveError {
                consumer: self.consumer,
                needed,
                advice,
            }
        })
    }

    /// A value that the application put into the container before anything was
    /// constructed, for [`FromContainer`](super::provider::FromContainer)
    /// implementations that need no provider.
    pub fn ambient<T: Send + Sync + 'static>(&self) -> Option<&'c T> {
        self.container.ambient.get()
    }
}

impl fmt::Debug for Resolver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resolver(for {})", self.consumer)
    }
}

/// Values that are there before anything is constructed, one of each type.
#[derive(Default)]
pub struct Ambient(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Ambient {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value, in place of a former one of the same type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
        self
    }

    /// The value of this type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ambient({} values)", self.0.len())
    }
}
