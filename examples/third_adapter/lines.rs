//! The protocol: the client's first line is `join PATH`, the server's `joined`
//! or `refused WHY`; then every line is an event and, if there is one, its JSON
//! body, in both directions; the server's last line is `closed CODE WHY`. There are
//! no request ids, so clients cannot ask for answers: replies are events.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::StreamExt as _;
use nest_gateway::core::adapter::{Format, Gone, Host, Mount, Outlet, Sent};
use nest_gateway::core::message::{Delivery, Encoded, Incoming, Outgoing};
use nest_gateway::core::session::{Malformed, Session};
use nest_gateway::{Adapter, Capabilities, Codec, DisconnectReason, EncodeError};
use nest_gateway::{Handshake, Payload, SlowPolicy};
use tokio::io::{self, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf};
use tokio::sync::mpsc::{self, Receiver, error::TrySendError};
use tokio_util::codec::{FramedRead, LinesCodec};

const NAME: &str = "lines";
type Lines = FramedRead<OwnedReadHalf, LinesCodec>;

// ANCHOR: adapter
/// Serves gateways to clients that speak lines, on a (non-blocking) listener of
/// its own. Adapters on HTTP return an `Endpoint` instead of a task.
pub struct LineAdapter(pub std::net::TcpListener);

impl Adapter for LineAdapter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::events_only();
        capabilities.close_codes = true;
        capabilities
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        if host.config().slow_policy != SlowPolicy::Close {
            return Err("the line protocol has no gap notice; use SlowPolicy::Close".to_owned());
        }
        let listener = self.0.try_clone().and_then(TcpListener::from_std);
        let listener = listener.map_err(|error| error.to_string())?;
        let mut mount = Mount::default();
        mount.tasks.push(Box::pin(accept(listener, host)));
        Ok(mount)
    }
}

async fn accept(listener: TcpListener, host: Arc<Host>) {
    while let Some(accepted) = host.shutdown().run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => host.spawn(serve(stream, Arc::clone(&host))),
            // Out of descriptors; at once it would be no better.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
// ANCHOR_END: adapter

// ANCHOR: connection
/// One client, from its first line to its last.
async fn serve(stream: TcpStream, host: Arc<Host>) {
    let peer = stream.peer_addr().ok();
    let (read, mut write) = stream.into_split();
    let config = host.config();
    let limit = LinesCodec::new_with_max_length(config.max_message_bytes);
    let mut lines = FramedRead::new(read, limit);
    let first = tokio::time::timeout(config.close_timeout, lines.next()).await;
    let Ok(Some(Ok(first))) = first else { return };
    let path = first.trim().strip_prefix("join ").unwrap_or_default();
    let Some(found) = host.find(path, NAME) else {
        return refuse(write, "no such namespace").await;
    };
    let admission = match host.admit(found, Handshake::bare(peer), NAME, false).await {
        Ok(admission) => admission,
        Err(refusal) => return refuse(write, refusal.message()).await,
    };
    if write.write_all(b"joined\n").await.is_err() {
        return;
    }
    let (sender, mut queue) = mpsc::channel(config.outbox_messages);
    let outlet = Arc::new(LineOutlet {
        queue: sender,
        bytes: AtomicUsize::new(0),
        max_bytes: config.outbox_bytes,
        waiting: Mutex::default(),
    });
    let mut session = Session::open(NAME, admission, Arc::<LineOutlet>::clone(&outlet));
    let reason = tokio::select! {
        reason = handle(&mut session, &mut lines) => reason,
        _ = outlet.write(&mut queue, &mut write) => DisconnectReason::by_network(None, "lost"),
    };
    queue.close();
    // What is queued still leaves, if the client takes it in time.
    let last = format!("closed {reason}\n");
    let rest = async {
        outlet.write(&mut queue, &mut write).await?;
        write.write_all(last.as_bytes()).await
    };
    let _ = tokio::time::timeout(config.close_timeout, rest).await;
    session.finish(reason).await;
}

async fn refuse(mut write: OwnedWriteHalf, why: &str) {
    // A client that has gone does not need to know.
    let _ = write.write_all(format!("refused {why}\n").as_bytes()).await;
}

/// Polls the session along with the socket, and reads on only while the session
/// has room: that is backpressure.
async fn handle(session: &mut Session, lines: &mut Lines) -> DisconnectReason {
    loop {
        let turn = poll_fn(|cx| match session.poll(cx) {
            Poll::Ready(reason) => Poll::Ready(Err(reason)),
            Poll::Pending if session.has_room() => lines.poll_next_unpin(cx).map(Ok),
            Poll::Pending => Poll::Pending,
        });
        match turn.await {
            Ok(Some(Ok(line))) => receive(session, line.trim()),
            Ok(Some(Err(error))) => return DisconnectReason::by_network(None, error.to_string()),
            Ok(None) => return DisconnectReason::by_client(None, "end"),
            Err(by) => return DisconnectReason::by_server(Some(by.code()), by.text().to_owned()),
        }
    }
}

fn receive(session: &mut Session, line: &str) {
    let (event, body) = line.split_once(' ').unwrap_or((line, ""));
    let body = match body.trim() {
        "" => Payload::empty(),
        text => Payload::from_json(Bytes::copy_from_slice(text.as_bytes())),
    };
    if event.is_empty() || body.to_value().is_err() {
        return session.malformed(Malformed::Syntax, None);
    }
    session.receive(Incoming {
        event,
        arguments: body.into(),
        request: None,
        size: line.len(),
    });
}
// ANCHOR_END: connection

// ANCHOR: codec
/// An event, a space, its body as JSON, a newline.
struct LineCodec;

impl Codec for LineCodec {
    fn format(&self) -> Format {
        Format("lines")
    }

    fn encode(&self, _path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        let (event, body) = match message {
            Outgoing::Event { event, arguments }
            | Outgoing::Answer {
                event, arguments, ..
            } => (event, arguments.first()),
            Outgoing::Reply { data: None, .. } => return Ok(None),
            Outgoing::Reply { event, data, .. }
            | Outgoing::Response { event, data, .. }
            | Outgoing::Item { event, data, .. } => (event, data.cloned().unwrap_or_default()),
            Outgoing::Exception { data, .. } => ("exception", data.clone()),
            other => return Err(EncodeError::new(format!("no line for {other:?}"))),
        };
        let line = [event.as_bytes(), b" ", &body.to_json()?, b"\n"].concat();
        Ok(Some(line.into()))
    }
}
// ANCHOR_END: codec

// ANCHOR: outlet
/// The way out to one client: a bounded queue in front of its socket.
struct LineOutlet {
    queue: mpsc::Sender<Bytes>,
    bytes: AtomicUsize,
    max_bytes: usize,
    waiting: Mutex<Vec<Waker>>,
}

impl LineOutlet {
    /// Writes line after line until the queue is closed and empty, or the client
    /// is gone.
    async fn write(&self, queue: &mut Receiver<Bytes>, to: &mut OwnedWriteHalf) -> io::Result<()> {
        while let Some(line) = queue.recv().await {
            self.bytes.fetch_sub(line.len(), Ordering::AcqRel);
            self.waiting().drain(..).for_each(Waker::wake);
            to.write_all(&line).await?;
        }
        Ok(())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for LineOutlet {
    fn codec(&self) -> &dyn Codec {
        &LineCodec
    }

    fn send(&self, line: Bytes, delivery: Delivery) -> Sent {
        let size = line.len();
        let before = self.bytes.fetch_add(size, Ordering::AcqRel);
        let fits = before == 0 || before + size <= self.max_bytes;
        let lost = match self.queue.try_reserve() {
            Ok(place) if fits => {
                place.send(line);
                return Sent::Queued;
            }
            Err(TrySendError::Closed(())) => Sent::Gone,
            _ if delivery.is_volatile() => Sent::Dropped,
            _ => Sent::Overflow,
        };
        self.bytes.fetch_sub(size, Ordering::AcqRel);
        lost
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let mut waiting = self.waiting();
        if self.queue.is_closed() {
            return Poll::Ready(Err(Gone));
        }
        let half_of_messages = self.queue.capacity() * 2 >= self.queue.max_capacity();
        if half_of_messages && self.queued_bytes() <= self.max_bytes / 2 {
            return Poll::Ready(Ok(()));
        }
        waiting.retain(|waker| !waker.will_wake(cx.waker()));
        waiting.push(cx.waker().clone());
        Poll::Pending
    }

    fn queued_bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }
}
// ANCHOR_END: outlet
