//! An adapter without a wire: clients in the same process.
//!
//! It is the fastest way to test a gateway, and the smallest example of an
//! adapter. Messages are the JSON envelope of the native wire; between client
//! and server lie two bounded queues instead of a socket.
//!
//! ```
//! # use nest_gateway_testkit::{client::Client, memory::Memory};
//! # use nest_gateway::{App, ModuleDescriptor};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let module = ModuleDescriptor::new("empty");
//! let memory = Memory::new();
//! let app = App::from_module(module).adapter(memory.adapter()).build().await?;
//! let refused = Client::of(memory.connector()).namespace("/none").expect_refused().await;
//! assert_eq!(refused.status, Some(404));
//! # drop(app);
//! # Ok(())
//! # }
//! ```

mod adapter;
mod codec;
mod connector;
mod outlet;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use nest_gateway_core::adapter::Host;
use tokio::sync::mpsc;

pub use self::adapter::MemoryAdapter;
pub use self::connector::MemoryConnector;

use self::outlet::MemoryOutlet;

/// Joins an adapter with its clients: both are made of the same `Memory`.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    host: Arc<OnceLock<Arc<Host>>>,
}

impl Memory {
    /// A place where one application and its clients meet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The adapter, for one application.
    pub fn adapter(&self) -> MemoryAdapter {
        MemoryAdapter::new(Arc::clone(&self.host))
    }

    /// Opens clients, once the application is built.
    pub fn connector(&self) -> MemoryConnector {
        MemoryConnector::new(Arc::clone(&self.host))
    }
}

/// What a client sends.
#[derive(Debug)]
enum Sent {
    Text(String),
    Binary(Bytes),
    Close(u16, String),
}

/// Messages between a client and its session, which is what backpressure needs
/// and no more.
const WIRE_CAPACITY: usize = 16;

/// The two ends of a client.
struct Line {
    to_server: mpsc::Sender<Sent>,
    from_server: Arc<MemoryOutlet>,
}
