//! The receiving half of a connection and the buffer it is read into.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf};
use tokio::net::tcp::OwnedReadHalf;

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
    Generic(ReadHalf<Box<dyn Transport>>),
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
                Self::Generic(half) => Pin::new(half).poll_read(cx, &mut buf),
            })?;
            Poll::Ready(Ok(take(buf.filled())))
        })
    }
}
