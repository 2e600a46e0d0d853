//! The client that sent the message.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use super::FromContext;
use crate::dispatch::context::ExecutionContext;
use crate::error::WsException;
use crate::session::Client;

/// The client that sent the message; derefs to [`Client`].
#[derive(Clone, Debug)]
pub struct ConnectedSocket(pub Client);

impl Deref for ConnectedSocket {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl FromContext for ConnectedSocket {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(context.client().clone()))
    }
}

/// The typed identity that a connection guard left on the client
/// (`context.data().insert(user)`). Without one the message is answered with
/// code `unauthorized`.
#[derive(Debug)]
pub struct Auth<T>(pub Arc<T>);

impl<T> Clone for Auth<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Auth<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromContext for Auth<T> {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        context
            .client()
            .data()
            .get::<T>()
            .map(Self)
            .ok_or_else(|| WsException::unauthorized("Not authenticated"))
    }
}

/// A typed value that each client has of its own, made by `Default` when it is
/// first asked for.
pub struct State<T>(Arc<Mutex<T>>);

impl<T> State<T> {
    /// Reads or changes the value. The lock is held while `access` runs, so it
    /// cannot await.
    pub fn with<R>(&self, access: impl FnOnce(&mut T) -> R) -> R {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the value and returns the former one.
    pub fn set(&self, value: T) -> T {
        self.with(|current| std::mem::replace(current, value))
    }

    /// A copy of the value.
    #[must_use]
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.with(|current| current.clone())
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> std::fmt::Debug for State<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State<{}>", std::any::type_name::<T>())
    }
}

impl<T: Default + Send + 'static> FromContext for State<T> {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(context.client().state())
    }
}

impl Client {
    /// The client's value of this type, made by `Default` when it is first
    /// asked for: what the extractor [`State`] gives to handlers, for hooks.
    #[must_use]
    pub fn state<T: Default + Send + 'static>(&self) -> State<T> {
        State(self.data().get_or_insert_with(Mutex::<T>::default))
    }
}
