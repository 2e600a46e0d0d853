//! A TLS stream as hyper uses it, with the permit of its connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::ReadBufCursor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use crate::limiter::Permit;

#[derive(Debug)]
pub(crate) struct CountedTls {
    io: TokioIo<TlsStream<TcpStream>>,
    permit: Permit,
}

impl CountedTls {
    /// Performs the handshake of the server.
    pub(crate) async fn accept(
        config: Arc<ServerConfig>,
        stream: TcpStream,
        permit: Permit,
    ) -> io::Result<Self> {
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let io = TokioIo::new(stream);
        Ok(Self { io, permit })
    }

    pub(crate) fn into_parts(self) -> (TlsStream<TcpStream>, Permit) {
        (self.io.into_inner(), self.permit)
    }
}

impl hyper::rt::Read for CountedTls {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for CountedTls {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
