//! One client connection of the load generator.

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;

use crate::frame::{self, CLOSE, PING, PONG, TEXT};
use crate::handshake;
use crate::wire::{Incoming, Wire};

/// What has been agreed with the server so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Upgrading,
    Opening,
    Ready,
}

/// A client connection: bytes in, messages out, and the reverse.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    opened_at: Instant,
    wire: Wire,
    phase: Phase,
    /// The beginning of a frame whose end has not arrived.
    partial: Vec<u8>,
    /// Frames the socket has not taken yet.
    out: Vec<u8>,
    scratch: Vec<u8>,
}

/// Takes the messages of a connection: `(connection, message, when its bytes
/// were read)`. An error ends the run with its text.
pub trait Receive: FnMut(&mut Connection, Incoming<'_>, Instant) -> Result<(), String> {}
impl<F: FnMut(&mut Connection, Incoming<'_>, Instant) -> Result<(), String>> Receive for F {}

impl Connection {
    /// Starts to connect to `address`; the rest happens in [`Self::flush`] and
    /// [`Self::read`] as the socket becomes ready.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(address: SocketAddr, wire: Wire) -> io::Result<Self> {
        Ok(Self {
            stream: TcpStream::connect(address)?,
            opened_at: Instant::now(),
            wire,
            phase: Phase::Upgrading,
            partial: Vec::new(),
            out: handshake::request(wire.target(), &address.to_string()).into_bytes(),
            scratch: Vec::new(),
        })
    }

    /// When it began to connect.
    #[must_use]
    pub const fn opened_at(&self) -> Instant {
        self.opened_at
    }

    /// The socket, for registration.
    pub const fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Queues an event; [`Self::flush`] sends it.
    pub fn emit(&mut self, event: &str, data: &[u8], ack: Option<u64>) {
        self.scratch.clear();
        self.wire.push_emit(event, data, ack, &mut self.scratch);
        frame::push_client_frame(TEXT, &self.scratch, &mut self.out);
    }

    /// Writes what is queued, as far as the socket takes it.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn flush(&mut self) -> Result<(), String> {
        let mut written = 0;
        while written < self.out.len() {
            match self.stream.write(&self.out[written..]) {
                Ok(count) => {
                    if written == 0 && self.phase == Phase::Upgrading {
                        self.stream.set_nodelay(true).map_err(text)?;
                    }
                    written += count;
                }
                Err(error) if is_not_now(&error) => break,
                Err(error) => return Err(text(error)),
            }
        }
        self.out.drain(..written);
        Ok(())
    }

    /// Reads all there is through `buffer` and hands every message to `receive`.
    ///
    /// # Errors
    /// A violation by the server, its end of the connection, or the error of
    /// `receive`.
    pub fn read(&mut self, buffer: &mut [u8], receive: &mut impl Receive) -> Result<(), String> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(count) => count,
                Err(error) if is_not_now(&error) => return Ok(()),
                Err(error) => return Err(text(error)),
            };
            let at = Instant::now();
            if self.partial.is_empty() {
                let used = self.consume(&buffer[..count], at, receive)?;
                self.partial.extend_from_slice(&buffer[used..count]);
            } else {
                let mut pending = mem::take(&mut self.partial);
                pending.extend_from_slice(&buffer[..count]);
                let used = self.consume(&pending, at, receive)?;
                pending.drain(..used);
                self.partial = pending;
            }
            // A short read has emptied the socket, and what arrives later
            // raises a new edge.
            if count < buffer.len() {
                return self.flush();
            }
        }
    }

    /// Handles every complete frame of `bytes` and says how many it used.
    fn consume(
        &mut self,
        bytes: &[u8],
        at: Instant,
        receive: &mut impl Receive,
    ) -> Result<usize, String> {
        let mut used = 0;
        if self.phase == Phase::Upgrading {
            let Some(len) = handshake::head_len(bytes) else {
                return Ok(0);
            };
            handshake::check_response(&String::from_utf8_lossy(&bytes[..len]))?;
            used = len;
            match self.wire {
                Wire::Native => self.become_ready(at, receive)?,
                Wire::SocketIo => self.phase = Phase::Opening,
            }
        }
        while let Some(header) = frame::server_header(&bytes[used..]).map_err(text)? {
            let Some(whole) = bytes[used..].get(..header.frame_len()) else {
                break;
            };
            used += whole.len();
            let payload = &whole[header.header_len..];
            match header.opcode {
                TEXT => self.message(payload, at, receive)?,
                PING => frame::push_client_frame(PONG, payload, &mut self.out),
                PONG => {}
                CLOSE => return Err(close_text(payload)),
                other => return Err(format!("the server sent a frame of type {other}")),
            }
        }
        Ok(used)
    }

    fn message(
        &mut self,
        payload: &[u8],
        at: Instant,
        receive: &mut impl Receive,
    ) -> Result<(), String> {
        match self.wire.parse(payload) {
            Some(Incoming::Ping) => {
                frame::push_client_frame(TEXT, b"3", &mut self.out);
                Ok(())
            }
            Some(Incoming::Opened) if self.phase == Phase::Opening => {
                frame::push_client_frame(TEXT, b"40", &mut self.out);
                Ok(())
            }
            Some(Incoming::Connected) if self.phase == Phase::Opening => {
                self.become_ready(at, receive)
            }
            Some(message @ (Incoming::Event { .. } | Incoming::Ack { .. }))
                if self.phase == Phase::Ready =>
            {
                receive(self, message, at)
            }
            _ => Err(format!(
                "the server sent {:?} while the connection was {:?}",
                String::from_utf8_lossy(&payload[..payload.len().min(200)]),
                self.phase
            )),
        }
    }

    fn become_ready(&mut self, at: Instant, receive: &mut impl Receive) -> Result<(), String> {
        self.phase = Phase::Ready;
        receive(self, Incoming::Ready, at)
    }
}

fn close_text(payload: &[u8]) -> String {
    match payload.split_first_chunk::<2>() {
        Some((code, reason)) => format!(
            "the server closed with {} {:?}",
            u16::from_be_bytes(*code),
            String::from_utf8_lossy(reason)
        ),
        None => "the server closed without a code".into(),
    }
}

fn is_not_now(error: &io::Error) -> bool {
    // A socket that is still connecting says that it is not connected.
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted
    )
}

fn text(error: impl Display) -> String {
    error.to_string()
}
