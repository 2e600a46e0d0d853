//! A few clients that get the same.

use std::any::Any;

use super::{Burst, Outlet};

/// A few clients that get the same [`Burst`], for [`Outlet::send_to_group`].
pub struct Group<'a> {
    outlets: &'a [&'a dyn Outlet],
    burst: Burst<'a>,
    /// One bit for each outlet.
    refused: u8,
}

impl<'a> Group<'a> {
    /// The most outlets in a group.
    pub(crate) const MAX: usize = 8;

    pub(crate) fn new(outlets: &'a [&'a dyn Outlet], burst: Burst<'a>) -> Self {
        debug_assert!(outlets.len() <= Self::MAX);
        Self {
            outlets,
            burst,
            refused: 0,
        }
    }

    /// Has the outlets take the burst; returns who did not, by their places.
    pub(crate) fn send(mut self) -> impl ExactSizeIterator<Item = usize> {
        if let Some(first) = self.outlets.first() {
            first.send_to_group(&mut self);
        }
        Refused(self.refused)
    }

    /// What all of them get.
    #[must_use]
    pub fn burst(&self) -> Burst<'a> {
        self.burst
    }

    /// The outlets in their order, if all are of this type, as those of an adapter
    /// with one type of outlets are.
    #[must_use]
    pub fn outlets<T: Outlet>(&self) -> Option<impl Iterator<Item = &'a T> + use<'a, T>> {
        let known = |outlet: &&'a dyn Outlet| {
            let outlet: &'a dyn Any = *outlet;
            outlet.downcast_ref::<T>()
        };
        let all = self.outlets.iter().all(|outlet| known(outlet).is_some());
        all.then(|| self.outlets.iter().filter_map(known))
    }

    /// Notes that the outlet with this number has taken nothing of the burst, as
    /// when [`Outlet::send_burst`] returns `false`. A number that no outlet has is
    /// ignored.
    pub fn refuse(&mut self, outlet: usize) {
        if outlet < self.outlets.len() {
            self.refused |= 1 << outlet;
        }
    }

    /// Gives the burst to [`Outlet::send_burst`] of one outlet after the other.
    pub fn send_to_each(&mut self) {
        for (number, outlet) in self.outlets.iter().enumerate() {
            if !outlet.send_burst(self.burst) {
                self.refused |= 1 << number;
            }
        }
    }
}

/// The places of the bits that are set.
struct Refused(u8);

impl Iterator for Refused {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let next = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (next < u8::BITS).then_some(next as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.count_ones() as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Refused {}
