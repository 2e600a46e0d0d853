//! The way of one connection into a namespace.

use std::sync::Arc;

use nest_gateway_core::adapter::{Admission, BoxFuture, Codec, Found, Refusal};
use nest_gateway_core::error::WsException;
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::payload::Payload;
use nest_gateway_core::recovery::{Former, Recoverable, RecoveryKey, RecoveryRequest};
use nest_gateway_core::session::Session;
use nest_gateway_wire::Frame;
use serde::Serialize;

use crate::NAME;
use crate::connection::Shared;
use crate::offset;
use crate::packet::Text;
use crate::parser::Parser;

/// A namespace that the connection is in.
pub(crate) struct Joined {
    pub(crate) namespace: Text,
    pub(crate) session: Session,
    /// Set when the client may come back after a loss.
    pub(crate) recovery: Option<Box<Recoverable>>,
}

/// Permission to join; with the former life of the client, if it comes back to it.
pub(crate) struct Admitted {
    pub(crate) admission: Admission,
    pub(crate) former: Option<Former>,
}

/// A namespace that the connection wants to be in, while its guards are asked.
pub(crate) struct Joining {
    pub(crate) namespace: Text,
    pub(crate) outcome: BoxFuture<'static, Result<Admitted, Refused>>,
}

/// Why the connection may not join.
pub(crate) enum Refused {
    /// A check of the application said no.
    Admission(Refusal),
    /// The guards did not answer in time.
    Timeout,
}

/// What a client wants to join, and as whom.
pub(crate) struct Wish {
    pub(crate) namespace: Text,
    pub(crate) found: Found,
    pub(crate) handshake: Handshake,
}

impl Joining {
    pub(crate) fn new(shared: Arc<Shared>, wish: Wish) -> Self {
        let namespace = wish.namespace.clone();
        let outcome = Box::pin(async move {
            let admitted = tokio::time::timeout(shared.connect_timeout, admit(&shared, wish)).await;
            admitted.unwrap_or(Err(Refused::Timeout))
        });
        Self { namespace, outcome }
    }
}

/// Asks the guards, who are also asked about a client that comes back, and finds its
/// former life.
async fn admit(shared: &Shared, wish: Wish) -> Result<Admitted, Refused> {
    let Wish {
        namespace,
        found,
        handshake,
    } = wish;
    let returning = shared.recovery.as_ref().and_then(|store| {
        let request = returning(handshake.auth())?;
        store.knows(&request.key).then_some((store, request))
    });
    let recovering = returning.is_some();
    let admission = shared.host.admit(found, handshake, NAME, recovering);
    let admission = admission.await.map_err(Refused::Admission)?;
    let former = match returning {
        Some((store, request)) => {
            let format = shared.parser.format();
            // Who begins anew learns that from the id in its greeting.
            let claimed = store.claim(request, namespace.as_str(), format).await;
            claimed.ok()
        }
        None => None,
    };
    Ok(Admitted { admission, former })
}

/// What a client that comes back sends with its CONNECT.
fn returning(auth: &Payload) -> Option<RecoveryRequest> {
    let text = |name| auth.field(name).decode::<String>().ok();
    Some(RecoveryRequest {
        key: RecoveryKey::parse(&text("pid")?)?,
        offset: offset::parse(text("offset")?.as_bytes())?,
    })
}

impl Refused {
    /// The CONNECT_ERROR that the client gets.
    pub(crate) fn frame(&self, parser: &Parser, namespace: &Text) -> Frame {
        match self {
            Self::Timeout => parser.refusal(namespace, "timeout", None),
            Self::Admission(Refusal::Guard(exception)) => {
                guard_refusal(parser, namespace, exception)
            }
            Self::Admission(other) => parser.refusal(namespace, other.message(), None),
        }
    }
}

/// The message of the exception, with its code and details as `data`. An exception that
/// is an object of the application's own is the `data`.
fn guard_refusal(parser: &Parser, namespace: &Text, exception: &WsException) -> Frame {
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        details: Option<&'a Payload>,
    }
    let (code, details) = (exception.code(), exception.details());
    let data = if exception.message().is_empty() {
        Some(exception.to_payload(None, None))
    } else if code.is_some() || details.is_some() {
        Payload::from_serialize(&Data { code, details }).ok()
    } else {
        None
    };
    let message = match exception.message() {
        "" => nest_gateway_core::error::FORBIDDEN_MESSAGE,
        message => message,
    };
    parser.refusal(namespace, message, data.as_ref())
}
