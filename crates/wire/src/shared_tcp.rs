//! A TCP stream that can be taken back out of hyper.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::rt::ReadBufCursor;
use tokio::net::TcpStream;

use crate::limiter::Permit;
use crate::reader::with_buffer;

/// A TCP stream as hyper reads and writes it until the upgrade; afterwards the WebSocket layer takes the
/// stream itself, without hyper's buffers around it.
///
/// It carries the permit of its connection, so that an upgraded connection counts until it ends.
#[derive(Debug)]
pub struct SharedTcp {
    stream: Arc<TcpStream>,
    permit: Option<Permit>,
    progress: Option<Arc<Progress>>,
    /// What was read before hyper began.
    ahead: Bytes,
}

/// How much is read before hyper begins: as much as its buffer takes at once.
const FIRST_READ: usize = 8 * 1024;

/// Whether a request head has begun to arrive and is not complete.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    idle: AtomicBool,
}

impl Progress {
    /// True from the start of the connection, and from the first byte behind a request on.
    pub(crate) fn in_head(&self) -> bool {
        !self.idle.load(Ordering::Relaxed)
    }

    pub(crate) fn head_done(&self) {
        self.idle.store(true, Ordering::Relaxed);
    }

    fn bytes_came(&self) {
        self.idle.store(false, Ordering::Relaxed);
    }
}

impl SharedTcp {
    /// A stream that no connection limit counts.
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream: Arc::new(stream),
            permit: None,
            progress: None,
            ahead: Bytes::new(),
        }
    }

    /// A stream of the accept loop: counted, and observed for heads that take too long.
    pub(crate) fn observed(stream: TcpStream, permit: Permit, progress: Arc<Progress>) -> Self {
        Self {
            stream: Arc::new(stream),
            permit: Some(permit),
            progress: Some(progress),
            ahead: Bytes::new(),
        }
    }

    /// Reads for the first time, for hyper, which is to begin when there is something.
    ///
    /// The end and errors are left to hyper, which finds them again.
    pub(crate) fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let read = self.poll_with_buffer(cx, FIRST_READ, Bytes::copy_from_slice);
        self.ahead = ready!(read).unwrap_or_default();
        Poll::Ready(())
    }

    /// Reads into the buffer of the thread and shows what came to `take`.
    fn poll_with_buffer<R>(
        &self,
        cx: &mut Context<'_>,
        room: usize,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Poll<io::Result<R>> {
        let mut take = Some(take);
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let read: io::Result<R> = with_buffer(|buffer| {
                let room = room.min(buffer.len());
                let read = self.stream.try_read(&mut buffer[..room])?;
                let take = take.take().expect("bytes come once");
                Ok(take(&buffer[..read]))
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// The stream, for as long as it is not taken apart; the accept loop answers with it where hyper
    /// cannot.
    pub(crate) fn downgrade(&self) -> Weak<TcpStream> {
        Arc::downgrade(&self.stream)
    }

    /// Takes the stream out, with what was read of it and hyper has not asked for; fails only while
    /// somebody else uses it this very moment.
    pub(crate) fn into_parts(self) -> io::Result<(TcpStream, Bytes, Option<Permit>)> {
        let stream = Arc::into_inner(self.stream)
            .ok_or_else(|| io::Error::other("the stream is in use elsewhere"))?;
        Ok((stream, self.ahead, self.permit))
    }
}

impl hyper::rt::Read for SharedTcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let len = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead.split_to(len));
            return Poll::Ready(Ok(()));
        }
        // The cursor can only be filled without `unsafe` from a slice, so that the bytes take the way
        // over the buffer of the thread.
        let read = self.poll_with_buffer(cx, buf.remaining(), |bytes| {
            buf.put_slice(bytes);
            bytes.len()
        });
        let read = ready!(read)?;
        if let (1.., Some(progress)) = (read, &self.progress) {
            progress.bytes_came();
        }
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for SharedTcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        poll_write_with(&self.stream, cx, |stream| stream.try_write(buf))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll_write_with(&self.stream, cx, |stream| stream.try_write_vectored(bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(shut_sending(&self.stream))
    }
}

fn poll_write_with(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match write(stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

/// Shuts the sending direction, which tokio offers on an exclusive stream only.
pub(crate) fn shut_sending(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).shutdown(std::net::Shutdown::Write)
}
