//! Typed values of one client.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// Typed values that belong to one client: its identity, its state. One value
/// for each type; empty, it costs a pointer.
#[derive(Default)]
pub struct ClientData(Mutex<Option<Box<Values>>>);

impl ClientData {
    /// Stores a value; the former one of this type is returned.
    pub fn insert<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        self.insert_arc(Arc::new(value))
    }

    /// Stores a shared value.
    pub fn insert_arc<T: Send + Sync + 'static>(&self, value: Arc<T>) -> Option<Arc<T>> {
        let mut values = self.lock();
        let former = values
            .get_or_insert_default()
            .insert(TypeId::of::<T>(), value);
        former.and_then(|former| former.downcast().ok())
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let value = self.lock().as_ref()?.get(&TypeId::of::<T>())?.clone();
        value.downcast().ok()
    }

    /// The value of this type, made when there is none.
    pub fn get_or_insert_with<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get() {
            return value;
        }
        // User code runs outside of the lock; if two race, the first one stays.
        let value: Arc<T> = Arc::new(make());
        let mut values = self.lock();
        let current = values
            .get_or_insert_default()
            .entry(TypeId::of::<T>())
            .or_insert_with(|| value.clone())
            .clone();
        current.downcast().unwrap_or(value)
    }

    /// Takes over the values of a former client that this one does not have.
    pub(crate) fn inherit(&self, former: &Self) {
        let inherited = former.lock().take();
        let mut values = self.lock();
        for (type_id, value) in inherited.into_iter().flat_map(|values| *values) {
            values
                .get_or_insert_default()
                .entry(type_id)
                .or_insert(value);
        }
    }

    /// Removes and returns the value of this type.
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let value = self.lock().as_mut()?.remove(&TypeId::of::<T>())?;
        value.downcast().ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<Values>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ClientData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.lock().as_ref().map_or(0, |values| values.len());
        write!(f, "ClientData({count} values)")
    }
}
