//! The protocol machine of the server side: bytes in, messages out. No I/O, no clock, no await.

use bytes::Bytes;

use crate::close;
use crate::frame::OpCode;
use crate::header::{self, Header, MAX_HEADER};
use crate::mask;
use crate::message::Message;
use crate::violation::Violation;

/// What a peer may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message after reassembly and inflation; 1,000,000 by default. More is answered with
    /// 1009, as soon as a header announces it.
    pub max_message: usize,
    /// Frames of one message; 131,072 by default, twice what 4 MiB in pieces of 64 bytes need. More is
    /// answered with 1008.
    pub max_fragments: u32,
}

/// The longest text in bytes that [`WebSocket::poll_next_in`](crate::WebSocket::poll_next_in) leaves in
/// the memory that it is lent: so short that copying what is needed of it weighs little beside memory of
/// its own, of which parts could be shared.
pub const SHORT_TEXT: usize = 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 1_000_000,
            max_fragments: 131_072,
        }
    }
}

/// Something that the peer sent, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A text message; the bytes are valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping, to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// A close frame with its code and reason, if it has them. Nothing follows.
    Close(Option<(u16, String)>),
}

/// The receiving half of a connection as a state machine.
///
/// Give bytes to [`Connection::receive`] as they come, cut anywhere. It keeps only what is
/// incomplete: a header, a control frame, a message; between messages it owns no memory.
/// After a violation or a close frame nothing further may be given to it.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    /// What has come of something that is not complete. Most reads bring whole messages, so that this is
    /// mostly empty and only a pointer of every connection.
    partial: Option<Box<Partial>>,
    #[cfg(feature = "deflate")]
    inflate: Option<Box<Inflate>>,
}

/// A header, a frame, a message that has begun to arrive.
#[derive(Debug, Default)]
struct Partial {
    head: [u8; MAX_HEADER],
    head_len: u8,
    frame: Option<Incoming>,
    message: Option<Message>,
    control: Vec<u8>,
}

impl Partial {
    fn is_empty(&self) -> bool {
        self.head_len == 0 && self.frame.is_none() && self.message.is_none()
    }
}

/// What was agreed on about compressed messages.
#[cfg(feature = "deflate")]
#[derive(Debug)]
struct Inflate {
    context_takeover: bool,
    /// The decompressor between messages, if its window goes on.
    kept: Option<crate::deflate::Inflater>,
}

/// A message in a single frame, and what stands behind it.
struct Whole<'a> {
    is_text: bool,
    mask: [u8; 4],
    payload: &'a [u8],
    behind: &'a [u8],
}

impl Whole<'_> {
    /// Takes the mask off a copy of the payload, and checks that text is text.
    fn unmask(&self, copy: &mut [u8]) -> Result<(), Violation> {
        let is_ascii = mask::apply(copy, self.mask);
        if self.is_text && !is_ascii && std::str::from_utf8(copy).is_err() {
            return Err(Violation::NotUtf8);
        }
        Ok(())
    }
}

/// A frame whose header was read and whose payload is arriving.
#[derive(Debug)]
struct Incoming {
    op: OpCode,
    fin: bool,
    mask: [u8; 4],
    remaining: usize,
}

impl Connection {
    /// A connection before its first frame.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            partial: None,
            #[cfg(feature = "deflate")]
            inflate: None,
        }
    }

    /// Takes compressed messages too (RFC 7692), with a window that goes on from message to message or
    /// not. [`Upgrade::accept`](crate::Upgrade::accept) does this where it was agreed on.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn inflating(mut self, context_takeover: bool) -> Self {
        let kept = None;
        self.inflate = Some(Box::new(Inflate {
            context_takeover,
            kept,
        }));
        self
    }

    /// Reads from the front of `input` until something is complete, and moves `input` behind what was
    /// read. `None` means that all of `input` was taken and more is needed.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<Option<Received>, Violation> {
        if let Some(mut partial) = self.partial.take() {
            let received = self.go_on(&mut partial, input);
            self.partial = Some(partial).filter(|partial| !partial.is_empty());
            return received;
        }
        if let Some(message) = self.receive_whole(input)? {
            return Ok(Some(message));
        }
        let mut partial = Partial::default();
        let received = self.go_on(&mut partial, input);
        if !partial.is_empty() {
            self.partial = Some(Box::new(partial));
        }
        received
    }

    /// [`Connection::receive`] of a text message that needs no memory of its own: one that is next, at
    /// hand as a whole, plain and no longer than [`SHORT_TEXT`]. It is left in `text`, and nothing is
    /// read if the next message is another.
    pub(crate) fn receive_short(
        &self,
        input: &mut &[u8],
        text: &mut Vec<u8>,
    ) -> Result<bool, Violation> {
        if self.partial.is_some() {
            return Ok(false);
        }
        let Some(whole) = self.whole(input)? else {
            return Ok(false);
        };
        if !whole.is_text || whole.payload.len() > SHORT_TEXT {
            return Ok(false);
        }
        text.clear();
        text.extend_from_slice(whole.payload);
        whole.unmask(text)?;
        *input = whole.behind;
        Ok(true)
    }

    fn receive_whole(&self, input: &mut &[u8]) -> Result<Option<Received>, Violation> {
        let Some(whole) = self.whole(input)? else {
            return Ok(None);
        };
        let mut data = whole.payload.to_vec();
        whole.unmask(&mut data)?;
        *input = whole.behind;
        let data = Bytes::from(data);
        Ok(Some(if whole.is_text {
            Received::Text(data)
        } else {
            Received::Binary(data)
        }))
    }

    /// What most messages are: a single frame, all of it at hand, plain. It takes a third of the
    /// instructions that a message does which may come in parts.
    fn whole<'a>(&self, input: &'a [u8]) -> Result<Option<Whole<'a>>, Violation> {
        let Some((header, size)) = header::parse(input, self.compression())? else {
            return Ok(None);
        };
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let is_text = match header.op {
            OpCode::Text => true,
            OpCode::Binary => false,
            _ => return Ok(None),
        };
        let is_plain = header.fin && !header.compressed && len <= self.limits.max_message;
        let split = input[size..].split_at_checked(len).filter(|_| is_plain);
        Ok(split.map(|(payload, behind)| Whole {
            is_text,
            mask: header.mask,
            payload,
            behind,
        }))
    }

    fn go_on(
        &mut self,
        partial: &mut Partial,
        input: &mut &[u8],
    ) -> Result<Option<Received>, Violation> {
        loop {
            let Some(mut frame) = partial.frame.take() else {
                let Some(header) = self.read_header(partial, input)? else {
                    return Ok(None);
                };
                partial.frame = Some(self.begin(partial, &header, input.len())?);
                continue;
            };
            let (part, rest) = input.split_at(frame.remaining.min(input.len()));
            *input = rest;
            self.append(partial, &frame, part)?;
            frame.mask = mask::advance(frame.mask, part.len());
            frame.remaining -= part.len();
            if frame.remaining > 0 {
                partial.frame = Some(frame);
                return Ok(None);
            }
            if let Some(received) = self.finish(partial, &frame)? {
                return Ok(Some(received));
            }
        }
    }

    #[cfg(feature = "deflate")]
    fn compression(&self) -> bool {
        self.inflate.is_some()
    }

    #[cfg(not(feature = "deflate"))]
    #[allow(
        clippy::unused_self,
        reason = "depends on the connection with the feature"
    )]
    fn compression(&self) -> bool {
        false
    }

    fn read_header(
        &self,
        partial: &mut Partial,
        input: &mut &[u8],
    ) -> Result<Option<Header>, Violation> {
        let kept = usize::from(partial.head_len);
        let compression = self.compression();
        let parsed = if kept == 0 {
            header::parse(input, compression)?
        } else {
            let more = input.len().min(MAX_HEADER - kept);
            partial.head[kept..kept + more].copy_from_slice(&input[..more]);
            header::parse(&partial.head[..kept + more], compression)?
        };
        if let Some((header, size)) = parsed {
            *input = &input[size - kept..];
            partial.head_len = 0;
            return Ok(Some(header));
        }
        // A header that is not whole is shorter than the longest one, so all of the input fits.
        let end = kept + input.len();
        partial.head[kept..end].copy_from_slice(input);
        partial.head_len = u8::try_from(end).expect("a header has at most 14 bytes");
        *input = &[];
        Ok(None)
    }

    /// Checks a header against the state and the limits, and opens a message where one begins.
    fn begin(
        &mut self,
        partial: &mut Partial,
        header: &Header,
        at_hand: usize,
    ) -> Result<Incoming, Violation> {
        let limit = self.limits.max_message;
        let too_big = Violation::MessageTooBig { limit };
        let remaining = usize::try_from(header.len).map_err(|_| too_big)?;
        if !header.op.is_control() {
            match (header.op, &partial.message) {
                (OpCode::Continuation, Some(_)) => {}
                (OpCode::Continuation, None) => return Err(Violation::UnexpectedContinuation),
                (_, Some(_)) => return Err(Violation::InterleavedMessage),
                (_, None) => partial.message = Some(self.open(header)),
            }
            let message = partial.message.as_mut().expect("opened or found above");
            if remaining > message.room(limit) {
                return Err(too_big);
            }
            message.fragments += 1;
            if message.fragments > self.limits.max_fragments {
                return Err(Violation::TooManyFragments {
                    limit: self.limits.max_fragments,
                });
            }
            message.reserve(remaining.min(at_hand));
        }
        Ok(Incoming {
            op: header.op,
            fin: header.fin,
            mask: header.mask,
            remaining,
        })
    }

    #[cfg(not(feature = "deflate"))]
    #[allow(
        clippy::unused_self,
        reason = "depends on the connection with the feature"
    )]
    fn open(&self, header: &Header) -> Message {
        Message::new(header.op == OpCode::Text)
    }

    #[cfg(feature = "deflate")]
    fn open(&mut self, header: &Header) -> Message {
        let mut message = Message::new(header.op == OpCode::Text);
        if header.compressed {
            let kept = self
                .inflate
                .as_mut()
                .and_then(|inflate| inflate.kept.take());
            let inflater = kept.unwrap_or_else(crate::deflate::Inflater::fresh);
            message.inflation = Some(crate::message::Inflation::new(inflater));
        }
        message
    }

    /// Inflates the end of a compressed message, and keeps the window if it goes on.
    #[cfg(feature = "deflate")]
    fn finish_inflation(&mut self, message: &mut Message) -> Result<(), Violation> {
        if let Some(inflater) = message.finish_inflation(self.limits.max_message)? {
            match &mut self.inflate {
                Some(inflate) if inflate.context_takeover => inflate.kept = Some(inflater),
                _ => inflater.recycle(),
            }
        }
        Ok(())
    }

    fn append(
        &self,
        partial: &mut Partial,
        frame: &Incoming,
        part: &[u8],
    ) -> Result<(), Violation> {
        if frame.op.is_control() {
            let start = partial.control.len();
            partial.control.extend_from_slice(part);
            mask::apply(&mut partial.control[start..], frame.mask);
            return Ok(());
        }
        let message = partial
            .message
            .as_mut()
            .expect("a data frame has a message");
        message.append_masked(part, frame.mask, self.limits.max_message)
    }

    #[cfg_attr(
        not(feature = "deflate"),
        allow(clippy::needless_pass_by_ref_mut, clippy::unused_self)
    )]
    fn finish(
        &mut self,
        partial: &mut Partial,
        frame: &Incoming,
    ) -> Result<Option<Received>, Violation> {
        if frame.op.is_control() {
            let payload = std::mem::take(&mut partial.control);
            return Ok(Some(match frame.op {
                OpCode::Ping => Received::Ping(payload.into()),
                OpCode::Pong => Received::Pong(payload.into()),
                _ => Received::Close(parse_close(&payload)?),
            }));
        }
        if !frame.fin {
            return Ok(None);
        }
        #[cfg_attr(not(feature = "deflate"), allow(unused_mut))]
        let mut message = partial.message.take().expect("a data frame has a message");
        #[cfg(feature = "deflate")]
        self.finish_inflation(&mut message)?;
        let text = message.text;
        let data = message.finish()?;
        Ok(Some(if text {
            Received::Text(data)
        } else {
            Received::Binary(data)
        }))
    }
}

/// Reads the payload of a close frame (RFC 6455, section 5.5.1).
fn parse_close(payload: &[u8]) -> Result<Option<(u16, String)>, Violation> {
    let (code, reason) = match *payload {
        [] => return Ok(None),
        [_] => return Err(Violation::HalfCloseCode),
        [high, low, ref reason @ ..] => (u16::from_be_bytes([high, low]), reason),
    };
    if !close::is_sendable(code) {
        return Err(Violation::BadCloseCode(code));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
    Ok(Some((code, reason.to_owned())))
}
