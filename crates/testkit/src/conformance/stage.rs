//! One property's application, its clients and what happens behind the scene.

use std::sync::Arc;
use std::time::Duration;

use nest_gateway::core::broadcast::Hub;
use nest_gateway::{App, Config, ListenError, Recovery, Stats, WebSocketServer};
use serde_json::json;
use tokio::task::JoinHandle;

use super::app;
use super::backstage::{Backstage, Gates, Log};
use super::enhancers::{Catch, GlobalError, GlobalGuard, Named};
use super::served::Down;
use super::subject::{Power, Setup, Subject};
use crate::client::{
    Client, ClientBuilder, CloseSeen, Connector, Ending, RawConnection, Remote, RequestId,
};

/// Longest wait for a condition.
const PATIENCE: Duration = Duration::from_secs(10);

/// The suite's application, started with the adapter under test.
pub struct Stage {
    subject: Subject,
    backstage: Arc<Backstage>,
    connector: Arc<dyn Connector>,
    runtime: Arc<nest_gateway::core::runtime::Runtime>,
    remote: Remote,
    /// Shuts it down, once.
    down: Option<Down>,
}

impl Stage {
    /// Starts it with the default configuration.
    pub async fn start(subject: &Subject) -> Self {
        Self::with(subject, |_| {}).await
    }

    /// Starts it with another configuration.
    pub async fn with(subject: &Subject, configure: impl FnOnce(&mut Config)) -> Self {
        Self::try_start(subject, configure, &[])
            .await
            .unwrap_or_else(|error| panic!("{} did not start: {error}", subject.name()))
    }

    /// Starts it with misbehaviour that flags ask for.
    pub async fn try_start(
        subject: &Subject,
        configure: impl FnOnce(&mut Config),
        flags: &[&'static str],
    ) -> Result<Self, ListenError> {
        Self::set_up(subject, subject.set_up(), configure, flags).await
    }

    /// Starts it with connection state recovery.
    pub async fn recovering(subject: &Subject, recovery: Recovery) -> Self {
        let setup = subject.set_up_recovering(recovery);
        Self::set_up(subject, setup, |_| {}, &[])
            .await
            .unwrap_or_else(|error| panic!("{} did not start: {error}", subject.name()))
    }

    async fn set_up(
        subject: &Subject,
        setup: Setup,
        configure: impl FnOnce(&mut Config),
        flags: &[&'static str],
    ) -> Result<Self, ListenError> {
        let backstage = Arc::new(Backstage::with_flags(flags));
        let builder = App::from_module(app::module(&backstage))
            .configure(configure)
            .use_guard::<GlobalGuard>()
            .use_interceptor_value(Named::new(&backstage, "global"))
            .use_pipe_value(Named::new(&backstage, "global"))
            .use_filter_value(Catch::<GlobalError>::new(&backstage, "global"));
        let served = subject.serve((setup.mount)(builder)).await?;
        Ok(Self {
            subject: subject.clone(),
            backstage,
            connector: (setup.connect)(served.remote.clone()),
            runtime: served.runtime,
            remote: served.remote,
            down: Some(served.down),
        })
    }

    /// Describes a client of namespace `/`.
    pub fn client(&self) -> ClientBuilder {
        ClientBuilder::new(Arc::clone(&self.connector)).patience(PATIENCE)
    }

    /// A WebSocket in the property's own hands.
    pub async fn raw(&self) -> RawConnection {
        RawConnection::upgrade(self.remote.clone(), self.websocket_path(), &[])
            .await
            .unwrap_or_else(|refused| panic!("a raw connection is {refused}"))
    }

    /// Where the application is reached.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Path and query at which a WebSocket is opened.
    pub fn websocket_path(&self) -> &'static str {
        self.subject.path_of_websocket()
    }

    /// What hooks and handlers wrote.
    pub fn log(&self) -> &Log {
        self.backstage.log()
    }

    /// What handlers wait for.
    pub fn gates(&self) -> &Gates {
        self.backstage.gates()
    }

    /// Items that streams have given out.
    pub fn produced(&self) -> usize {
        self.backstage.produced()
    }

    /// Messages that the server has taken from clients.
    pub fn received(&self) -> u64 {
        self.runtime.stats().messages_received()
    }

    /// The application's counters.
    pub fn stats(&self) -> &Stats {
        self.runtime.stats()
    }

    /// How often a provider was constructed.
    pub fn constructed(&self, what: &str) -> usize {
        self.backstage.constructed(what)
    }

    /// Rooms of namespace `/`.
    pub fn rooms(&self) -> usize {
        self.hub(Hub::room_count)
    }

    /// Waits until namespace `/` has so many clients.
    pub async fn until_clients(&self, count: usize) {
        self.until(&format!("{count} clients"), || {
            self.hub(Hub::client_count) == count
        })
        .await;
    }

    /// Waits until a condition holds that nothing announces, such as what
    /// happens after the last hook of a client.
    pub async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !holds() {
            assert!(
                tokio::time::Instant::now() < deadline,
                "it did not come to {what} within {PATIENCE:?}"
            );
            tokio::task::yield_now().await;
        }
    }

    /// Connects as soon as the server lets another client in.
    pub async fn connect_when_possible(&self) -> Client {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.client().try_connect().await {
                Ok(client) => return client,
                Err(refused) => assert!(
                    tokio::time::Instant::now() < deadline,
                    "still after {PATIENCE:?}: {refused}"
                ),
            }
        }
    }

    /// Cuts a client off, or lets it leave where the server cannot notice a cut
    /// at once: between two requests of long polling there is nothing to cut.
    pub async fn take_away(&self, client: &mut Client) {
        if self.subject.can(Power::Standing) {
            client.cut().await;
        } else {
            client.close(1000, "").await;
        }
    }

    /// Fails if a close frame ended the client and its code is another one.
    #[track_caller]
    pub fn expect_code(&self, seen: &CloseSeen, code: u16) {
        if seen.by == Ending::CloseFrame {
            assert_eq!(seen.code, code, "{seen:?}");
        }
    }

    /// The id of a question as this wire writes it.
    pub fn question_id(&self, number: u64) -> RequestId {
        if self.subject.can(Power::TextIds) {
            format!("s{number}").into()
        } else {
            json!(number).into()
        }
    }

    /// Shuts the application down and waits for the end.
    pub async fn shutdown(&mut self) {
        // Whether every client had gone is what the properties look at
        // themselves.
        let _ = self.begin_shutdown().await;
    }

    /// Begins the shutdown.
    pub fn begin_shutdown(&mut self) -> JoinHandle<bool> {
        let down = self.down.take().expect("it is shut down once");
        tokio::spawn(down())
    }

    /// The server of a namespace.
    pub fn server(&self, namespace: &str) -> WebSocketServer {
        let server = self.runtime.server(namespace);
        server.unwrap_or_else(|| panic!("there is no gateway of {namespace}"))
    }

    fn hub<T>(&self, look: impl FnOnce(&Hub) -> T) -> T {
        look(self.server("/").hub())
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}
