//! A connection in the test's own hands, for bytes no client would send.

use std::future::Future;
use std::io;
use std::panic::Location;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::frame::{ClientFrame, ServerFrame, opcode};
use super::http::{self, HttpResponse};
use super::message::{CloseSeen, Ending, Refused};
use super::remote::Remote;
use super::stream::Stream;
use super::transcript::Transcript;
use super::upgrade;

/// Writes what it is told and reads frames or HTTP responses. It answers
/// nothing by itself, neither pings nor close frames.
#[derive(Debug)]
pub struct RawConnection {
    stream: Stream,
    read: BytesMut,
    transcript: Transcript,
    patience: Duration,
}

impl RawConnection {
    /// Opens a connection and sends nothing.
    pub async fn open(remote: impl Into<Remote>) -> io::Result<Self> {
        Ok(Self {
            stream: remote.into().connect(None).await?,
            read: BytesMut::new(),
            transcript: Transcript::new(),
            patience: Duration::from_secs(5),
        })
    }

    /// Opens a WebSocket by a correct handshake at `path` (with its query).
    pub async fn upgrade(
        remote: impl Into<Remote>,
        path: &str,
        headers: &[(String, String)],
    ) -> Result<Self, Refused> {
        let transcript = Transcript::new();
        let remote = remote.into();
        let upgraded = upgrade::upgrade(&remote, path, headers, &[], None, &transcript).await?;
        Ok(Self {
            stream: upgraded.stream,
            read: upgraded.leftover,
            transcript,
            patience: Duration::from_secs(5),
        })
    }

    /// Longest wait for anything, 5 s by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The frames seen and sent.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Writes bytes. An error means that the server has ended the connection,
    /// which the next read tells better.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.transcript.sent(String::from_utf8_lossy(bytes));
        let _ = self.stream.send(bytes).await;
    }

    /// Writes bytes in bulk, which the transcript only counts. An error means
    /// that the server has ended the connection, which the next read tells.
    pub async fn pour(&mut self, bytes: &[u8]) {
        self.transcript.sent(format!("({} bytes)", bytes.len()));
        let _ = self.stream.send(bytes).await;
    }

    /// Writes a frame, right or wrong.
    pub async fn send(&mut self, frame: &ClientFrame) {
        self.transcript.sent(frame.to_string());
        let _ = self.stream.send(&frame.encode()).await;
    }

    /// Ends the sending direction (FIN) and leaves the other open.
    pub async fn half_close(&mut self) {
        self.transcript.sent("(fin)");
        let _ = self.stream.shutdown().await;
    }

    /// Resets the connection.
    pub fn reset(self) {
        self.stream.reset();
    }

    /// Reads a whole HTTP response.
    #[track_caller]
    pub fn response(&mut self) -> impl Future<Output = HttpResponse> + Send {
        let at = Location::caller();
        async move {
            let reading = async {
                let head = http::read_head(&mut self.stream, &mut self.read).await?;
                let (body, _) =
                    http::read_body(&mut self.stream, &mut self.read, &head, false).await?;
                io::Result::Ok(HttpResponse { body, ..head })
            };
            match tokio::time::timeout(self.patience, reading).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => self.fail(at, "a response", &error.to_string()),
                Err(_) => self.fail(at, "a response", "nothing"),
            }
        }
    }

    /// Reads the next frame; `None` at the end of the connection, however it
    /// ended.
    #[track_caller]
    pub fn frame(&mut self) -> impl Future<Output = Option<ServerFrame>> + Send {
        let at = Location::caller();
        async move { self.frame_at(at).await.ok() }
    }

    /// Skips frames up to the close frame, and waits for the end of the TCP
    /// connection behind it.
    #[track_caller]
    pub fn expect_close(&mut self) -> impl Future<Output = CloseSeen> + Send {
        let at = Location::caller();
        async move {
            let mut told = None;
            loop {
                match self.frame_at(at).await {
                    Ok(frame) if frame.opcode == opcode::CLOSE => match frame.close_code() {
                        Ok(seen) => told = Some(seen),
                        Err(error) => self.fail(at, "a legal close frame", &error.to_string()),
                    },
                    Ok(_) => {}
                    Err(by) => {
                        let by = if told.is_some() {
                            Ending::CloseFrame
                        } else {
                            by
                        };
                        let (code, reason) = told.unwrap_or((1006, String::new()));
                        return CloseSeen { code, reason, by };
                    }
                }
            }
        }
    }

    async fn frame_at(&mut self, at: &Location<'_>) -> Result<ServerFrame, Ending> {
        loop {
            match ServerFrame::decode(&mut self.read) {
                Ok(Some(frame)) => {
                    self.transcript.received(frame.to_string());
                    return Ok(frame);
                }
                Ok(None) => {}
                Err(error) => self.fail(at, "a legal frame", &error.to_string()),
            }
            let reading = self.stream.read_buf(&mut self.read);
            match tokio::time::timeout(self.patience, reading).await {
                Ok(Ok(0)) => return Err(Ending::Eof),
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(Ending::Reset),
                Err(_) => self.fail(at, "a frame or the end", "nothing"),
            }
        }
    }

    fn fail(&self, at: &Location<'_>, what: &str, instead: &str) -> ! {
        panic!(
            "expected {what}, but saw {instead}\n  at {at}\n{}",
            self.transcript
        )
    }
}
