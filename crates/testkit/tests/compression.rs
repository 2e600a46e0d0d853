//! permessage-deflate on both adapters, and messages that are kept out of it.

use std::net::SocketAddr;
use std::time::Duration;

use nest_gateway::prelude::*;
use nest_gateway::{AppBuilder, DeflateConfig, Listening, Native};
use nest_gateway_testkit::client::ClientFrame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Says the same long text in every way that it can be said.
#[websocket_gateway(namespace = "/")]
struct Speaker {
    server: WebSocketServer,
}

#[subscriptions]
impl Speaker {
    #[subscribe_message("to me")]
    async fn to_me(&self, client: ConnectedSocket, MessageBody(compress): MessageBody<bool>) {
        client.join("r").await.expect("there is room");
        client.compress(compress).emit("said", &text());
    }

    #[subscribe_message("to all")]
    async fn to_all(&self, MessageBody(compress): MessageBody<bool>) {
        self.server.compress(compress).emit("said", &text());
    }

    #[subscribe_message("to room")]
    async fn to_room(&self, MessageBody(compress): MessageBody<bool>) {
        self.server
            .to("r")
            .volatile()
            .compress(compress)
            .emit("said", &text());
    }

    #[subscribe_message("ask")]
    async fn ask(&self, client: ConnectedSocket, MessageBody(compress): MessageBody<bool>) {
        let answers = client
            .compress(compress)
            .emit_with_ack::<bool>("said", &text());
        drop(answers);
    }

    #[subscribe_message("reply")]
    async fn reply(&self) -> WsResponse<String> {
        WsResponse::new("said", text())
    }
}

#[module(providers(Speaker))]
struct SpeakerModule;

fn text() -> String {
    "the quick brown fox ".repeat(200)
}

const WAYS: [&str; 4] = ["to me", "to all", "to room", "ask"];

async fn listen(app: AppBuilder) -> Listening {
    app.listen("127.0.0.1:0").await.expect("it starts")
}

/// A WebSocket that offers compression and looks at the bit that tells of it.
struct Peer(TcpStream);

impl Peer {
    async fn connect(addr: SocketAddr, path: &str, offer: &str) -> (Self, String) {
        let mut stream = TcpStream::connect(addr).await.expect("a connection");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {offer}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("the head goes on"));
        }
        (Self(stream), String::from_utf8(head).expect("ASCII"))
    }

    async fn send(&mut self, text: &str) {
        let frame = ClientFrame::text(text).encode();
        self.0.write_all(&frame).await.expect("written");
    }

    /// Whether the next message is compressed, and its payload.
    async fn next(&mut self) -> (bool, Vec<u8>) {
        let reading = async {
            let first = self.0.read_u8().await?;
            let length = match self.0.read_u8().await? {
                126 => usize::from(self.0.read_u16().await?),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await?;
            std::io::Result::Ok((first & 0x40 != 0, payload))
        };
        let read = tokio::time::timeout(Duration::from_secs(5), reading).await;
        read.expect("a message comes").expect("a whole message")
    }
}

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

#[tokio::test]
async fn a_native_client_that_offers_deflate_gets_compressed_what_may_be() {
    let native = Native::new().deflate(DeflateConfig::default());
    let app = listen(App::new::<SpeakerModule>().adapter(native)).await;
    let (mut peer, head) = Peer::connect(app.local_addr(), "/", OFFER).await;
    assert!(head.contains("permessage-deflate"), "{head}");
    for way in WAYS {
        for compress in [true, false] {
            peer.send(&format!(r#"{{"event":"{way}","data":{compress}}}"#))
                .await;
            let (compressed, payload) = peer.next().await;
            assert_eq!(compressed, compress, "{way}");
            assert_eq!(payload.len() < 1000, compress, "{way}");
        }
    }
    peer.send(r#"{"event":"reply"}"#).await;
    assert!(peer.next().await.0, "a reply may be compressed too");
}

#[tokio::test]
async fn a_client_that_does_not_offer_deflate_gets_everything_plain() {
    let native = Native::new().deflate(DeflateConfig::default());
    let app = listen(App::new::<SpeakerModule>().adapter(native)).await;
    let (mut peer, head) = Peer::connect(app.local_addr(), "/", "").await;
    assert!(!head.contains("permessage-deflate"), "{head}");
    peer.send(r#"{"event":"to me","data":true}"#).await;
    assert!(!peer.next().await.0);
}

#[cfg(feature = "socketio")]
#[tokio::test]
async fn a_socket_io_client_that_offers_deflate_gets_compressed_what_may_be() {
    use nest_gateway::SocketIo;
    let socketio = SocketIo::new().deflate(DeflateConfig::default());
    let app = listen(App::new::<SpeakerModule>().adapter(socketio)).await;
    let path = "/socket.io/?EIO=4&transport=websocket";
    let (mut peer, head) = Peer::connect(app.local_addr(), path, OFFER).await;
    assert!(head.contains("permessage-deflate"), "{head}");
    assert!(peer.next().await.1.starts_with(b"0{"));
    peer.send("40").await;
    assert!(peer.next().await.1.starts_with(b"40{"));
    for way in WAYS {
        for compress in [true, false] {
            peer.send(&format!(r#"42["{way}",{compress}]"#)).await;
            let (compressed, payload) = peer.next().await;
            assert_eq!(compressed, compress, "{way}");
            assert_eq!(payload.len() < 1000, compress, "{way}");
        }
    }
    let unless_configured = listen(App::new::<SpeakerModule>().adapter(SocketIo::new())).await;
    let (_, head) = Peer::connect(unless_configured.local_addr(), path, OFFER).await;
    assert!(!head.contains("permessage-deflate"), "{head}");
}
