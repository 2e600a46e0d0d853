//! A queue whose first item needs no memory of its own.

use crate::few::Few;

/// Items in their order. Most connections have none or one at a time, and then nothing is allocated.
#[derive(Debug)]
pub(crate) struct Line<T> {
    /// Filled whenever anything is queued.
    first: Option<T>,
    others: Few<T>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            first: None,
            others: Few::default(),
        }
    }
}

impl<T> Line<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// The item, if there is one only.
    pub(crate) fn only(&self) -> Option<&T> {
        self.first.as_ref().filter(|_| self.others.is_empty())
    }

    pub(crate) fn back(&self) -> Option<&T> {
        self.others.back().or(self.first.as_ref())
    }

    pub(crate) fn back_mut(&mut self) -> Option<&mut T> {
        self.others.back_mut().or(self.first.as_mut())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.others.iter())
    }

    #[expect(
        clippy::inline_always,
        reason = "measured: an item is made in its place; handed over, it is read back in larger pieces \
                  than it was just written in, and the processor waits for the writes"
    )]
    #[inline(always)]
    pub(crate) fn push_back(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.others.push_back(item);
        }
    }

    pub(crate) fn push_front(&mut self, item: T) {
        if let Some(second) = self.first.replace(item) {
            self.others.push_front(second);
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let item = self.first.take();
        self.first = self.others.pop_front();
        item
    }

    /// Keeps the items that `keep` says yes to; it is asked from front to back.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let first = self.first.as_ref().is_none_or(&mut keep);
        self.others.retain(&mut keep);
        if !first {
            self.first = self.others.pop_front();
        }
    }

    /// Memory that is kept for further items, in items.
    pub(crate) fn spare(&self) -> usize {
        self.others.spare()
    }

    /// Gives all memory back; the line has to be empty.
    pub(crate) fn release(&mut self) {
        debug_assert!(self.is_empty(), "items would be lost");
        self.others.release();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        PushBack(u8),
        PushFront(u8),
        PopFront,
        RetainBelow(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => any::<u8>().prop_map(Step::PushBack),
            2 => any::<u8>().prop_map(Step::PushFront),
            3 => Just(Step::PopFront),
            1 => any::<u8>().prop_map(Step::RetainBelow),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_double_ended_queue(steps in vec(step(), 0..60)) {
            let (mut line, mut model) = (Line::default(), VecDeque::new());
            for step in steps {
                match step {
                    Step::PushBack(item) => {
                        line.push_back(item);
                        model.push_back(item);
                    }
                    Step::PushFront(item) => {
                        line.push_front(item);
                        model.push_front(item);
                    }
                    Step::PopFront => prop_assert_eq!(line.pop_front(), model.pop_front()),
                    Step::RetainBelow(limit) => {
                        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                        let keep = |item: &u8, asked: &mut Vec<u8>| {
                            asked.push(*item);
                            *item < limit
                        };
                        line.retain(|item| keep(item, &mut ours));
                        model.retain(|item| keep(item, &mut theirs));
                        prop_assert_eq!(ours, theirs);
                    }
                }
                prop_assert!(line.iter().eq(&model));
                prop_assert_eq!(line.front(), model.front());
                prop_assert_eq!(line.back(), model.back());
                prop_assert_eq!(line.only(), model.front().filter(|_| model.len() == 1));
                prop_assert_eq!(line.is_empty(), model.is_empty());
            }
        }
    }

    #[test]
    fn one_item_at_a_time_allocates_nothing() {
        let mut line = Line::default();
        for item in 0..10 {
            line.push_back(item);
            assert_eq!(line.pop_front(), Some(item));
        }
        assert_eq!(line.spare(), 0);
    }
}
