//! The server's side of a client in memory.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use nest_gateway_core::adapter::{Adapter, Admission, Capabilities, Host, Mount};
use nest_gateway_core::close::{CloseReason, DisconnectReason};
use nest_gateway_core::payload::Payload;
use nest_gateway_core::session::Session;
use tokio::sync::mpsc;

use super::Sent;
use super::codec::{Said, incoming};
use super::outlet::MemoryOutlet;

/// The adapter's name, as gateways and logs know it.
pub(super) const NAME: &str = "memory";

/// An adapter without a wire.
#[derive(Debug)]
pub struct MemoryAdapter {
    host: Arc<OnceLock<Arc<Host>>>,
}

impl MemoryAdapter {
    pub(super) fn new(host: Arc<OnceLock<Arc<Host>>>) -> Self {
        Self { host }
    }
}

impl Adapter for MemoryAdapter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::events_only();
        capabilities.requests = true;
        capabilities.questions = true;
        capabilities.close_codes = true;
        capabilities
    }

    fn mount(&self, host: Arc<Host>) -> Result<Mount, String> {
        // Of several ports the first counts: memory has none to tell apart.
        let _ = self.host.set(host);
        Ok(Mount::default())
    }
}

/// What happens to a client next.
enum Turn {
    Read(Option<Sent>),
    Close(CloseReason),
}

/// Drives one client's session to its end.
pub(super) async fn serve(
    admission: Admission,
    outlet: Arc<MemoryOutlet>,
    mut line: mpsc::Receiver<Sent>,
) {
    let mut session = Session::open(NAME, admission, Arc::<MemoryOutlet>::clone(&outlet));
    let reason = loop {
        match turn(&mut session, &mut line).await {
            Turn::Read(Some(Sent::Text(text))) => receive(&mut session, text.as_bytes()),
            Turn::Read(Some(Sent::Binary(bytes))) => {
                if bytes.first() == Some(&b'{') {
                    receive(&mut session, &bytes);
                } else {
                    let size = bytes.len();
                    session.receive_binary(Payload::from_value(bytes.into()), size);
                }
            }
            Turn::Read(Some(Sent::Close(code, reason))) => {
                outlet.close(code, &reason);
                break DisconnectReason::by_client(Some(code), reason);
            }
            Turn::Read(None) => {
                outlet.cut();
                break DisconnectReason::by_network(Some(1006), "");
            }
            Turn::Close(reason) => {
                if reason == CloseReason::SlowConsumer {
                    outlet.close_now(reason.code(), reason.text());
                } else {
                    outlet.close(reason.code(), reason.text());
                }
                let text = reason.text().to_owned();
                break DisconnectReason::by_server(Some(reason.code()), text);
            }
        }
    };
    session.finish(reason).await;
}

async fn turn(session: &mut Session, line: &mut mpsc::Receiver<Sent>) -> Turn {
    poll_fn(|context| {
        if let Poll::Ready(reason) = session.poll(context) {
            return Poll::Ready(Turn::Close(reason));
        }
        if session.has_room() {
            line.poll_recv(context).map(Turn::Read)
        } else {
            Poll::Pending
        }
    })
    .await
}

fn receive(session: &mut Session, text: &[u8]) {
    match Said::read(text) {
        Ok(Said::Event {
            event,
            data,
            request,
            size,
        }) => session.receive(incoming(&event, data, request, size)),
        Ok(Said::Answer(number, data)) => {
            // An answer that nobody waits for any more is late, not wrong.
            session.answer(number, data);
        }
        Ok(Said::Cancel(target)) => session.cancel(&target),
        Ok(Said::Nothing) => {}
        Err((problem, request)) => session.malformed(problem, request.as_ref()),
    }
}
