//! A server that echoes, and tells how its connections ended.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use nest_gateway_wire::{
    AcceptConfig, Acceptor, Class, Closed, Event, Flusher, Frame, Outbox, Push, Stopped, Upgrade,
    WebSocketConfig, serve,
};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub struct Server {
    pub address: SocketAddr,
    /// The outboxes of accepted connections, in the order of their upgrade.
    pub outboxes: mpsc::Receiver<Arc<Outbox>>,
    /// How connections ended.
    pub closed: mpsc::Receiver<Closed>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Stopped>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(WebSocketConfig::default(), AcceptConfig::default()).await
    }

    pub async fn with_socket(config: WebSocketConfig) -> Self {
        Self::with(config, AcceptConfig::default()).await
    }

    pub async fn with(config: WebSocketConfig, accept: AcceptConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (outbox_sender, outboxes) = mpsc::channel(1024);
        let (closed_sender, closed) = mpsc::channel(1024);
        let acceptor = Acceptor::new(config, Flusher::spawn());
        let service = tower::service_fn(move |request: Request<Incoming>| {
            let response = answer(
                request,
                &acceptor,
                outbox_sender.clone(),
                closed_sender.clone(),
            );
            async move { Ok::<_, Infallible>(response) }
        });
        let running = tokio::spawn(async move {
            let shutdown = async {
                // The end of the test, if nobody stops the server before.
                let _ = stopped.await;
            };
            serve(listener, service, accept, shutdown).await
        });
        Self {
            address,
            outboxes,
            closed,
            stop: Some(stop),
            running,
        }
    }

    /// Tells the server to stop.
    pub fn signal(&mut self) {
        self.stop.take().expect("stopped once").send(()).unwrap();
    }

    /// Waits for a server that was told to stop.
    pub async fn stopped(self) -> Stopped {
        tokio::time::timeout(super::client::PATIENCE, self.running)
            .await
            .expect("the server stops in time")
            .unwrap()
    }

    pub async fn next_outbox(&mut self) -> Arc<Outbox> {
        let next = tokio::time::timeout(super::client::PATIENCE, self.outboxes.recv()).await;
        next.expect("a connection in time").unwrap()
    }

    pub async fn next_closed(&mut self) -> Closed {
        let next = tokio::time::timeout(super::client::PATIENCE, self.closed.recv()).await;
        next.expect("an end in time").unwrap()
    }
}

fn answer(
    mut request: Request<Incoming>,
    acceptor: &Arc<Acceptor>,
    outboxes: mpsc::Sender<Arc<Outbox>>,
    closed: mpsc::Sender<Closed>,
) -> Response<Full<Bytes>> {
    if request.uri().path() == "/http" {
        return Response::new(Full::from("hello"));
    }
    let upgrade = match Upgrade::from_request(&mut request) {
        Ok(upgrade) => upgrade,
        Err(error) => return error.response().map(Full::new),
    };
    let (response, socket) = upgrade.accept(acceptor, None);
    tokio::spawn(async move {
        let Ok(mut socket) = socket.await else { return };
        let outbox = Arc::clone(socket.outbox());
        outboxes.send(Arc::clone(&outbox)).await.ok();
        loop {
            let frame = match socket.next().await {
                Event::Text(text) => Frame::text(&text),
                Event::Binary(data) => Frame::binary(&data),
                Event::Ping(_) | Event::Pong(_) => continue,
                Event::Closed(end) => {
                    closed.send(end).await.ok();
                    return;
                }
            };
            if outbox.room(frame.len()).await.is_err() {
                continue;
            }
            assert!(matches!(
                outbox.push(frame, Class::Normal),
                Push::Queued | Push::Closed
            ));
        }
    });
    response.map(|()| Full::default())
}
