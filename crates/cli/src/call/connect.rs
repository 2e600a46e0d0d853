//! Opens a WebSocket.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::{HeaderName, HeaderValue, Response};
use tungstenite::{Error, Message, WebSocket};

use super::url::Url;
use crate::cli::Call;
use crate::failure::{Context as _, Failure, Outcome};

/// An open WebSocket.
pub(crate) struct Socket(WebSocket<TcpStream>);

/// What a socket received.
pub(crate) enum Received {
    Text(String),
    Binary(Vec<u8>),
    /// The connection ended, with code and reason where there were any.
    Closed(Option<(u16, String)>),
    /// Nothing within the time.
    Nothing,
}

/// Opens a TCP connection to the first address that answers.
pub(crate) fn tcp(url: &Url, timeout: Duration) -> Outcome<TcpStream> {
    let place = url.authority();
    let addresses = (url.host.as_str(), url.port)
        .to_socket_addrs()
        .context(format_args!("cannot find {place}"))?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_nodelay(true).context(&place)?;
                stream.set_read_timeout(Some(timeout)).context(&place)?;
                stream.set_write_timeout(Some(timeout)).context(&place)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
    Err(Failure::new(format!("cannot connect to {place}: {why}")))
}

impl Socket {
    /// Upgrades at this path and query.
    pub(crate) fn open(url: &Url, target: &str, options: &Call) -> Outcome<Self> {
        let address = format!("ws://{}{target}", url.authority());
        let mut request = address
            .as_str()
            .into_client_request()
            .context(format_args!("`{address}` is not a URL to call"))?;
        for header in &options.header {
            let (name, value) = header_of(header)?;
            request.headers_mut().append(name, value);
        }
        let stream = tcp(url, options.timeout)?;
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Interrupted(_)) => Err(Failure::new(format!(
                "{} did not answer the handshake within {:?}",
                url.authority(),
                options.timeout
            ))),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(refused(&response)),
            Err(HandshakeError::Failure(error)) => {
                Err(Failure::new(format!("the handshake failed: {error}")))
            }
        }
    }

    /// Sends a text.
    pub(crate) fn send(&mut self, text: String) -> Outcome<()> {
        self.0.send(Message::text(text)).context("cannot send")
    }

    /// The next text or bytes, waited for at most this long.
    pub(crate) fn receive(&mut self, timeout: Duration) -> Outcome<Received> {
        let deadline = Instant::now() + timeout;
        loop {
            // A timeout of zero would mean none.
            let left = deadline.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            self.0
                .get_ref()
                .set_read_timeout(Some(left))
                .context("the socket")?;
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(Received::Text(text.to_string())),
                Ok(Message::Binary(bytes)) => return Ok(Received::Binary(bytes.to_vec())),
                Ok(Message::Close(frame)) => {
                    let said = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                    self.answer_close();
                    return Ok(Received::Closed(said));
                }
                Ok(_) => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    return Ok(Received::Closed(None));
                }
                Err(Error::Io(error)) if is_timeout(&error) => {
                    if Instant::now() >= deadline {
                        return Ok(Received::Nothing);
                    }
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(Received::Closed(None));
                }
                Err(error) => return Err(Failure::new(format!("the connection failed: {error}"))),
            }
        }
    }

    /// Says goodbye and waits for the answer, at most a second. The program
    /// ends after it, so that failures do not matter any more.
    pub(crate) fn close(&mut self) {
        let _ = self.0.close(None);
        let deadline = Instant::now() + Duration::from_secs(1);
        while Instant::now() < deadline {
            match self.receive(Duration::from_millis(100)) {
                Ok(Received::Closed(_)) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }

    /// The answer to a close frame is queued already; it only has to leave.
    fn answer_close(&mut self) {
        let _ = self.0.flush();
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn header_of(text: &str) -> Outcome<(HeaderName, HeaderValue)> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(Failure::new(format!(
            "`{text}` is no header; write `Name: value`"
        )));
    };
    let name = name
        .trim()
        .parse()
        .context(format_args!("the header `{text}`"))?;
    let value = value
        .trim()
        .parse()
        .context(format_args!("the header `{text}`"))?;
    Ok((name, value))
}

fn refused(response: &Response<Option<Vec<u8>>>) -> Failure {
    let body = response.body().as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let body = body.trim();
    let colon = if body.is_empty() { "" } else { ": " };
    Failure::new(format!(
        "the server refused the connection with {}{colon}{body}",
        response.status()
    ))
}
