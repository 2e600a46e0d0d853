//! Moves bytes between a socket and a [`Protocol`] that knows no socket.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::frame::{ClientFrame, FrameError, ServerFrame, opcode};
use super::link::{Command, Incoming};
use super::message::{CloseSeen, Ending};
use super::stream::Stream;
use super::transcript::Transcript;

/// Bytes that may wait for the socket before no further command is taken.
const OUT_HIGH_WATER: usize = 1024 * 1024;

/// Messages that may wait for the test before no further byte is read.
const DELIVER_HIGH_WATER: usize = 64;

/// How long a dropped client goes on writing what it was told to send.
const LINGER: Duration = Duration::from_secs(1);

/// One message of a transport that keeps their borders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Text(String),
    Binary(Bytes),
}

/// The meaning of packets, free of sockets and of time.
pub(crate) trait Protocol: Send {
    /// A packet came in.
    fn on_packet(&mut self, packet: Packet, effects: &mut Effects);
    /// A test wants something; commands about bytes never get here.
    fn on_command(&mut self, namespace: &Arc<str>, command: Command, effects: &mut Effects);
    /// The peer broke the rules of the layer below.
    fn on_violation(&mut self, text: String, effects: &mut Effects);
    /// The connection is over.
    fn on_end(&mut self, seen: &CloseSeen, effects: &mut Effects);
}

/// What a [`Protocol`] wants done.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) send: VecDeque<Outgoing>,
    pub(crate) deliver: VecDeque<(mpsc::Sender<Incoming>, Incoming)>,
    /// The peer ended the connection by a packet of its own.
    pub(crate) ended: Option<CloseSeen>,
    pub(crate) ignore_pings: bool,
}

impl Effects {
    pub(crate) fn text(&mut self, text: impl Into<String>) {
        self.send
            .push_back(Outgoing::Packet(Packet::Text(text.into())));
    }

    pub(crate) fn binary(&mut self, bytes: Bytes) {
        self.send.push_back(Outgoing::Packet(Packet::Binary(bytes)));
    }

    /// Waits until the oldest message can be delivered, and delivers it.
    /// Never ends when there is none. Safe to drop at any point.
    pub(crate) async fn deliver_next(&mut self) {
        let Some((to, _)) = self.deliver.front() else {
            return std::future::pending().await;
        };
        let permit = to.clone().reserve_owned().await;
        let (_, message) = self.deliver.pop_front().expect("the front was seen above");
        if let Ok(permit) = permit {
            permit.send(message);
        }
    }

    /// Delivers all that waits.
    pub(crate) async fn deliver_all(&mut self) {
        while !self.deliver.is_empty() {
            self.deliver_next().await;
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.deliver.len() >= DELIVER_HIGH_WATER
    }
}

#[derive(Debug)]
pub(crate) enum Outgoing {
    Packet(Packet),
    Close(u16, String),
}

pub(crate) type Commands = mpsc::Receiver<(Arc<str>, Command)>;

/// A WebSocket connection on the client's side.
pub(crate) struct WebSocketPump<P> {
    protocol: P,
    effects: Effects,
    transcript: Transcript,
    read: BytesMut,
    write: Outbound,
    message: Option<(u8, BytesMut)>,
    close_sent: bool,
    close_seen: Option<CloseSeen>,
    reading: bool,
}

/// Bytes on their way into the stream.
#[derive(Debug, Default)]
struct Outbound {
    bytes: BytesMut,
    /// What was written may wait in the stream's own buffer.
    unflushed: bool,
    /// The stream takes no more.
    failed: bool,
}

impl Outbound {
    fn is_waiting(&self) -> bool {
        !self.failed && (self.unflushed || !self.bytes.is_empty())
    }

    fn has_room(&self) -> bool {
        self.failed || self.bytes.len() < OUT_HIGH_WATER
    }

    /// Writes what the stream takes, and flushes it. Safe to drop at any point.
    async fn write_some(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if !self.bytes.is_empty() {
            writer.write_buf(&mut self.bytes).await?;
            self.unflushed = true;
        }
        writer.flush().await?;
        self.unflushed = false;
        Ok(())
    }
}

enum Turn {
    Read(io::Result<usize>),
    Written(io::Result<()>),
    Delivered,
    Command(Option<(Arc<str>, Command)>),
}

impl<P: Protocol> WebSocketPump<P> {
    pub(crate) fn new(protocol: P, transcript: Transcript, leftover: BytesMut) -> Self {
        Self {
            protocol,
            effects: Effects::default(),
            transcript,
            read: leftover,
            write: Outbound::default(),
            message: None,
            close_sent: false,
            close_seen: None,
            reading: true,
        }
    }

    /// Gives what the protocol wanted before the socket was this one.
    pub(crate) fn with_effects(mut self, effects: Effects) -> Self {
        self.effects = effects;
        self
    }

    /// Runs until the connection ends or nobody holds the client any more.
    pub(crate) async fn run(mut self, mut stream: Stream, commands: &mut Commands) {
        let seen = self.pump(&mut stream, commands).await;
        if let Some(seen) = seen {
            if seen.by == Ending::Us {
                stream.reset();
            }
            drop(stream);
            self.protocol.on_end(&seen, &mut self.effects);
            self.effects.deliver_all().await;
        } else {
            let flush = stream.send(&self.write.bytes);
            // An error says that the server was faster; nobody is left to tell.
            let _ = tokio::time::timeout(LINGER, flush).await;
        }
    }

    async fn pump(&mut self, stream: &mut Stream, commands: &mut Commands) -> Option<CloseSeen> {
        let (mut reader, mut writer) = tokio::io::split(stream);
        if let Err(error) = self.take_frames() {
            return Some(self.violated(&error));
        }
        loop {
            self.encode_effects();
            if let Some(seen) = self.effects.ended.take() {
                return Some(seen);
            }
            let can_read = self.reading && !self.effects.is_full();
            let (can_write, can_command) = (self.write.is_waiting(), self.write.has_room());
            let turn = tokio::select! {
                read = reader.read_buf(&mut self.read), if can_read => Turn::Read(read),
                written = self.write.write_some(&mut writer), if can_write => Turn::Written(written),
                () = self.effects.deliver_next() => Turn::Delivered,
                command = commands.recv(), if can_command => Turn::Command(command),
            };
            match turn {
                Turn::Read(Ok(0)) => return Some(self.ended(Ending::Eof)),
                Turn::Read(Err(_)) => return Some(self.ended(Ending::Reset)),
                Turn::Read(Ok(_)) => {
                    if let Err(error) = self.take_frames() {
                        return Some(self.violated(&error));
                    }
                }
                // The read side learns the reason, and may hold a close frame.
                Turn::Written(Err(_)) => self.write.failed = true,
                Turn::Written(Ok(())) | Turn::Delivered => {}
                Turn::Command(None) => return None,
                Turn::Command(Some((_, Command::Cut))) => {
                    self.transcript.sent("(reset)");
                    return Some(ended_by_us("cut"));
                }
                Turn::Command(Some((namespace, command))) => self.command(&namespace, command),
            }
        }
    }

    fn command(&mut self, namespace: &Arc<str>, command: Command) {
        match command {
            Command::Text(text) => self.effects.text(text),
            Command::Binary(bytes) => self.effects.binary(bytes),
            Command::Frame(frame) => self.frame(&frame),
            Command::Bytes(bytes) => {
                self.transcript.sent(format!("[{} raw bytes]", bytes.len()));
                self.write.bytes.extend_from_slice(&bytes);
            }
            Command::StopReading => self.reading = false,
            Command::ResumeReading => self.reading = true,
            Command::IgnorePings => self.effects.ignore_pings = true,
            Command::Upgrade(result) => {
                // Nobody waits when the test was given up; that is its choice.
                let _ = result.send(Ok(()));
            }
            other => self
                .protocol
                .on_command(namespace, other, &mut self.effects),
        }
    }

    fn frame(&mut self, frame: &ClientFrame) {
        self.transcript.sent(frame.to_string());
        self.write.bytes.extend_from_slice(&frame.encode());
    }

    fn encode_effects(&mut self) {
        while let Some(outgoing) = self.effects.send.pop_front() {
            match outgoing {
                Outgoing::Packet(Packet::Text(text)) => self.frame(&ClientFrame::text(text)),
                Outgoing::Packet(Packet::Binary(bytes)) => self.frame(&ClientFrame::binary(bytes)),
                Outgoing::Close(code, reason) => self.close(code, &reason),
            }
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        if !self.close_sent {
            self.close_sent = true;
            self.frame(&if code == 1005 {
                ClientFrame::new(opcode::CLOSE, "")
            } else {
                ClientFrame::close(code, reason)
            });
        }
    }

    fn take_frames(&mut self) -> Result<(), FrameError> {
        while self.close_seen.is_none()
            && let Some(frame) = ServerFrame::decode(&mut self.read)?
        {
            self.transcript.received(frame.to_string());
            self.on_frame(frame)?;
        }
        Ok(())
    }

    fn on_frame(&mut self, frame: ServerFrame) -> Result<(), FrameError> {
        match frame.opcode {
            opcode::PING if self.effects.ignore_pings => {}
            opcode::PING => self.frame(&ClientFrame::pong(frame.payload)),
            opcode::PONG => {}
            opcode::CLOSE => {
                let (code, reason) = frame.close_code()?;
                self.close(code, "");
                let by = Ending::CloseFrame;
                self.close_seen = Some(CloseSeen { code, reason, by });
            }
            opcode::CONTINUATION => {
                let (kind, mut message) = self.message.take().ok_or(FrameError::Fragments)?;
                message.extend_from_slice(&frame.payload);
                self.on_fragment(kind, message, frame.fin)?;
            }
            kind if self.message.is_none() => {
                self.on_fragment(kind, BytesMut::from(frame.payload), frame.fin)?;
            }
            _ => return Err(FrameError::Fragments),
        }
        Ok(())
    }

    fn on_fragment(&mut self, kind: u8, message: BytesMut, fin: bool) -> Result<(), FrameError> {
        if !fin {
            self.message = Some((kind, message));
            return Ok(());
        }
        let packet = if kind == opcode::TEXT {
            let text = String::from_utf8(message.to_vec()).map_err(|_| FrameError::Utf8)?;
            Packet::Text(text)
        } else {
            Packet::Binary(message.freeze())
        };
        self.protocol.on_packet(packet, &mut self.effects);
        Ok(())
    }

    fn ended(&mut self, by: Ending) -> CloseSeen {
        let what = if by == Ending::Reset { "reset" } else { "end" };
        self.transcript.received(format!("(tcp {what})"));
        self.close_seen.take().unwrap_or(CloseSeen {
            code: 1006,
            reason: String::new(),
            by,
        })
    }

    fn violated(&mut self, error: &FrameError) -> CloseSeen {
        self.transcript.received(format!("(violation: {error})"));
        self.protocol
            .on_violation(error.to_string(), &mut self.effects);
        ended_by_us("the server broke the protocol")
    }
}

pub(crate) fn ended_by_us(reason: &str) -> CloseSeen {
    CloseSeen {
        code: 1006,
        reason: reason.to_owned(),
        by: Ending::Us,
    }
}
