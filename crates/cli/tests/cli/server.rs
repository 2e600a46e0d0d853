//! A server that answers as a test wants it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

/// How long a server waits for a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server does when it has heard something.
pub(crate) enum Act {
    Text(String),
    Bytes(Vec<u8>),
    Close(u16, &'static str),
}

/// A text to send.
pub(crate) fn text(text: &str) -> Act {
    Act::Text(text.to_owned())
}

/// A server for one test. It ends with the test's process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// WebSockets, each of which begins with `opening` and then answers what it
    /// hears. Plain GETs are answered with `document`.
    pub(crate) fn start(
        document: &'static str,
        opening: &'static [&'static str],
        answer: fn(&str) -> Vec<Act>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                thread::spawn(move || serve(stream, document, opening, answer, &notes));
            }
        });
        Self { address, heard }
    }

    /// A native gateway.
    pub(crate) fn native(answer: fn(&str) -> Vec<Act>) -> Self {
        Self::start("", &[], answer)
    }

    /// What answers every connection with these bytes.
    pub(crate) fn raw(response: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                let _ = stream.write_all(response.as_bytes());
            }
        });
        Self {
            address,
            heard: Arc::default(),
        }
    }

    /// The requests' first lines and headers, and every text, in order.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no test panics with it").clone()
    }
}

fn serve(
    stream: TcpStream,
    document: &str,
    opening: &[&str],
    answer: fn(&str) -> Vec<Act>,
    heard: &Mutex<Vec<String>>,
) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut begin = [0; 18];
    let length = stream.peek(&mut begin).unwrap_or_default();
    if begin[..length].starts_with(b"GET /asyncapi.json") {
        return publish(stream, document);
    }
    let note = |text: String| heard.lock().expect("no test panics with it").push(text);
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let seen = |request: &Request, response: Response| {
        let headers = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-"));
        let headers: Vec<_> = headers
            .map(|(name, value)| format!(" {name}={value:?}"))
            .collect();
        note(format!("GET {}{}", request.uri(), headers.concat()));
        Ok(response)
    };
    let Ok(mut socket) = tungstenite::accept_hdr(stream, seen) else {
        return;
    };
    for opening in opening {
        let _ = socket.send(Message::text(*opening));
    }
    while let Ok(message) = socket.read() {
        let Message::Text(said) = message else {
            continue;
        };
        note(said.to_string());
        for act in answer(&said) {
            perform(&mut socket, act);
        }
    }
}

fn perform(socket: &mut WebSocket<TcpStream>, act: Act) {
    // A client that has gone does not matter: the test looks at what it did.
    let _ = match act {
        Act::Text(text) => socket.send(Message::text(text)),
        Act::Bytes(bytes) => socket.send(Message::binary(bytes)),
        Act::Close(code, reason) => socket.close(Some(CloseFrame {
            code: code.into(),
            reason: reason.into(),
        })),
    };
}

fn publish(mut stream: TcpStream, document: &str) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head);
    let status = if document.is_empty() {
        "404 Not Found"
    } else {
        "200 OK"
    };
    let _ = write!(stream, "HTTP/1.0 {status}\r\n\r\n{document}");
}
