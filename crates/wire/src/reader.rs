//! The receiving half of a connection and the buffer it is read into.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf};
use tokio::net::tcp::OwnedReadHalf;
use tokio::task::AbortHandle;

/// One buffer per thread instead of one per connection: an idle connection keeps none.
const READ_BUFFER: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// Lends the thread's buffer; it is not lent again inside.
pub(crate) fn with_buffer<R>(use_it: impl FnOnce(&mut [u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| use_it(buffer))
}

/// A transport of whatever kind.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

pub(crate) enum Reader {
    Tcp(OwnedReadHalf),
    Generic(Box<Generic>),
}

/// The receiving half of any transport, with the task that writes to the other one, which ends with this.
pub(crate) struct Generic {
    half: ReadHalf<Box<dyn Transport>>,
    writing: AbortHandle,
}

impl Generic {
    pub(crate) fn new(half: ReadHalf<Box<dyn Transport>>, writing: AbortHandle) -> Self {
        Self { half, writing }
    }
}

impl Drop for Generic {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp(_) => "Reader::Tcp",
            Self::Generic(_) => "Reader::Generic",
        })
    }
}

impl Reader {
    /// Reads once and shows what came to `take`; an empty slice is the end of the stream.
    pub(crate) fn poll_read<R>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Poll<io::Result<R>> {
        with_buffer(|buffer| {
            let mut buf = ReadBuf::new(buffer);
            ready!(match self {
                Self::Tcp(half) => Pin::new(half).poll_read(cx, &mut buf),
                Self::Generic(generic) => Pin::new(&mut generic.half).poll_read(cx, &mut buf),
            })?;
            Poll::Ready(Ok(take(buf.filled())))
        })
    }
}
