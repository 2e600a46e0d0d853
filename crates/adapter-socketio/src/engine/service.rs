//! The HTTP side: which request goes to which session.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use nest_gateway_wire::{
    Acceptor, Class, Clock, FlusherHandle, Frame, Limits, Outbox, Push, Rest, Upgrade,
    UpgradeError, WebSocket, WebSocketConfig,
};
use tokio::sync::{mpsc, oneshot};

use super::close::CloseReason;
use super::config::EngineConfig;
use super::connection::Connection;
use super::handshake::{Asked, Refusal, TransportKind, open_packet, parse_query};
use super::packet::Packet;
use super::payload;
use super::polling::discard;
use super::sender::{self, Sender};
use super::sid::Sid;
use super::table::{Answer, Command, NoRoom, Posting, Route, Table};

/// Requests of one polling session that wait for its task.
const COMMANDS: usize = 4;

type Handler = dyn Fn(Connection, Parts) -> Rest + Send + Sync;

/// An Engine.IO server, to be mounted wherever HTTP requests come in.
#[derive(Clone)]
pub struct Engine {
    core: Arc<Core>,
    acceptor: Arc<Acceptor>,
    on_connection: Arc<Handler>,
}

/// What sessions share.
pub(super) struct Core {
    pub(super) config: EngineConfig,
    pub(super) table: Table,
    /// Tells sessions when to ping and when to give up.
    pub(super) clock: Clock<sender::Shared>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes a server that runs `on_connection` as the task of each session, with the
    /// request that opened it.
    pub fn new<F, T>(config: EngineConfig, flusher: FlusherHandle, on_connection: F) -> Self
    where
        F: Fn(Connection, Parts) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let acceptor = Acceptor::new(websocket_config(&config), flusher);
        let core = Arc::new(Core {
            clock: Clock::spawn(config.ping_interval.min(config.ping_timeout)),
            config,
            table: Table::default(),
        });
        let on_connection = Arc::new(move |connection, parts| {
            let task: Rest = Box::pin(on_connection(connection, parts));
            task
        });
        Self {
            core,
            acceptor,
            on_connection,
        }
    }

    /// Sessions that are open at present.
    pub fn sessions(&self) -> usize {
        self.core.table.len()
    }

    /// Opens no more sessions and asks the present ones to close.
    pub fn shut_down(&self) {
        self.core.table.close_all(CloseReason::ServerShutdown);
    }

    /// Waits until the last session is gone.
    pub async fn drained(&self) {
        self.core.table.emptied().await;
    }

    /// Answers a request to the server's path.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(cors) = &self.core.config.cors else {
            return self.answer(request).await;
        };
        if request.method() == Method::OPTIONS {
            let mut answer = plain(StatusCode::NO_CONTENT, Bytes::new());
            cors.apply_preflight(request.headers(), answer.headers_mut());
            return answer;
        }
        let mut asked = HeaderMap::new();
        if let Some(origin) = request.headers().get(header::ORIGIN) {
            asked.insert(header::ORIGIN, origin.clone());
        }
        let mut answer = self.answer(request).await;
        cors.apply(&asked, answer.headers_mut());
        answer
    }

    async fn answer<B>(&self, request: Request<B>) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let upgrade = Upgrade::is_requested(&request);
        let query = request.uri().query().unwrap_or("");
        let asked = parse_query(query, request.method(), upgrade);
        let asked = asked.and_then(|asked| self.offered(asked));
        match asked {
            Err(refusal) if upgrade => refused_upgrade(refusal),
            Err(refusal) => refusal.response(),
            Ok(Asked::Open(TransportKind::Polling)) => self.open_polling(request.into_parts().0),
            Ok(Asked::Open(TransportKind::WebSocket)) => self.open_websocket(request),
            Ok(Asked::Session(TransportKind::WebSocket, sid)) => self.probe(request, sid, upgrade),
            Ok(Asked::Session(TransportKind::Polling, sid)) => self.exchange(request, sid).await,
        }
    }

    fn offered(&self, asked: Asked) -> Result<Asked, Refusal> {
        let (Asked::Open(kind) | Asked::Session(kind, _)) = asked;
        let offered = match kind {
            TransportKind::Polling => self.core.config.polling,
            TransportKind::WebSocket => self.core.config.websocket,
        };
        if offered {
            Ok(asked)
        } else {
            Err(Refusal::UnknownTransport)
        }
    }

    fn open_polling(&self, parts: Parts) -> Response<Bytes> {
        let config = &self.core.config;
        let Ok(sid) = Sid::random() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, Bytes::new());
        };
        let sender = Sender::new(Outbox::new(config.outbox), true);
        let (commands, requests) = mpsc::channel(COMMANDS);
        let route = Route::Polling(commands);
        let added = self
            .core
            .table
            .insert(sid, route, sender.clone(), config.max_sessions);
        if let Err(no_room) = added {
            return no_room_response(no_room);
        }
        // The heartbeat begins before the client knows of the session.
        let connection = Connection::polling(sid, Arc::clone(&self.core), sender, requests);
        tokio::spawn((self.on_connection)(connection, parts));
        let open = open_packet(&sid, TransportKind::Polling, config);
        let mut response = poll_response(open.into_bytes());
        if let Some(cookie) = self.cookie(&sid) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn open_websocket<B>(&self, mut request: Request<B>) -> Response<Bytes> {
        let config = &self.core.config;
        if config
            .max_sessions
            .is_some_and(|max| self.sessions() >= max)
        {
            return no_room_response(NoRoom::Full);
        }
        let Ok(sid) = Sid::random() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, Bytes::new());
        };
        let upgrade = match Upgrade::from_request(&mut request) {
            Ok(upgrade) => upgrade,
            Err(error) => return wrong_upgrade(error),
        };
        let (response, socket) = upgrade.accept(&self.acceptor, None);
        let engine = self.clone();
        let parts = request.into_parts().0;
        socket.go_on(|socket| async move {
            let socket = socket.await.ok()?;
            engine.begin_websocket(sid, socket, parts).await
        });
        let mut response = response.map(|()| Bytes::new());
        if let Some(cookie) = self.cookie(&sid) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    /// The task of the session, if there is room for it.
    async fn begin_websocket(&self, sid: Sid, socket: WebSocket, parts: Parts) -> Option<Rest> {
        let sender = Sender::new(Arc::clone(socket.outbox()), false);
        let max = self.core.config.max_sessions;
        if self
            .core
            .table
            .insert(sid, Route::WebSocket, sender.clone(), max)
            .is_err()
        {
            socket.close(1013, "try again later").await;
            return None;
        }
        let connection = Connection::websocket(sid, Arc::clone(&self.core), sender, socket);
        let open = open_packet(&sid, TransportKind::WebSocket, &self.core.config);
        let pushed = connection
            .sender()
            .send(Frame::text(open.as_bytes()), Class::Normal);
        (pushed == Push::Queued).then(|| (self.on_connection)(connection, parts))
    }

    /// Accepts a second transport. Whether it takes over is the session's decision; for
    /// a session that has a WebSocket already, the handshake ends and nothing follows.
    fn probe<B>(&self, mut request: Request<B>, sid: Sid, upgrade: bool) -> Response<Bytes> {
        let route = self.core.table.route(&sid);
        if !upgrade {
            let refusal = if route.is_some() {
                Refusal::BadRequest
            } else {
                Refusal::UnknownSid
            };
            return refusal.response();
        }
        let Some((route, _)) = route else {
            return refused_upgrade(Refusal::UnknownSid);
        };
        let upgrade = match Upgrade::from_request(&mut request) {
            Ok(upgrade) => upgrade,
            Err(error) => return wrong_upgrade(error),
        };
        let (response, socket) = upgrade.accept(&self.acceptor, None);
        socket.go_on(|socket| async move {
            let socket = socket.await.ok()?;
            match route {
                Route::WebSocket => discard(socket),
                Route::Polling(session) => {
                    let sent = session.send(Command::Probe(socket)).await;
                    if let Err(mpsc::error::SendError(Command::Probe(socket))) = sent {
                        discard(socket);
                    }
                }
            }
            None
        });
        response.map(|()| Bytes::new())
    }

    /// A GET or POST of a polling session.
    async fn exchange<B>(&self, request: Request<B>, sid: Sid) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (session, sender) = match self.core.table.route(&sid) {
            None => return self.too_late(request, sid).await,
            Some((Route::WebSocket, _)) => return Refusal::BadRequest.response(),
            Some((Route::Polling(session), sender)) => (session, sender),
        };
        match *request.method() {
            Method::GET => ask(&session, Command::Poll).await,
            Method::POST => {
                let Some(posting) = Table::begin_post(&self.core, &sid) else {
                    sender.close(CloseReason::TransportError);
                    return Refusal::BadRequest.response();
                };
                self.post(request, &session, posting, sid).await
            }
            _ => Refusal::BadRequest.response(),
        }
    }

    async fn post<B>(
        &self,
        request: Request<B>,
        session: &mpsc::Sender<Command>,
        mut posting: Posting,
        sid: Sid,
    ) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let config = &self.core.config;
        let kind = request.headers().get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind == "application/octet-stream") {
            // In this version of the protocol binary is base64 in a body of text.
            return Refusal::BadRequest.response();
        }
        let body = match self.read_body(request).await {
            Ok(body) => body,
            Err(StatusCode::PAYLOAD_TOO_LARGE) => {
                // As on Node's server the session survives.
                posting.done();
                return plain(StatusCode::PAYLOAD_TOO_LARGE, Bytes::new());
            }
            Err(status) => return plain(status, Bytes::new()),
        };
        let packets = match payload::decode(&body, config.max_packets) {
            Ok(packets) => packets,
            Err(error) => {
                tracing::debug!(%error, "broken polling body");
                posting.broken();
                return Refusal::BadRequest.response();
            }
        };
        match ready(session, packets.contains(&Packet::Close)).await {
            Some(permit) => {
                let mut response = posted();
                let handover = Handover(Mutex::new(Some(Posted {
                    permit,
                    packets,
                    posting,
                })));
                response.extensions_mut().insert(Arc::new(handover));
                response
            }
            None if self.core.table.has_just_ended(&sid, Instant::now()) => posted(),
            None => Refusal::UnknownSid.response(),
        }
    }

    /// A request for a session that is not there. A client whose POST meets the end of its
    /// session would take a refusal for a broken transport, and give up the GET by which it is
    /// just being told of the end.
    async fn too_late<B>(&self, request: Request<B>, sid: Sid) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let table = &self.core.table;
        if *request.method() != Method::POST || !table.has_just_ended(&sid, Instant::now()) {
            return Refusal::UnknownSid.response();
        }
        match self.read_body(request).await {
            Ok(_) => posted(),
            Err(status) => plain(status, Bytes::new()),
        }
    }

    async fn read_body<B>(&self, request: Request<B>) -> Result<Bytes, StatusCode>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let limit = self.core.config.max_payload;
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let body = Box::pin(Limited::new(request.into_body(), limit).collect());
        match tokio::time::timeout(self.core.config.body_timeout, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }

    fn cookie(&self, sid: &Sid) -> Option<HeaderValue> {
        let name = self.core.config.cookie.as_deref()?;
        let cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Lax", sid.as_str());
        HeaderValue::try_from(cookie).ok()
    }
}

fn websocket_config(config: &EngineConfig) -> WebSocketConfig {
    WebSocketConfig {
        limits: Limits {
            max_message: config.max_payload,
            ..Limits::default()
        },
        outbox: config.outbox,
        // The heartbeat is Engine.IO's own, so that it also works for polling.
        ping_interval: None,
        close_timeout: config.close_timeout,
        #[cfg(feature = "deflate")]
        deflate: config.deflate,
        ..WebSocketConfig::default()
    }
}

/// Waits until the session takes the packets of a POST; `None` when it ended.
async fn ready(
    session: &mpsc::Sender<Command>,
    closes: bool,
) -> Option<mpsc::OwnedPermit<Command>> {
    let (ready, is_ready) = oneshot::channel();
    session.send(Command::Ready { ready, closes }).await.ok()?;
    is_ready.await.ok()?;
    session.clone().reserve_owned().await.ok()
}

/// The packets of a POST, on their way to the session. They travel with the answer to the
/// POST and are handed over when the server has written its head, because a client that
/// sees the reply to its message before the answer to its POST cannot go on: with an
/// upgrade under way it would wait until its poll is ended for it.
struct Handover(Mutex<Option<Posted>>);

struct Posted {
    permit: mpsc::OwnedPermit<Command>,
    packets: Vec<Packet>,
    posting: Posting,
}

impl Drop for Handover {
    fn drop(&mut self) {
        let held = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Posted {
            permit,
            packets,
            mut posting,
        }) = held.take()
        {
            posting.done();
            drop(posting);
            permit.send(Command::Packets(packets));
        }
    }
}

/// Hands a request to the session and waits for what it answers.
async fn ask(
    session: &mpsc::Sender<Command>,
    command: impl FnOnce(oneshot::Sender<Answer>) -> Command,
) -> Response<Bytes> {
    let (answer, answered) = oneshot::channel();
    if session.send(command(answer)).await.is_err() {
        return Refusal::UnknownSid.response();
    }
    match answered.await {
        Ok(Answer::Body(body)) => poll_response(body),
        Ok(Answer::Refused) => Refusal::BadRequest.response(),
        // The session ended while the request was on its way.
        Err(_) => Refusal::UnknownSid.response(),
    }
}

/// Node's server answers a refused upgrade with the bare message.
fn refused_upgrade(refusal: Refusal) -> Response<Bytes> {
    let mut response = plain(refusal.status(), Bytes::from(refusal.to_string()));
    set(&mut response, header::CONTENT_TYPE, "text/html");
    set(&mut response, header::CONNECTION, "close");
    response
}

fn wrong_upgrade(error: UpgradeError) -> Response<Bytes> {
    error.response()
}

fn no_room_response(_: NoRoom) -> Response<Bytes> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, Bytes::new());
    set(&mut response, header::RETRY_AFTER, "1");
    response
}

/// The answer to a POST.
fn posted() -> Response<Bytes> {
    let mut response = plain(StatusCode::OK, Bytes::from_static(b"ok"));
    set(&mut response, header::CONTENT_TYPE, "text/html");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn poll_response(body: Vec<u8>) -> Response<Bytes> {
    let mut response = plain(StatusCode::OK, Bytes::from(body));
    set(
        &mut response,
        header::CONTENT_TYPE,
        "text/plain; charset=UTF-8",
    );
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn plain(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Bytes>, name: header::HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
