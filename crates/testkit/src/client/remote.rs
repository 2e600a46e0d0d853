//! Where a server is.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpSocket;

use super::stream::Stream;

/// Where a server is reached: an address, and over TLS if it speaks that.
#[derive(Clone, Debug)]
pub struct Remote {
    addr: SocketAddr,
    #[cfg(feature = "tls")]
    tls: Option<std::sync::Arc<super::stream::ClientConfig>>,
}

impl From<SocketAddr> for Remote {
    fn from(addr: SocketAddr) -> Self {
        Self {
            addr,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Remote {
    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same address over TLS. The server's certificate has to be one for
    /// the IP address, by an authority that the configuration trusts.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, config: std::sync::Arc<super::stream::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Opens a connection, with a receive buffer of this many bytes if given.
    pub(crate) async fn connect(&self, receive_buffer: Option<u32>) -> io::Result<Stream> {
        let socket = if self.addr.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(self.addr).await?;
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if let Some(config) = &self.tls {
            return Stream::tls(stream, config, self.addr.ip()).await;
        }
        Ok(Stream::Tcp(stream))
    }
}
