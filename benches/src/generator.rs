//! Many client connections on one thread.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::connection::Connection;
use crate::wire::{Incoming, Wire};

/// Connections that are being opened at the same time; below the 128 that may
/// wait to be accepted in most servers.
const OPENING: usize = 100;
/// Read at once; a batch of 32 messages of 16 KiB fits.
const BUFFER: usize = 640 * 1024;
/// How long a server may leave the generator without progress.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Names a connection for as long as the generator lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(usize);

/// All connections to one server.
#[derive(Debug)]
pub struct Generator {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    address: SocketAddr,
    wire: Wire,
    connections: HashMap<ClientId, Connection, Identity>,
    next: usize,
}

type Identity = std::hash::BuildHasherDefault<IdentityHasher>;

/// Hashes a [`ClientId`] to itself, as the numbers are dense anyway.
#[derive(Debug, Default)]
pub struct IdentityHasher(u64);

impl std::hash::Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        // The table looks at the highest bits too.
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }
    fn write_usize(&mut self, value: usize) {
        self.0 = value as u64;
    }
}

impl Generator {
    /// A generator without connections.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new(address: SocketAddr, wire: Wire) -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; BUFFER],
            address,
            wire,
            connections: HashMap::default(),
            next: 0,
        })
    }

    /// The wire format of the server.
    #[must_use]
    pub const fn wire(&self) -> Wire {
        self.wire
    }

    /// How many connections are open or being opened.
    #[must_use]
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there is no connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Starts one connection; [`Incoming::Ready`] says when it may be used.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn start(&mut self) -> Result<ClientId, String> {
        let id = ClientId(self.next);
        self.next += 1;
        let mut connection =
            Connection::open(self.address, self.wire).map_err(|error| error.to_string())?;
        self.poll
            .registry()
            .register(
                connection.stream(),
                Token(id.0),
                Interest::READABLE | Interest::WRITABLE,
            )
            .map_err(|error| error.to_string())?;
        self.connections.insert(id, connection);
        Ok(id)
    }

    /// Opens `count` connections and waits until all may be used.
    ///
    /// # Errors
    /// The first failure of any of them.
    pub fn open(&mut self, count: usize) -> Result<Vec<ClientId>, String> {
        self.open_with(count, OPENING, |_, _, _, _| Ok(true))
    }

    /// Opens `count` connections, `at_once` at a time. `receive` gets every
    /// message and says whether it completed its connection.
    ///
    /// # Errors
    /// The first failure of any of them.
    pub fn open_with(
        &mut self,
        count: usize,
        at_once: usize,
        mut receive: impl FnMut(
            ClientId,
            &mut Connection,
            Incoming<'_>,
            Instant,
        ) -> Result<bool, String>,
    ) -> Result<Vec<ClientId>, String> {
        let mut ids = Vec::with_capacity(count);
        let mut done = 0;
        let mut progress = Instant::now();
        while done < count {
            while ids.len() < count && ids.len() - done < at_once {
                ids.push(self.start()?);
            }
            let before = done;
            self.turn(Duration::from_millis(100), |id, connection, message, at| {
                done += usize::from(receive(id, connection, message, at)?);
                Ok(())
            })?;
            if done > before {
                progress = Instant::now();
            } else if progress.elapsed() > PATIENCE {
                return Err(format!("only {done} of {count} connections came up"));
            }
        }
        Ok(ids)
    }

    /// Emits `event` on one connection and writes it out.
    ///
    /// # Errors
    /// When the connection is gone or its socket fails.
    pub fn emit(
        &mut self,
        id: ClientId,
        event: &str,
        data: &[u8],
        ack: Option<u64>,
    ) -> Result<(), String> {
        self.queue(id, event, data, ack)?;
        self.flush(id)
    }

    /// Emits `event` on one connection; [`Self::flush`] writes it out.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn queue(
        &mut self,
        id: ClientId,
        event: &str,
        data: &[u8],
        ack: Option<u64>,
    ) -> Result<(), String> {
        self.connection(id)?.emit(event, data, ack);
        Ok(())
    }

    /// Writes out what is queued on one connection.
    ///
    /// # Errors
    /// When the connection is gone or its socket fails.
    pub fn flush(&mut self, id: ClientId) -> Result<(), String> {
        self.connection(id)?.flush()
    }

    fn connection(&mut self, id: ClientId) -> Result<&mut Connection, String> {
        self.connections
            .get_mut(&id)
            .ok_or_else(|| format!("{id:?} is closed"))
    }

    /// Ends a connection at once, without a close handshake.
    pub fn drop_connection(&mut self, id: ClientId) {
        self.connections.remove(&id);
    }

    /// Never looks at a connection again but keeps it open.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn stall(&mut self, id: ClientId) -> Result<(), String> {
        let mut connection = self.connections.remove(&id).ok_or("already closed")?;
        self.poll
            .registry()
            .deregister(connection.stream())
            .map_err(|error| error.to_string())?;
        self.connections.insert(id, connection);
        Ok(())
    }

    /// Waits at most `timeout` for sockets to become ready and serves them.
    ///
    /// # Errors
    /// The first failure of a connection or of `receive`.
    pub fn turn(
        &mut self,
        timeout: Duration,
        mut receive: impl FnMut(ClientId, &mut Connection, Incoming<'_>, Instant) -> Result<(), String>,
    ) -> Result<(), String> {
        if let Err(error) = self.poll.poll(&mut self.events, Some(timeout))
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error.to_string());
        }
        for event in &self.events {
            let id = ClientId(event.token().0);
            // A connection dropped a moment ago may still have had an event.
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            if event.is_writable() {
                connection
                    .flush()
                    .map_err(|error| format!("{id:?}: {error}"))?;
            }
            if event.is_readable() {
                connection
                    .read(
                        &mut self.buffer,
                        &mut |connection: &mut Connection, message: Incoming<'_>, at| {
                            receive(id, connection, message, at)
                        },
                    )
                    .map_err(|error| format!("{id:?}: {error}"))?;
            }
        }
        Ok(())
    }
}
