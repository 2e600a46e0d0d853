//! A queue that is nearly always empty.

use std::collections::VecDeque;

/// Items in their order, behind a pointer: every connection has several such queues, and nearly all of
/// them are empty nearly all the time.
#[derive(Debug)]
#[expect(
    clippy::box_collection,
    reason = "empty, it is a quarter of the size, and it is nearly always empty"
)]
pub(crate) struct Few<T>(Option<Box<VecDeque<T>>>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Few<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|items| items.is_empty())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |items| items.len())
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.0.as_ref()?.front()
    }

    pub(crate) fn back(&self) -> Option<&T> {
        self.0.as_ref()?.back()
    }

    pub(crate) fn back_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.back_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|items| items.iter())
    }

    pub(crate) fn push_back(&mut self, item: T) {
        self.0.get_or_insert_default().push_back(item);
    }

    pub(crate) fn push_front(&mut self, item: T) {
        self.0.get_or_insert_default().push_front(item);
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        self.0.as_mut()?.pop_front()
    }

    pub(crate) fn remove(&mut self, index: usize) -> Option<T> {
        self.0.as_mut()?.remove(index)
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        if let Some(items) = &mut self.0 {
            items.retain(keep);
        }
    }

    /// All items, in their order; the queue is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<T> {
        self.0.take().map_or_else(Vec::new, |items| (*items).into())
    }

    /// Memory that is kept for further items, in items.
    pub(crate) fn spare(&self) -> usize {
        self.0.as_ref().map_or(0, |items| items.capacity())
    }

    /// Gives all memory back, with what is in it.
    pub(crate) fn release(&mut self) {
        self.0 = None;
    }
}
