//! An echo server for one test, and the requests that the tests make.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use nest_gateway_adapter_socketio::engine::{
    CloseReason, Connection, Engine, EngineConfig, Message,
};
use nest_gateway_testkit::client::http::{HttpResponse, get, post};
use nest_gateway_testkit::client::{ClientFrame, RawConnection, opcode};
use nest_gateway_wire::{AcceptConfig, Class, Flusher, Frame, serve};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tower::service_fn;

/// A server that echoes messages and tells why its sessions ended.
pub(crate) struct EchoServer {
    pub(crate) addr: SocketAddr,
    pub(crate) engine: Engine,
    ended: mpsc::Receiver<CloseReason>,
    _stop: oneshot::Sender<()>,
}

impl EchoServer {
    pub(crate) async fn start(config: EngineConfig) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (tell, ended) = mpsc::channel(64);
        let engine = Engine::new(config, Flusher::spawn(), move |connection, _| {
            echo(connection, tell.clone())
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let service = {
            let engine = engine.clone();
            service_fn(move |request| answer(engine.clone(), request))
        };
        tokio::spawn(serve(listener, service, AcceptConfig::default(), async {
            // The test is over when the other end is dropped.
            let _ = stopped.await;
        }));
        Self {
            addr,
            engine,
            ended,
            _stop: stop,
        }
    }

    pub(crate) async fn default() -> Self {
        Self::start(EngineConfig::default()).await
    }

    /// The reason of the next session that ends.
    pub(crate) async fn ended(&mut self) -> CloseReason {
        let waiting = tokio::time::timeout(Duration::from_secs(5), self.ended.recv());
        waiting.await.expect("a session should have ended").unwrap()
    }

    pub(crate) async fn get(&self, query: &str) -> HttpResponse {
        get(self.addr, &format!("/engine.io/?{query}"))
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, query: &str, body: impl AsRef<[u8]>) -> HttpResponse {
        post(self.addr, &format!("/engine.io/?{query}"), body.as_ref())
            .await
            .unwrap()
    }

    /// Opens a session by polling; gives the query of its further requests.
    pub(crate) async fn open(&self) -> String {
        let response = self.get("EIO=4&transport=polling").await;
        assert_eq!(response.status, 200);
        let open: serde_json::Value = serde_json::from_slice(&response.body[1..]).unwrap();
        format!(
            "EIO=4&transport=polling&sid={}",
            open["sid"].as_str().unwrap()
        )
    }

    /// Opens a WebSocket and passes over the open packet, if the session is a new one.
    pub(crate) async fn websocket(&self, query: &str) -> RawConnection {
        let path = format!("/engine.io/?{query}");
        let mut socket = RawConnection::upgrade(self.addr, &path, &[]).await.unwrap();
        if !query.contains("sid=") {
            assert!(text(&mut socket).await.starts_with("0{\"sid\":"));
        }
        socket
    }
}

/// The query of a WebSocket that wants to take the session of this polling query over.
pub(crate) fn upgrade_of(polling: &str) -> String {
    polling.replace("polling", "websocket")
}

pub(crate) async fn send(socket: &mut RawConnection, text: &str) {
    socket.send(&ClientFrame::text(text)).await;
}

/// The text of the next frame.
pub(crate) async fn text(socket: &mut RawConnection) -> String {
    let frame = socket.frame().await.expect("a frame should have come");
    String::from_utf8(frame.payload.to_vec()).unwrap()
}

/// Passes over frames up to the close frame, answers it, and waits for the end.
pub(crate) async fn closed(socket: &mut RawConnection) -> (u16, String) {
    loop {
        let frame = socket
            .frame()
            .await
            .expect("a close frame should have come");
        if frame.opcode == opcode::CLOSE {
            let code = frame.close_code().unwrap();
            socket.send(&ClientFrame::close(code.0, "")).await;
            assert!(
                socket.frame().await.is_none(),
                "nothing follows a close frame"
            );
            return code;
        }
    }
}

async fn answer(
    engine: Engine,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(engine.handle(request).await.map(Full::new))
}

async fn echo(mut connection: Connection, ended: mpsc::Sender<CloseReason>) {
    let sender = connection.sender().clone();
    while let Some(message) = connection.next().await {
        let frame = match message {
            Message::Text(text) if &text[..] == b"close me" => {
                sender.close(CloseReason::ForcedClose);
                Frame::text(b"4bye")
            }
            Message::Text(text) => Frame::text(&[b"4", &text[..]].concat()),
            Message::Binary(bytes) => Frame::binary(&bytes),
        };
        let _ = sender.send(frame, Class::Normal);
    }
    let reason = connection.close_reason().unwrap();
    connection.close(reason).await;
    ended.send(reason).await.unwrap();
}
