//! What a broadcast costs: CPU time of the server's thread per delivery, beside the floor of a loop that
//! only writes the same bytes. Clients run in a thread of their own and check every byte.
//!
//! ```text
//! cargo run --release -p nest-gateway-wire --example fanout -- [receivers] [payload bytes] [in flight]
//! ```

#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Request;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use nest_gateway_wire::{
    AcceptConfig, Acceptor, Class, Event, Flusher, Frame, Outbox, Push, Upgrade, WebSocketConfig,
    serve,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const IN_FLIGHT: [u64; 2] = [1, 32];

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).map_while(|arg| arg.parse().ok());
    let receivers = args.next().unwrap_or(1000);
    let payload = args.next().unwrap_or(128);
    let frame = Frame::text(&vec![b'x'; payload]);
    let arrived = Arc::new(Arrived::default());
    let mut out = std::io::stdout();
    let in_flight = args.next().map_or(IN_FLIGHT.to_vec(), |n| vec![n as u64]);
    for in_flight in in_flight {
        let deliveries = receivers as u64 * in_flight;
        // About as many deliveries or bytes as take a second or two.
        let bytes = deliveries * frame.len() as u64;
        let rounds = (2_000_000 / deliveries)
            .min((4 << 30) / bytes)
            .clamp(5, 500);
        let floor = floor(&frame, receivers, in_flight, rounds, &arrived)?;
        let ours = ours(&frame, receivers, in_flight, rounds, &arrived)?;
        writeln!(
            out,
            "{in_flight:>3} in flight: floor {floor:.3} us, wire {ours:.3} us, ratio {:.2}",
            ours / floor
        )?;
    }
    Ok(())
}

/// Bytes that have reached the clients.
#[derive(Default)]
struct Arrived {
    bytes: AtomicU64,
    expected: AtomicU64,
    complete: Notify,
}

impl Arrived {
    fn expect(&self, bytes: u64) {
        self.bytes.store(0, Ordering::SeqCst);
        self.expected.store(bytes, Ordering::SeqCst);
    }

    fn add(&self, bytes: usize) {
        let now = self.bytes.fetch_add(bytes as u64, Ordering::SeqCst) + bytes as u64;
        if now == self.expected.load(Ordering::SeqCst) {
            self.complete.notify_one();
        }
    }
}

/// CPU time of the calling thread so far, in microseconds.
fn cpu_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanos.unwrap_or(f64::NAN) / 1000.0
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Starts the clients in a thread; they end when the server closes.
fn clients(address: SocketAddr, receivers: usize, upgrade: bool, arrived: &Arc<Arrived>) {
    let arrived = Arc::clone(arrived);
    std::thread::spawn(move || {
        let run = async move {
            let mut tasks = Vec::new();
            for _ in 0..receivers {
                let mut stream = TcpStream::connect(address).await?;
                if upgrade {
                    stream.write_all(HANDSHAKE).await?;
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await?);
                    }
                }
                tasks.push(tokio::spawn(receive(stream, Arc::clone(&arrived))));
            }
            for task in tasks {
                task.await?;
            }
            std::io::Result::Ok(())
        };
        runtime()?.block_on(run)
    });
}

async fn receive(mut stream: TcpStream, arrived: Arc<Arrived>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        arrived.add(read);
    }
}

/// One write for each receiver and round of what is in flight.
fn floor(
    frame: &Frame,
    receivers: usize,
    in_flight: u64,
    rounds: u64,
    arrived: &Arc<Arrived>,
) -> std::io::Result<f64> {
    runtime()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        clients(listener.local_addr()?, receivers, false, arrived);
        let mut streams = Vec::new();
        for _ in 0..receivers {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let batch = frame
            .bytes()
            .repeat(usize::try_from(in_flight).unwrap_or(1));
        let mut best = f64::MAX;
        for _ in 0..3 {
            let start = cpu_time();
            for _ in 0..rounds {
                arrived.expect((batch.len() * receivers) as u64);
                for stream in &mut streams {
                    stream.write_all(&batch).await?;
                }
                arrived.complete.notified().await;
            }
            let deliveries = rounds * in_flight * receivers as u64;
            best = best.min((cpu_time() - start) / deliveries as f64);
        }
        Ok(best)
    })
}

fn ours(
    frame: &Frame,
    receivers: usize,
    in_flight: u64,
    rounds: u64,
    arrived: &Arc<Arrived>,
) -> std::io::Result<f64> {
    runtime()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, mut accepted) = mpsc::channel(receivers);
        let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
        let service = tower::service_fn(move |mut request: Request<Incoming>| {
            let upgrade = Upgrade::from_request(&mut request).expect("our own client");
            let (response, socket) = upgrade.accept(&acceptor, None);
            let sender = sender.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = socket.await else { return };
                if sender.send(Arc::clone(socket.outbox())).await.is_err() {
                    return;
                }
                while !matches!(socket.next().await, Event::Closed(_)) {}
            });
            async move { Ok::<_, Infallible>(response.map(|()| Full::<Bytes>::default())) }
        });
        tokio::spawn(serve(
            listener,
            service,
            AcceptConfig::default(),
            std::future::pending(),
        ));
        clients(address, receivers, true, arrived);
        let mut outboxes: Vec<Arc<Outbox>> = Vec::new();
        while outboxes.len() < receivers {
            outboxes.extend(accepted.recv().await);
        }
        // The last clients have to read their handshakes first.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut best = f64::MAX;
        for _ in 0..3 {
            let start = cpu_time();
            for _ in 0..rounds {
                arrived.expect(frame.len() as u64 * in_flight * receivers as u64);
                for _ in 0..in_flight {
                    for outbox in &outboxes {
                        assert_eq!(outbox.push(frame.clone(), Class::Normal), Push::Queued);
                    }
                }
                arrived.complete.notified().await;
            }
            let deliveries = rounds * in_flight * receivers as u64;
            best = best.min((cpu_time() - start) / deliveries as f64);
        }
        Ok(best)
    })
}
