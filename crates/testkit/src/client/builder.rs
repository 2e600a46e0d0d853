//! How a client wants to be let in.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Client;
use super::link::{ConnectOptions, Connector, FormerSession};
use super::message::Refused;

/// Describes a client before it connects.
#[derive(Clone)]
#[must_use = "a client connects when `connect` is awaited"]
pub struct ClientBuilder {
    connector: Arc<dyn Connector>,
    options: ConnectOptions,
}

impl ClientBuilder {
    /// A client of this transport in the namespace `/`.
    pub fn new(connector: Arc<dyn Connector>) -> Self {
        Self {
            connector,
            options: ConnectOptions::default(),
        }
    }

    /// The namespace to join, `/` by default.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.options.namespace);
        self
    }

    /// A header line of every HTTP request of the client.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.options
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// A query parameter.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.options.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Credentials in Socket.IO's CONNECT payload.
    pub fn auth(mut self, auth: Value) -> Self {
        self.options.auth = Some(auth);
        self
    }

    /// A session that another client lost, to come back to.
    pub fn coming_back(mut self, former: FormerSession) -> Self {
        self.options.former = Some(former);
        self
    }

    /// A subprotocol to offer.
    pub fn subprotocol(mut self, name: &str) -> Self {
        self.options.subprotocols.push(name.to_owned());
        self
    }

    /// The socket's receive buffer in bytes, to be a slow client early.
    pub fn receive_buffer(mut self, bytes: u32) -> Self {
        self.options.receive_buffer = Some(bytes);
        self
    }

    /// Longest wait for anything, 5 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// Connects, or says why the server refused.
    pub async fn try_connect(self) -> Result<Client, Refused> {
        let patience = self.options.patience;
        let namespace = self.options.namespace.clone();
        let connecting = self.connector.connect(self.options);
        let link = tokio::time::timeout(patience, connecting)
            .await
            .unwrap_or_else(|_| {
                Err(Refused::new(format!(
                    "the server did not answer for {patience:?}"
                )))
            })?;
        Ok(Client::from_link(link, &namespace, patience))
    }

    /// Connects; panics when the server refuses.
    #[track_caller]
    pub fn connect(self) -> impl Future<Output = Client> + Send {
        let at = Location::caller();
        async move {
            let what = self.describe();
            match self.try_connect().await {
                Ok(client) => client,
                Err(refused) => panic!("{what} did not connect: {refused}\n  at {at}"),
            }
        }
    }

    /// Connects and is refused; panics when the server lets it in.
    #[track_caller]
    pub fn expect_refused(self) -> impl Future<Output = Refused> + Send {
        let at = Location::caller();
        async move {
            let what = self.describe();
            match self.try_connect().await {
                Ok(client) => panic!(
                    "{what} was let in, but a refusal was expected\n  at {at}\n{}",
                    client.transcript()
                ),
                Err(refused) => refused,
            }
        }
    }

    fn describe(&self) -> String {
        let name = self.connector.name();
        format!("the {name} client of {}", self.options.namespace)
    }
}
