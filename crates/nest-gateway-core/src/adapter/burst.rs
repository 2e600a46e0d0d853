//! Messages that many clients get one behind the other.

use bytes::Bytes;

use crate::message::Delivery;

/// Messages that many clients get, one right behind the other, each as
/// [`Codec::encode`](super::Codec::encode) returned it.
#[derive(Clone, Copy, Debug)]
pub struct Burst<'a> {
    messages: &'a [Bytes],
    bytes: usize,
    whole: Option<&'a [u8]>,
    delivery: Delivery,
}

impl<'a> Burst<'a> {
    pub(crate) fn new(messages: &'a [Bytes], bytes: usize, delivery: Delivery) -> Self {
        Self {
            messages,
            bytes,
            whole: None,
            delivery,
        }
    }

    pub(crate) fn due(mut self, whole: Option<&'a [u8]>) -> Self {
        self.whole = whole;
        self
    }

    /// The messages.
    #[must_use]
    pub fn messages(&self) -> &'a [Bytes] {
        self.messages
    }

    /// All messages together, when
    /// [`Outlet::send_to_group`](super::Outlet::send_to_group) may write them at
    /// once: core has waited for what else was about to be sent to these clients.
    /// Otherwise they are to be queued, as [`Outlet::send`](super::Outlet::send)
    /// does.
    #[must_use]
    pub fn whole(&self) -> Option<&'a [u8]> {
        self.whole
    }

    /// How the messages are to travel.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Bytes of all messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing in it; core sends none of that kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}
