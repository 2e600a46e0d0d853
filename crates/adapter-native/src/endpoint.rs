//! The HTTP face: which requests are ours, and the handshake.

use std::sync::Arc;

use axum_core::body::Body;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use nest_gateway_core::adapter::{Admission, BoxFuture, Endpoint, Found, Host, Refusal};
use nest_gateway_core::config::{Config, SlowPolicy};
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::recovery::{Former, Lost, RecoveryStore};
use nest_gateway_core::session::Session;
use nest_gateway_wire::{
    Acceptor, Flusher, Limits, OnUpgrade, OutboxConfig, Rest, SlowPolicy as WirePolicy, Upgrade,
    WebSocketConfig,
};

use crate::codec::GAP;
use crate::connection::Connection;
use crate::encoding::Encoding;
use crate::outlet::NativeOutlet;
use crate::recovery::{Asked, Opened, Recoveries};
use crate::{NAME, Native};

/// Answers WebSocket handshakes at the namespaces' paths.
pub(crate) struct NativeEndpoint {
    prefix: String,
    options: Native,
    host: Arc<Host>,
    acceptor: Arc<Acceptor>,
    recovery: Option<Arc<RecoveryStore>>,
}

impl NativeEndpoint {
    pub(crate) fn new(
        prefix: String,
        options: Native,
        host: Arc<Host>,
        recovery: Option<Arc<RecoveryStore>>,
    ) -> Self {
        let config = wire_config(&options, host.config());
        Self {
            recovery,
            prefix,
            options,
            host,
            acceptor: Acceptor::new(config, Flusher::spawn()),
        }
    }

    fn find(&self, path: &str) -> Option<Found> {
        let path = path.strip_prefix(self.prefix.as_str())?;
        self.host
            .find(if path.is_empty() { "/" } else { path }, NAME)
    }

    async fn accept(&self, mut request: Request<Body>) -> Response<Body> {
        let Some(found) = self.find(request.uri().path()) else {
            return plain(StatusCode::NOT_FOUND, "no such namespace");
        };
        let Some(found) = found.percent_decoded() else {
            return plain(StatusCode::BAD_REQUEST, "the path is not UTF-8");
        };
        let upgrade = match Upgrade::from_request(&mut request) {
            Ok(upgrade) => upgrade,
            Err(error) => return error.response().map(Body::from),
        };
        let protocol = self.choose(upgrade.protocols());
        let (head, _) = request.into_parts();
        let handshake = Handshake::from_http(&head);
        let encoding = Encoding::of(protocol.as_deref());
        let recoveries = self.recoveries(encoding);
        let asked = match &recoveries {
            Some(_) => Asked::of(&handshake),
            None => Asked::Nothing,
        };
        let returns = matches!(&asked, Asked::Return(request)
            if recoveries.as_ref().is_some_and(|r| r.store.knows(&request.key)));
        let admission = match self.host.admit(found, handshake, NAME, returns).await {
            Ok(admission) => admission,
            Err(refusal) => return refused(&refusal),
        };
        let former = match &recoveries {
            Some(recoveries) => recoveries.claim(asked, &admission).await,
            None => Ok(None),
        };
        let (response, socket) = upgrade.accept(&self.acceptor, protocol.as_deref());
        let outlet = Arc::new(NativeOutlet::new(Arc::clone(socket.outbox()), encoding));
        let host = Arc::clone(&self.host);
        let opening = match (recoveries, former) {
            (None, _) => Opening::Plain(Session::open(NAME, admission, Arc::clone(&outlet) as _)),
            (Some(recoveries), Ok(Some(former))) => Opening::Former(recoveries, former, admission),
            (Some(recoveries), former) => {
                let opened = recoveries.open(Arc::clone(&outlet) as _, admission);
                Opening::Recoverable(recoveries, opened, former.err())
            }
        };
        let begin = async move |socket: OnUpgrade| match socket.await {
            Ok(socket) => {
                let (session, recovery) = opening.complete(outlet);
                let connection = Connection::new(socket, session, recovery, encoding);
                Some(Box::pin(host.track(connection)) as Rest)
            }
            // Dropping the session takes the client out again; a former one is put back.
            Err(error) => {
                tracing::debug!(%error, "client left during the handshake");
                None
            }
        };
        socket.go_on(|socket| self.host.track(begin(socket)));
        response.map(|()| Body::empty())
    }

    fn recoveries(&self, encoding: Encoding) -> Option<Recoveries> {
        let store = self.recovery.as_ref()?;
        Some(Recoveries {
            store: Arc::clone(store),
            numbered: encoding.numbered(Arc::clone(store.offsets())),
            plain: encoding.plain(),
        })
    }

    /// The first subprotocol of the client's list that is configured.
    fn choose(&self, offered: &[String]) -> Option<String> {
        let known = |name: &&String| {
            self.options.subprotocols.contains(name) || Encoding::of(Some(name)) != Encoding::Json
        };
        offered.iter().find(known).cloned()
    }
}

/// How a client goes on when its handshake is done.
///
/// A new client is in its namespace before the handshake is answered, so that whoever knows
/// that it is connected misses nothing. One that comes back never left it.
enum Opening {
    Plain(Session),
    Recoverable(Recoveries, Opened, Option<Lost>),
    Former(Recoveries, Former, Admission),
}

impl Opening {
    fn complete(self, outlet: Arc<NativeOutlet>) -> Opened {
        match self {
            Self::Plain(session) => (session, None),
            Self::Recoverable(recoveries, (session, recoverable), lost) => {
                if let Some(recoverable) = &recoverable {
                    recoveries.greet(recoverable, lost);
                }
                (session, recoverable)
            }
            Self::Former(recoveries, former, admission) => {
                recoveries.resume(former, outlet, admission)
            }
        }
    }
}

impl Endpoint for NativeEndpoint {
    fn claims(&self, head: &Parts) -> bool {
        wants_websocket(head) && self.find(head.uri.path()).is_some()
    }

    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>> {
        Box::pin(self.accept(request))
    }

    /// A request at a namespace's path that is no handshake, and that nobody
    /// else answered: 426 for a plain GET (RFC 9110, section 15.5.22), 405 for
    /// other methods.
    fn fallback(&self, head: &Parts) -> Option<Response<Body>> {
        self.find(head.uri.path())?;
        Some(match head.method {
            Method::GET | Method::HEAD => upgrade_required(),
            _ => method_not_allowed(),
        })
    }
}

fn wire_config(options: &Native, config: &Config) -> WebSocketConfig {
    #[cfg(not(feature = "deflate"))]
    let _ = options;
    WebSocketConfig {
        limits: Limits {
            max_message: config.max_message_bytes,
            ..Limits::default()
        },
        outbox: OutboxConfig {
            max_bytes: config.outbox_bytes,
            max_messages: config.outbox_messages,
            policy: match config.slow_policy {
                SlowPolicy::Close => WirePolicy::Close,
                SlowPolicy::DropOldest => WirePolicy::DropOldest,
                SlowPolicy::DropNewest => WirePolicy::DropNewest,
            },
            gap: Some(GAP),
        },
        ping_interval: Some(config.ping_interval),
        ping_timeout: config.ping_timeout,
        close_timeout: config.close_timeout,
        #[cfg(feature = "deflate")]
        deflate: options.deflate,
        ..WebSocketConfig::default()
    }
}

fn upgrade_required() -> Response<Body> {
    let mut response = plain(
        StatusCode::UPGRADE_REQUIRED,
        "this is a WebSocket endpoint; connect with a WebSocket client",
    );
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(
        header::SEC_WEBSOCKET_VERSION,
        HeaderValue::from_static("13"),
    );
    response
}

fn method_not_allowed() -> Response<Body> {
    let mut response = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "a WebSocket handshake is a GET request",
    );
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

fn wants_websocket(head: &Parts) -> bool {
    let values = head.headers.get_all(header::UPGRADE).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("websocket"))
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = plain(status, refusal.message());
    let headers = response.headers_mut();
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
