//! The adapter of the example keeps the properties that apply to it: a client
//! for its protocol, and what it can do.

#[path = "../examples/third_adapter/lines.rs"]
mod lines;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use nest_gateway_testkit::adapter_conformance;
use nest_gateway_testkit::client::{
    Admitted, BoxFuture, COMMAND_CAPACITY, CloseSeen, Command, ConnectOptions, Connector, Ending,
    Event, INCOMING_CAPACITY, Incoming, Link, Refused, Transcript,
};
use nest_gateway_testkit::conformance::{Power, Setup, Subject};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, LinesCodec};

use lines::LineAdapter;

/// Larger than any message of the suite.
const LINE_LIMIT: usize = 4 * 1024 * 1024;

type Lines = FramedRead<tokio::net::tcp::OwnedReadHalf, LinesCodec>;

/// Opens clients that speak lines.
struct LineConnector(SocketAddr);

impl Connector for LineConnector {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<Link, Refused>> {
        Box::pin(open(self.0, options))
    }
}

async fn open(addr: SocketAddr, options: ConnectOptions) -> Result<Link, Refused> {
    let (read, mut write) = TcpStream::connect(addr).await?.into_split();
    let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(LINE_LIMIT));
    let join = format!("join {}\n", options.namespace);
    write.write_all(join.as_bytes()).await?;
    match lines.next().await {
        Some(Ok(line)) if line == "joined" => {}
        Some(Ok(line)) => return Err(Refused::new(line)),
        _ => return Err(Refused::new("the connection ended")),
    }
    let transcript = Transcript::new();
    let (commands, queue) = mpsc::channel(COMMAND_CAPACITY);
    let (deliver, incoming) = mpsc::channel(INCOMING_CAPACITY);
    tokio::spawn(drive(lines, write, queue, deliver, transcript.clone()));
    Ok(Link {
        commands,
        incoming,
        transcript,
        admitted: Admitted::default(),
    })
}

/// Moves lines between the test and the socket until either side ends.
async fn drive(
    mut lines: Lines,
    mut write: OwnedWriteHalf,
    mut commands: mpsc::Receiver<(Arc<str>, Command)>,
    deliver: mpsc::Sender<Incoming>,
    transcript: Transcript,
) {
    let mut order = 0;
    let seen = loop {
        tokio::select! {
            line = lines.next() => {
                let Some(Ok(line)) = line else { break closed(Ending::Eof, "") };
                transcript.received(&line);
                if let Some(why) = line.strip_prefix("closed ") {
                    break closed(Ending::CloseFrame, why);
                }
                order += 1;
                let incoming = match event(line, order) {
                    Ok(event) => Incoming::Event(event),
                    Err(error) => Incoming::Violation(error.to_string()),
                };
                if deliver.send(incoming).await.is_err() {
                    return;
                }
            }
            command = commands.recv() => {
                let Some((_, command)) = command else { return };
                match obey(command, &mut write, &transcript).await {
                    Ok(true) => {}
                    Ok(false) => break closed(Ending::Us, ""),
                    Err(_) => break closed(Ending::Reset, ""),
                }
            }
        }
    };
    let _ = deliver.send(Incoming::Closed(seen)).await;
}

/// Does what the test wants; `false` when that ends the client.
async fn obey(
    command: Command,
    write: &mut OwnedWriteHalf,
    transcript: &Transcript,
) -> io::Result<bool> {
    let line = match command {
        Command::Emit { event, payload } => match payload.as_args() {
            [] => event,
            [data, ..] => format!("{event} {data}"),
        },
        Command::Text(line) => line,
        Command::Leave | Command::Close { .. } | Command::Cut => return Ok(false),
        other => panic!("a client that speaks lines cannot {other:?}"),
    };
    transcript.sent(&line);
    write.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(true)
}

fn event(line: String, order: u64) -> serde_json::Result<Event> {
    let (name, data) = line.split_once(' ').unwrap_or((&line, ""));
    let args = match data {
        "" => Vec::new(),
        data => vec![serde_json::from_str(data)?],
    };
    Ok(Event {
        name: name.to_owned(),
        args,
        attachments: Vec::new(),
        offset: None,
        order,
        raw: line,
    })
}

/// What `closed CODE WHY` says, or how the connection ended without it.
fn closed(by: Ending, reason: &str) -> CloseSeen {
    let (code, text) = reason.split_once(' ').unwrap_or((reason, ""));
    CloseSeen {
        code: code.parse().unwrap_or(1006),
        reason: text.to_owned(),
        by,
    }
}

// ANCHOR: subject
fn subject() -> Subject {
    Subject::new("lines", [Power::CloseCodes], || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let addr = listener.local_addr().expect("an address");
        Setup {
            mount: Box::new(|app| app.adapter(LineAdapter(listener))),
            connect: Box::new(move |_| Arc::new(LineConnector(addr))),
        }
    })
}

adapter_conformance!(subject);
// ANCHOR_END: subject

#[test]
fn the_adapter_has_less_than_200_lines_of_code() {
    let code = include_str!("../examples/third_adapter/lines.rs").lines();
    let code = code.filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//"));
    assert!(code.count() < 200);
}
