//! An application that is reached from outside.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use nest_gateway::Listening;
use nest_gateway::core::runtime::Runtime;

use crate::client::{BoxFuture, Remote};

/// An application whose port is open, in whatever server it lives. Dropping it
/// closes the port.
pub struct Served {
    pub(super) remote: Remote,
    pub(super) runtime: Arc<Runtime>,
    pub(super) down: Down,
}

/// Shuts an application down.
pub(super) type Down = Box<dyn FnOnce() -> BoxFuture<'static, bool> + Send + Sync>;

impl Served {
    /// An application that lives in another server. `down` owns that server: it
    /// shuts the application down, closes the port, and says whether every
    /// client had gone.
    pub fn elsewhere<F>(
        remote: impl Into<Remote>,
        runtime: &Arc<Runtime>,
        down: impl FnOnce() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        Self {
            remote: remote.into(),
            runtime: Arc::clone(runtime),
            down: Box::new(|| Box::pin(down())),
        }
    }

    /// The same application, whose port speaks TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn over_tls(mut self, trust: Arc<nest_gateway::rustls::ClientConfig>) -> Self {
        self.remote = self.remote.tls(trust);
        self
    }

    /// Where clients find it.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Everything that runs.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }
}

impl From<Listening> for Served {
    fn from(listening: Listening) -> Self {
        let runtime = Arc::clone(listening.runtime());
        let remote = listening.local_addr();
        Self::elsewhere(remote, &runtime, move || listening.shut_down())
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
