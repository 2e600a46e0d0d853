//! A small Engine.IO v4 and Socket.IO v5 client.

mod packet;
mod polling;
mod session;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::sync::{mpsc, oneshot};

use self::polling::{Endpoint, Outcome, Polling, SEPARATOR};
use self::session::Session;
use super::frame::{ClientFrame, ServerFrame, opcode};
use super::http::{self, HttpResponse};
use super::link::{
    BoxFuture, COMMAND_CAPACITY, Command, ConnectOptions, Connector, FormerSession,
    INCOMING_CAPACITY, Link,
};
use super::message::Refused;
use super::pump::{Commands, Effects, Packet, Protocol as _, WebSocketPump};
use super::remote::Remote;
use super::transcript::Transcript;
use super::upgrade::Upgraded;

/// Which transports of Engine.IO a client uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// A WebSocket from the first byte on.
    #[default]
    WebSocket,
    /// Long polling for ever.
    Polling,
    /// Long polling, then an upgrade to WebSocket before `connect` returns.
    Upgrade,
}

/// Opens Socket.IO clients.
#[derive(Clone, Debug)]
pub struct SocketIoConnector {
    remote: Remote,
    path: String,
    transport: Transport,
}

impl SocketIoConnector {
    /// Clients of this server, WebSocket only, path `/socket.io/`.
    pub fn new(remote: impl Into<Remote>) -> Self {
        Self {
            remote: remote.into(),
            path: "/socket.io/".to_owned(),
            transport: Transport::WebSocket,
        }
    }

    /// The same with other transports.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// The same at another Engine.IO path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    async fn open(&self, options: ConnectOptions) -> Result<Link, Refused> {
        let transcript = Transcript::new();
        let mut query = vec![("EIO".to_owned(), "4".to_owned())];
        query.extend(options.query);
        let endpoint = Endpoint {
            remote: self.remote.clone(),
            path: http::with_query(&self.path, &query),
            headers: options.headers,
            subprotocols: options.subprotocols,
            receive_buffer: options.receive_buffer,
            transcript: transcript.clone(),
        };
        let (commands, command_queue) = mpsc::channel(COMMAND_CAPACITY);
        if self.transport == Transport::WebSocket {
            open_websocket(endpoint, command_queue).await?;
        } else {
            open_polling(endpoint, command_queue).await?;
        }
        let namespace: Arc<str> = options.namespace.into();
        let auth = with_former(options.auth, options.former.as_ref());
        let mut link = join(commands, transcript, namespace.clone(), auth).await?;
        let former = options.former.map(|former| former.key);
        link.admitted.recovered = former.is_some() && link.admitted.recovery_key == former;
        if self.transport == Transport::Upgrade {
            let (done, result) = oneshot::channel();
            request(&link.commands, &namespace, Command::Upgrade(done), result).await?;
        }
        Ok(link)
    }
}

impl Connector for SocketIoConnector {
    fn name(&self) -> &str {
        match self.transport {
            Transport::WebSocket => "socketio-websocket",
            Transport::Polling => "socketio-polling",
            Transport::Upgrade => "socketio-upgrade",
        }
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<Link, Refused>> {
        Box::pin(self.open(options))
    }
}

/// The CONNECT payload of a client that comes back.
fn with_former(auth: Option<Value>, former: Option<&FormerSession>) -> Option<Value> {
    let Some(former) = former else { return auth };
    let mut auth = auth.unwrap_or_else(|| json!({}));
    auth["pid"] = json!(former.key);
    if let Some(offset) = &former.offset {
        auth["offset"] = json!(offset);
    }
    Some(auth)
}

/// Joins a namespace over a connection that exists.
pub(super) async fn join(
    commands: mpsc::Sender<(Arc<str>, Command)>,
    transcript: Transcript,
    namespace: Arc<str>,
    auth: Option<Value>,
) -> Result<Link, Refused> {
    let (deliver, incoming) = mpsc::channel(INCOMING_CAPACITY);
    let (done, result) = oneshot::channel();
    let join = Command::Join {
        auth,
        incoming: deliver,
        result: done,
    };
    let admitted = request(&commands, &namespace, join, result).await?;
    Ok(Link {
        commands,
        incoming,
        transcript,
        admitted,
    })
}

async fn request<T>(
    commands: &mpsc::Sender<(Arc<str>, Command)>,
    namespace: &Arc<str>,
    command: Command,
    result: oneshot::Receiver<Result<T, Refused>>,
) -> Result<T, Refused> {
    let gone = || Refused::new("the connection is over");
    commands
        .send((namespace.clone(), command))
        .await
        .map_err(|_| gone())?;
    result.await.unwrap_or_else(|_| Err(gone()))
}

async fn open_websocket(endpoint: Endpoint, mut commands: Commands) -> Result<(), Refused> {
    let mut upgraded = endpoint.websocket(None).await?;
    let open = read_text(&mut upgraded, &endpoint.transcript).await?;
    Handshake::read(&open)?;
    tokio::spawn(async move {
        WebSocketPump::new(Session::default(), endpoint.transcript, upgraded.leftover)
            .run(upgraded.stream, &mut commands)
            .await;
    });
    Ok(())
}

async fn open_polling(endpoint: Endpoint, mut commands: Commands) -> Result<(), Refused> {
    let target = endpoint.target("polling", None);
    endpoint.transcript.sent(format!("GET {target}"));
    let response = http::send(
        endpoint.remote.clone(),
        "GET",
        &target,
        &endpoint.headers,
        b"",
    )
    .await?;
    endpoint
        .transcript
        .received(format!("HTTP {} {}", response.status, response.text()));
    if response.status != 200 {
        return Err(HttpResponse::into(response));
    }
    let body = response.text();
    let mut packets = body.split(SEPARATOR);
    let handshake = Handshake::read(packets.next().unwrap_or_default())?;
    let mut session = Session::default();
    let mut effects = Effects::default();
    for packet in packets {
        session.on_packet(Packet::Text(packet.to_owned()), &mut effects);
    }
    tokio::spawn(async move {
        let transcript = endpoint.transcript.clone();
        let polling = Polling::new(
            endpoint,
            handshake.sid,
            handshake.max_payload,
            session,
            effects,
        );
        if let Outcome::Upgraded(parts) = polling.run(&mut commands).await {
            let (upgraded, session, effects) = *parts;
            WebSocketPump::new(session, transcript, upgraded.leftover)
                .with_effects(effects)
                .run(upgraded.stream, &mut commands)
                .await;
        }
    });
    Ok(())
}

/// The parts of Engine.IO's open packet that the client lives by.
struct Handshake {
    sid: String,
    max_payload: usize,
}

impl Handshake {
    fn read(packet: &str) -> Result<Self, Refused> {
        let wrong = || Refused::new(format!("not an open packet: {packet}"));
        let open: Value = packet
            .strip_prefix('0')
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(wrong)?;
        let number = |key: &str| open.get(key).and_then(Value::as_u64);
        for key in ["pingInterval", "pingTimeout", "maxPayload"] {
            number(key).ok_or_else(wrong)?;
        }
        if !open.get("upgrades").is_some_and(Value::is_array) {
            return Err(wrong());
        }
        let sid = open.get("sid").and_then(Value::as_str).ok_or_else(wrong)?;
        let max_payload = number("maxPayload").unwrap_or(0);
        Ok(Self {
            sid: sid.to_owned(),
            max_payload: usize::try_from(max_payload).unwrap_or(usize::MAX),
        })
    }
}

/// Asks over a new WebSocket whether it works.
async fn exchange_probe(upgraded: &mut Upgraded, transcript: &Transcript) -> Result<(), Refused> {
    send_text(upgraded, "2probe", transcript).await?;
    let answer = read_text(upgraded, transcript).await?;
    if answer == "3probe" {
        Ok(())
    } else {
        Err(Refused::new(format!("the probe was answered {answer:?}")))
    }
}

async fn send_text(
    upgraded: &mut Upgraded,
    text: &str,
    transcript: &Transcript,
) -> Result<(), Refused> {
    let frame = ClientFrame::text(text);
    transcript.sent(frame.to_string());
    upgraded.stream.send(&frame.encode()).await?;
    Ok(())
}

/// Reads the one text message that an Engine.IO handshake waits for.
async fn read_text(upgraded: &mut Upgraded, transcript: &Transcript) -> Result<String, Refused> {
    loop {
        let frame = ServerFrame::decode(&mut upgraded.leftover)
            .map_err(|error| Refused::new(error.to_string()))?;
        if let Some(frame) = frame {
            transcript.received(frame.to_string());
            return match frame.opcode {
                opcode::TEXT => Ok(String::from_utf8_lossy(&frame.payload).into_owned()),
                _ => Err(Refused::new(format!("the server answered {frame}"))),
            };
        }
        if upgraded.stream.read_buf(&mut upgraded.leftover).await? == 0 {
            return Err(Refused::new("the server ended the connection"));
        }
    }
}
