//! The floor: what the kernel charges and nothing else.
//!
//! An epoll loop on one thread that does the handshake, finds the payload of a
//! message by its shape and writes the frame. It has no rooms but `r`, no
//! session, no limits but one: a reader that is 4 MiB behind is dropped. By
//! default every recipient gets all that one read has brought in one write;
//! with `--one-write-per-delivery` each frame is written by itself.

use std::error::Error;
use std::io::{self, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use nest_gateway_benches::frame::{self, CLOSE, PING, PONG, TEXT};
use nest_gateway_benches::handshake;
use nest_gateway_benches::peer::{self, PeerArgs};

const LISTENER: Token = Token(usize::MAX);
const BUFFER: usize = 640 * 1024;
const BACKLOG_LIMIT: usize = 4 * 1024 * 1024;

struct Client {
    stream: TcpStream,
    upgraded: bool,
    member: bool,
    partial: Vec<u8>,
    backlog: Vec<u8>,
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    members: Vec<usize>,
    one_write_per_delivery: bool,
    /// Frames for the room that the current read has brought.
    batch: Frames,
    /// Frames for the sender itself.
    replies: Frames,
}

/// Frames one behind the other.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    fn push(&mut self, opcode: u8, parts: &[&[u8]]) {
        frame::push_server_frame(opcode, &parts.concat(), &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// What to write at once: everything, or frame after frame.
    fn chunks(&self, one_by_one: bool) -> impl Iterator<Item = &[u8]> {
        let whole = (!one_by_one && !self.bytes.is_empty()).then_some(&self.bytes[..]);
        let mut start = 0;
        let single = self
            .ends
            .iter()
            .take(if one_by_one { usize::MAX } else { 0 });
        whole.into_iter().chain(single.map(move |&end| {
            let chunk = &self.bytes[start..end];
            start = end;
            chunk
        }))
    }
}

impl Client {
    /// Writes `bytes` behind what waits already; false when the client is lost.
    fn send(&mut self, bytes: &[u8]) -> bool {
        let mut written = 0;
        if self.backlog.is_empty() {
            match write_some(&mut self.stream, bytes) {
                Ok(count) => written = count,
                Err(_) => return false,
            }
        }
        self.backlog.extend_from_slice(&bytes[written..]);
        self.backlog.len() <= BACKLOG_LIMIT
    }

    fn flush(&mut self) -> bool {
        match write_some(&mut self.stream, &self.backlog) {
            Ok(count) => {
                self.backlog.drain(..count);
                if self.backlog.is_empty() {
                    self.backlog = Vec::new();
                }
                true
            }
            Err(_) => false,
        }
    }
}

/// Writes until all is written or the socket is full.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

impl Floor {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            self.poll.registry().register(
                &mut stream,
                Token(index),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            self.clients[index] = Some(Client {
                stream,
                upgraded: false,
                member: false,
                partial: Vec::new(),
                backlog: Vec::new(),
            });
        }
    }

    fn drop_client(&mut self, index: usize) {
        if let Some(client) = self.clients[index].take() {
            self.free.push(index);
            if client.member {
                self.members.retain(|&member| member != index);
            }
        }
    }

    fn readable(&mut self, index: usize, buffer: &mut [u8]) {
        loop {
            let Some(client) = &mut self.clients[index] else {
                return;
            };
            let kept = client.partial.len();
            buffer[..kept].copy_from_slice(&client.partial);
            client.partial = Vec::new();
            let read = match client.stream.read(&mut buffer[kept..]) {
                Ok(0) => return self.drop_client(index),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    client.partial = buffer[..kept].to_vec();
                    return;
                }
                Err(_) => return self.drop_client(index),
            };
            let filled = kept + read;
            let Some(used) = self.consume(index, &mut buffer[..filled]) else {
                return self.drop_client(index);
            };
            self.deliver(index);
            let Some(client) = &mut self.clients[index] else {
                return;
            };
            if used < filled {
                client.partial = buffer[used..filled].to_vec();
            }
            if filled < buffer.len() {
                return;
            }
        }
    }

    /// Handles all complete messages; `None` when the client is to be dropped.
    fn consume(&mut self, index: usize, bytes: &mut [u8]) -> Option<usize> {
        let client = self.clients[index].as_mut()?;
        let mut used = 0;
        if !client.upgraded {
            let Some(len) = handshake::head_len(bytes) else {
                return (bytes.len() < 16 * 1024).then_some(0);
            };
            let head = std::str::from_utf8(&bytes[..len]).ok()?;
            let response = handshake::response(handshake::header(head, "sec-websocket-key")?);
            client.upgraded = true;
            if !client.send(response.as_bytes()) {
                return None;
            }
            used = len;
        }
        while let Some((opcode, payload, len)) = frame::unmask_client_frame(&mut bytes[used..]) {
            let payload = &bytes[used + payload.start..used + payload.end];
            match opcode {
                TEXT => self.message(index, payload)?,
                PING => self.replies.push(PONG, &[payload]),
                CLOSE => return None,
                _ => {}
            }
            used += len;
        }
        Some(used)
    }

    fn message(&mut self, index: usize, text: &[u8]) -> Option<()> {
        let body = text.strip_prefix(b"{\"event\":\"")?.strip_suffix(b"}")?;
        if let Some(data) = body.strip_prefix(b"bcast\",\"data\":") {
            self.batch
                .push(TEXT, &[b"{\"event\":\"msg\",\"data\":", data, b"}"]);
        } else if body.starts_with(b"echo\"") {
            self.replies.push(TEXT, &[text]);
        } else if let Some(room) = body.strip_prefix(b"join\",\"data\":{\"room\":") {
            let room = room.strip_suffix(b"}")?;
            if room == b"\"r\"" {
                self.clients[index].as_mut()?.member = true;
                self.members.push(index);
            }
            self.replies.push(
                TEXT,
                &[b"{\"event\":\"join\",\"data\":{\"joined\":", room, b"}}"],
            );
        } else {
            let count = body.strip_prefix(b"stream\",\"data\":{\"n\":")?;
            let count = std::str::from_utf8(count.strip_suffix(b"}")?).ok()?;
            for at in 0..count.parse().ok()? {
                let at: u64 = at;
                self.replies.push(
                    TEXT,
                    &[
                        b"{\"event\":\"token\",\"data\":{\"i\":",
                        at.to_string().as_bytes(),
                        b",\"t\":\"hello\"}}",
                    ],
                );
            }
        }
        Some(())
    }

    /// Writes what one read has brought.
    fn deliver(&mut self, sender: usize) {
        let mut lost = Vec::new();
        if let Some(client) = &mut self.clients[sender] {
            for chunk in self.replies.chunks(self.one_write_per_delivery) {
                if !client.send(chunk) {
                    lost.push(sender);
                    break;
                }
            }
        }
        for chunk in self.batch.chunks(self.one_write_per_delivery) {
            for &member in &self.members {
                if let Some(client) = &mut self.clients[member]
                    && !client.send(chunk)
                {
                    lost.push(member);
                }
            }
        }
        self.replies.clear();
        self.batch.clear();
        for index in lost {
            self.drop_client(index);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = PeerArgs::of_process()?;
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(args.address())?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    peer::announce(listener.local_addr()?)?;
    let mut floor = Floor {
        poll,
        listener,
        clients: Vec::new(),
        free: Vec::new(),
        members: Vec::new(),
        one_write_per_delivery: args
            .rest
            .iter()
            .any(|arg| arg == "--one-write-per-delivery"),
        batch: Frames::default(),
        replies: Frames::default(),
    };
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; BUFFER];
    loop {
        if let Err(error) = floor.poll.poll(&mut events, None)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        for event in &events {
            if event.token() == LISTENER {
                floor.accept()?;
                continue;
            }
            let Token(index) = event.token();
            if event.is_writable()
                && let Some(client) = &mut floor.clients[index]
                && !client.flush()
            {
                floor.drop_client(index);
            }
            if event.is_readable() {
                floor.readable(index, &mut buffer);
            }
        }
    }
}
