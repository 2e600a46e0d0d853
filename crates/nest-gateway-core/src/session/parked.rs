//! A client that is away.

use super::client::Client;

/// A client that is away and may come back. Dropping it gives it up: the
/// client leaves its rooms and is gone.
#[derive(Debug)]
pub struct Parked(Option<Client>);

impl Parked {
    pub(super) fn new(client: Client) -> Self {
        Self(Some(client))
    }

    /// The client; `None` only when it has been taken over.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        self.0.as_ref()
    }

    pub(super) fn take(mut self) -> Client {
        self.0
            .take()
            .unwrap_or_else(|| unreachable!("taken once, by value"))
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            client.mark_gone();
            client.remove();
        }
    }
}
