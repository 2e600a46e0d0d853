//! The accept loop: hyper's HTTP/1.1 with upgrades, within limits.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tower_service::Service;

use crate::head_timer::HeadTimer;
use crate::limiter::{Limiter, Permit};
use crate::shared_tcp::{Progress, SharedTcp, shut_sending};
use crate::successor::{Next, Relay, Successor};
#[cfg(feature = "tls")]
use crate::tls::CountedTls;

/// Limits of the accept loop.
#[derive(Clone, Debug)]
pub struct AcceptConfig {
    /// Bytes of a request head; 16 KiB by default, at least 8 KiB. More is answered with 431.
    pub head_bytes: usize,
    /// Header lines of a request; 100 by default. More is answered with 431.
    pub head_lines: usize,
    /// Time for a request head to arrive, and for an idle connection to wait for its next request; 10 s
    /// by default. A head that is not complete by then is answered with 408.
    pub head_timeout: Duration,
    /// Connections at a time, upgraded ones included; unlimited by default. More are answered with 503.
    pub max_connections: Option<usize>,
    /// Connections at a time from one address; unlimited by default. More are answered with 503.
    pub max_connections_per_address: Option<usize>,
    /// What `Retry-After` says in a 503, in whole seconds; 5 s by default.
    pub retry_after: Duration,
    /// How long connections may take to end after the shutdown signal; 10 s by default. Until then
    /// new ones are answered with 503.
    pub drain_timeout: Duration,
    /// Speak TLS; off by default. The handshake shares the time of the first request head. The
    /// configuration brings certificates and cryptography; of its ALPN protocols only `http/1.1` can be
    /// served.
    #[cfg(feature = "tls")]
    pub tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
}

impl Default for AcceptConfig {
    fn default() -> Self {
        Self {
            head_bytes: 16 * 1024,
            head_lines: 100,
            head_timeout: Duration::from_secs(10),
            max_connections: None,
            max_connections_per_address: None,
            retry_after: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

/// The address of the peer, in the extensions of each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// How the accept loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that had not ended by the deadline.
    pub remaining: usize,
}

/// Refused connections that may be answered at a time; beyond it they are just closed.
const MAX_REFUSALS: usize = 256;

/// How long, and how much of, a request that was refused is still read, so that the peer sees the answer.
const REFUSAL_LINGER: Duration = Duration::from_secs(2);
const REFUSAL_DRAIN: usize = 8 * 1024 * 1024;

/// How long the loop rests when the system has no descriptor or memory left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves a listener until `shutdown` completes and its connections have ended, or the drain timeout
/// has passed.
///
/// Each connection has a task of its own, which ends with the upgrade or goes on with what
/// [`OnUpgrade::go_on`](crate::OnUpgrade::go_on) was told. After the signal, requests in
/// progress are finished, idle connections are closed, and new ones are answered with 503; closing the
/// upgraded ones is up to their owners.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    config: AcceptConfig,
    shutdown: impl Future<Output = ()>,
) -> Stopped
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limiter = Limiter::new(config.max_connections, config.max_connections_per_address);
    let refusals = Limiter::new(Some(MAX_REFUSALS), None);
    let host = Arc::new(Host {
        config,
        stopping: watch::Sender::new(false),
    });
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener) => accepted,
        };
        if let Some(permit) = limiter.admit(peer.ip()) {
            let successor = Successor::default();
            let service = Admitted {
                inner: TowerToHyperService::new(service.clone()),
                peer,
                successor: successor.clone(),
            };
            spawn(&host, stream, permit, service, successor);
        } else {
            refuse(&host, &refusals, stream, peer);
        }
    }
    host.stopping.send_replace(true);
    let deadline = Instant::now() + host.config.drain_timeout;
    loop {
        tokio::select! {
            biased;
            () = limiter.none_left() => break,
            () = tokio::time::sleep_until(deadline) => break,
            (stream, peer) = accept(&listener) => refuse(&host, &refusals, stream, peer),
        }
    }
    Stopped {
        remaining: limiter.total(),
    }
}

/// What all connections of a listener share.
#[derive(Debug)]
struct Host {
    config: AcceptConfig,
    stopping: watch::Sender<bool>,
}

impl Host {
    async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// Accepts one connection; errors of a single connection are passed over.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Frames are batched already; waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

fn refuse(host: &Arc<Host>, refusals: &Limiter, stream: TcpStream, peer: SocketAddr) {
    if let Some(permit) = refusals.admit(peer.ip()) {
        let service = Refused {
            retry_after: host.config.retry_after,
        };
        let host = Arc::clone(host);
        // It ends with its only answer, so a shutdown need not hurry it: hyper
        // would close it before its request has arrived.
        let never = std::future::pending();
        let nobody = Successor::default();
        tokio::spawn(Relay::new(async move {
            connection(&host, stream, permit, service, nobody, never).await
        }));
    }
}

fn spawn<S, B>(
    host: &Arc<Host>,
    stream: TcpStream,
    permit: Permit,
    service: S,
    successor: Successor,
) where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let host = Arc::clone(host);
    tokio::spawn(Relay::new(async move {
        connection(&host, stream, permit, service, successor, host.stopped()).await
    }));
}

/// Runs hyper on one connection, until it ends or is upgraded; returns what was set to go on with it.
async fn connection<S, B>(
    host: &Host,
    stream: TcpStream,
    permit: Permit,
    service: S,
    successor: Successor,
    stopped: impl Future<Output = ()>,
) -> Next
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut stopped = pin!(stopped);
    let mut head_time = HeadTimer::start(host.config.head_timeout);
    #[cfg(feature = "tls")]
    if let Some(config) = &host.config.tls {
        let handshake = CountedTls::accept(Arc::clone(config), stream, permit);
        let time = host.config.head_timeout;
        if let Ok(Ok(io)) = tokio::time::timeout(time, handshake).await {
            let connection = builder(&host.config, HeadTimer::go_on(head_time));
            let connection = connection.serve_connection(io, service).with_upgrades();
            // Whatever the error is, TLS has no way to tell it but to end.
            let _ = until_stopped(Box::pin(connection).as_mut(), stopped).await;
            return successor.take();
        }
        return Next::End;
    }
    let progress = Arc::new(Progress::default());
    let mut io = SharedTcp::observed(stream, permit, Arc::clone(&progress));
    // hyper has 16 KiB of buffers and a task of its size from its first moment on. Somebody who has sent
    // nothing yet needs none of it.
    tokio::select! {
        biased;
        () = poll_fn(|cx| io.poll_first(cx)) => {}
        () = &mut stopped => return Next::End,
        () = &mut head_time => {}
    }
    let stream = io.downgrade();
    let service = Watched {
        inner: service,
        progress: Arc::clone(&progress),
    };
    let connection = builder(&host.config, HeadTimer::go_on(head_time));
    let connection = connection.serve_connection(io, service).with_upgrades();
    let mut connection = Box::pin(connection);
    let result = until_stopped(connection.as_mut(), stopped).await;
    // The stream is still in hyper's hands here unless it was upgraded, so that what hyper does not do
    // can be done: an answer to a head that takes too long, and an end that does not reset the answer.
    let next = successor.take();
    let Err(error) = result else {
        return next;
    };
    drop(next);
    if let Some(stream) = stream.upgrade() {
        if error.is_timeout() {
            if !progress.in_head() {
                return Next::End;
            }
            // The few bytes fit into the empty send buffer of a connection that got no answer yet.
            let _ = stream.try_write(REQUEST_TIMEOUT);
        }
        linger(&stream).await;
    }
    Next::End
}

/// Runs a connection; from `stopped` on it ends with the request in progress.
async fn until_stopped<I, S, B>(
    mut connection: Pin<&mut http1::UpgradeableConnection<I, S>>,
    stopped: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    tokio::select! {
        // In this order, so that a request that is there already is answered.
        biased;
        result = &mut connection => result,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

const REQUEST_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn builder(config: &AcceptConfig, timer: HeadTimer) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(timer)
        .header_read_timeout(config.head_timeout)
        .max_buf_size(config.head_bytes.max(8192));
    // Setting hyper's own default would move the headers from the stack to the heap.
    if config.head_lines != 100 {
        builder.max_headers(config.head_lines);
    }
    builder
}

/// Shuts the sending direction and reads what still comes, within bounds.
async fn linger(stream: &TcpStream) {
    if shut_sending(stream).is_err() {
        return;
    }
    let drain = async {
        let mut buffer = vec![0; 16 * 1024];
        let mut left = REFUSAL_DRAIN;
        while left > 0 && stream.readable().await.is_ok() {
            match stream.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => left = left.saturating_sub(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    // Running out of time is as good an end as any here.
    let _ = tokio::time::timeout(REFUSAL_LINGER, drain).await;
}

/// Notes when a request head is complete.
struct Watched<S> {
    inner: S,
    progress: Arc<Progress>,
}

impl<S: hyper::service::Service<Request<Incoming>>> hyper::service::Service<Request<Incoming>>
    for Watched<S>
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.progress.head_done();
        self.inner.call(request)
    }
}

/// The user's service, with the peer's address and the place for what follows on an upgrade.
struct Admitted<S> {
    inner: TowerToHyperService<S>,
    peer: SocketAddr,
    successor: Successor,
}

impl<S> hyper::service::Service<Request<Incoming>> for Admitted<S>
where
    S: Service<Request<Incoming>> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TowerToHyperServiceFuture<S, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let extensions = request.extensions_mut();
        extensions.insert(PeerAddr(self.peer));
        extensions.insert(self.successor.clone());
        self.inner.call(request)
    }
}

/// Answers everything with 503.
struct Refused {
    retry_after: Duration,
}

impl hyper::service::Service<Request<Incoming>> for Refused {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn call(&self, _request: Request<Incoming>) -> Self::Future {
        let mut response = Response::new(Full::from("no more connections are taken at present"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from(self.retry_after.as_secs()),
        );
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        std::future::ready(Ok(response))
    }
}
