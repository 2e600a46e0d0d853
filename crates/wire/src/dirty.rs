//! The list of outboxes that have something to write.

use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, lock};

/// Items on their way to one task that takes them all at once.
///
/// The task is woken when the list stops being empty, and not once for each item.
#[derive(Debug)]
pub(crate) struct DirtyList<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    items: Vec<T>,
    waker: Option<Waker>,
    closed: bool,
}

impl<T> DirtyList<T> {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                items: Vec::new(),
                waker: None,
                closed: false,
            }),
        }
    }

    /// Adds an item; it is bounded by its callers, each of which is on the list once at most.
    pub(crate) fn push(&self, item: T) {
        let mut inner = lock(&self.inner);
        inner.items.push(item);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for items and swaps them into `batch`, which has to be empty; `false` when the list is
    /// closed and empty.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, batch: &mut Vec<T>) -> Poll<bool> {
        let mut inner = lock(&self.inner);
        if !inner.items.is_empty() {
            std::mem::swap(&mut inner.items, batch);
            return Poll::Ready(true);
        }
        if inner.closed {
            return Poll::Ready(false);
        }
        if !inner
            .waker
            .as_ref()
            .is_some_and(|w| w.will_wake(cx.waker()))
        {
            inner.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Appends what is there to `batch` without waiting.
    pub(crate) fn take_more(&self, batch: &mut Vec<T>) {
        batch.append(&mut lock(&self.inner).items);
    }

    /// Ends the taking task once the list is empty.
    pub(crate) fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.closed = true;
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
