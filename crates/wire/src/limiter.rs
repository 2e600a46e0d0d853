//! How many connections there are, and how many there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Counts connections against a total and a cap per address.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    shared: Arc<Shared>,
    /// Of connections whose addresses nobody counts.
    anywhere: Arc<Seat>,
}

#[derive(Debug)]
struct Shared {
    max_total: Option<usize>,
    max_per_address: Option<usize>,
    counts: Mutex<Counts>,
    /// The total, for those who wait for the end of all connections.
    total: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    /// Filled only if there is a cap per address; an address without connections is not in it.
    by_address: HashMap<IpAddr, usize>,
}

/// A counted connection; it stops counting when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    seat: Arc<Seat>,
}

/// What a connection counts against, behind a pointer, since every connection carries it.
#[derive(Debug)]
struct Seat {
    shared: Arc<Shared>,
    /// Where addresses are counted.
    address: Option<IpAddr>,
}

impl Limiter {
    pub(crate) fn new(max_total: Option<usize>, max_per_address: Option<usize>) -> Self {
        let shared = Arc::new(Shared {
            max_total,
            max_per_address,
            counts: Mutex::default(),
            total: watch::Sender::new(0),
        });
        let anywhere = Seat {
            shared: Arc::clone(&shared),
            address: None,
        };
        Self {
            shared,
            anywhere: Arc::new(anywhere),
        }
    }

    /// A permit for one more connection, or `None` if a cap is reached.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Permit> {
        let shared = &self.shared;
        let mut counts = shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.max_total.is_some_and(|max| counts.total >= max) {
            return None;
        }
        if let Some(max) = shared.max_per_address {
            let here = counts.by_address.get(&address).copied().unwrap_or(0);
            if here >= max {
                return None;
            }
            counts.by_address.insert(address, here + 1);
        }
        counts.total += 1;
        shared.total.send_replace(counts.total);
        let seat = if shared.max_per_address.is_some() {
            Arc::new(Seat {
                shared: Arc::clone(shared),
                address: Some(address),
            })
        } else {
            Arc::clone(&self.anywhere)
        };
        Some(Permit { seat })
    }

    pub(crate) fn total(&self) -> usize {
        *self.shared.total.borrow()
    }

    /// Waits until no connection is left.
    pub(crate) async fn none_left(&self) {
        let mut total = self.shared.total.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = total.wait_for(|total| *total == 0).await;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Seat { shared, address } = &*self.seat;
        let mut counts = shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total -= 1;
        if let Some(address) = address
            && let Some(here) = counts.by_address.get_mut(address)
        {
            *here -= 1;
            if *here == 0 {
                counts.by_address.remove(address);
            }
        }
        shared.total.send_replace(counts.total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn the_total_is_capped_until_a_permit_is_dropped() {
        let limiter = Limiter::new(Some(1), None);
        let first = limiter.admit(HERE).unwrap();
        assert!(limiter.admit(THERE).is_none());
        drop(first);
        assert!(limiter.admit(THERE).is_some());
    }

    #[test]
    fn an_address_is_capped_apart_from_others_and_forgotten_when_it_leaves() {
        let limiter = Limiter::new(None, Some(1));
        let first = limiter.admit(HERE).unwrap();
        assert!(limiter.admit(HERE).is_none());
        let other = limiter.admit(THERE).unwrap();
        drop((first, other));
        assert!(limiter.shared.counts.lock().unwrap().by_address.is_empty());
        assert_eq!(limiter.total(), 0);
    }
}
