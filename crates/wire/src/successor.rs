//! What goes on with a connection behind its handshake, in the same task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// The life of a connection behind its handshake.
pub type Rest = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection does next.
pub(crate) enum Next {
    /// Something that says what follows on it.
    Part(Pin<Box<dyn Future<Output = Self> + Send>>),
    /// The rest of its life.
    Rest(Rest),
    /// Nothing.
    End,
}

/// The task of a connection: its handshake, then the connection itself.
///
/// Each part is in memory of its own, which is given back before the next one begins. So an idle
/// connection does not carry along what its handshake needed, and needs no second task: tokio aligns
/// the memory of tasks to 128 bytes, and each of them leaves gaps.
pub(crate) struct Relay(Next);

impl Relay {
    pub(crate) fn new(first: impl Future<Output = Next> + Send + 'static) -> Self {
        Self(Next::Part(Box::pin(first)))
    }
}

impl Future for Relay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.0 = match &mut self.0 {
                Next::Part(part) => ready!(part.as_mut().poll(cx)),
                Next::Rest(rest) => {
                    ready!(rest.as_mut().poll(cx));
                    Next::End
                }
                Next::End => return Poll::Ready(()),
            };
        }
    }
}

/// Where it is set what follows on an upgrade, in the extensions of each request of the accept
/// loop.
#[derive(Clone, Default)]
pub(crate) struct Successor(Arc<Mutex<Option<Next>>>);

impl Successor {
    /// Sets it; one that was set before is dropped.
    pub(crate) fn set(&self, next: Next) {
        drop(self.replace(Some(next)));
    }

    /// Takes it out; if there is none, the connection ends.
    pub(crate) fn take(&self) -> Next {
        self.replace(None).unwrap_or(Next::End)
    }

    fn replace(&self, next: Option<Next>) -> Option<Next> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place, next)
    }
}

impl fmt::Debug for Successor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Successor")
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn the_memory_of_a_part_is_given_back_before_the_next_one_runs() {
        let handshake = Arc::new(());
        let held = Arc::downgrade(&handshake);
        let rest = async move { assert_eq!(held.strong_count(), 0) };
        let mut next = Some(Next::Rest(Box::pin(rest)));
        let first = poll_fn(move |_| {
            assert_eq!(Arc::strong_count(&handshake), 1);
            Poll::Ready(next.take().expect("polled once"))
        });
        Relay::new(first).await;
    }
}
