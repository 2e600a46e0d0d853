//! How a client learns of its session, and comes back to it.
//!
//! With recovery switched on, the first frame of a connection is
//! `{"event":"$session","data":{"session":"..","recovered":false},"offset":1}`, and every event
//! frame that answers no request has an `offset`. A client that lost its connection connects
//! again with `?session=..&offset=..`, the last offset that it saw.

use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::adapter::{Admission, Codec, Outlet};
use nest_gateway_core::handshake::Handshake;
use nest_gateway_core::id::ClientId;
use nest_gateway_core::message::{Arguments, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::recovery::{
    Former, Lost, Offset, Recoverable, RecoveryKey, RecoveryRequest, RecoveryStore,
};
use nest_gateway_core::session::Session;
use serde::Serialize;

use crate::NAME;

/// The event of the first frame.
const SESSION_EVENT: &str = "$session";

/// A session that its client may come back to, and what goes with it.
pub(crate) type Opened = (Session, Option<Box<Recoverable>>);

/// Who may come back, and how their events are written.
pub(crate) struct Recoveries {
    pub(crate) store: Arc<RecoveryStore>,
    /// The codec whose events have offsets.
    pub(crate) numbered: Arc<dyn Codec>,
    /// The one whose events have none, for frames that are no events of the application.
    pub(crate) plain: &'static dyn Codec,
}

/// What a client says in its query.
pub(crate) enum Asked {
    /// It is new.
    Nothing,
    /// It wants to come back.
    Return(RecoveryRequest),
    /// It wants to come back, with what cannot be a session.
    Nonsense,
}

impl Asked {
    pub(crate) fn of(handshake: &Handshake) -> Self {
        let Some(session) = handshake.query("session") else {
            return Self::Nothing;
        };
        let offset = handshake.query("offset");
        let offset = offset.and_then(|offset| offset.parse().ok());
        match (RecoveryKey::parse(&session), offset) {
            (Some(key), Some(offset)) => Self::Return(RecoveryRequest {
                key,
                offset: Offset(offset),
            }),
            _ => Self::Nonsense,
        }
    }
}

impl Recoveries {
    /// The former life of a client that asks for it, once it is admitted; `None` for one that is
    /// new.
    pub(crate) async fn claim(
        &self,
        asked: Asked,
        admission: &Admission,
    ) -> Result<Option<Former>, Lost> {
        match asked {
            Asked::Nothing => Ok(None),
            Asked::Nonsense => Err(Lost::Unknown),
            Asked::Return(request) => {
                let claimed = self
                    .store
                    .claim(request, admission.path(), self.numbered.format());
                claimed.await.map(Some)
            }
        }
    }

    /// Begins a life of its own; the greeting is for [`Recoveries::greet`].
    pub(crate) fn open(&self, link: Arc<dyn Outlet>, admission: Admission) -> Opened {
        let Some(recoverable) = self.store.begin(Arc::clone(&self.numbered)) else {
            // Without a random key the client is served all the same, and cannot come back.
            return (Session::open(NAME, admission, link), None);
        };
        recoverable.attach(link);
        let session = recoverable.open(ClientId::random(), NAME, admission);
        (session, Some(Box::new(recoverable)))
    }

    /// Tells a client its session, before anything else.
    pub(crate) fn greet(&self, recoverable: &Recoverable, lost: Option<Lost>) {
        let said = SessionData {
            session: recoverable.key().as_str(),
            recovered: false,
            reason: lost.map(Lost::as_str),
        };
        match said.encode(&*self.numbered) {
            Ok(frame) => recoverable.greet(frame),
            Err(error) => tracing::error!(%error, "a session cannot be told"),
        }
    }

    /// Goes on with a former life, or begins a new one when it has been lost in the meantime.
    pub(crate) fn resume(
        &self,
        former: Former,
        link: Arc<dyn Outlet>,
        admission: Admission,
    ) -> Opened {
        let said = SessionData {
            session: former.key().as_str(),
            recovered: true,
            reason: None,
        };
        // Without an offset: a client that is lost again before it got what it missed has to
        // ask for it again.
        let frame = said.encode(self.plain).unwrap_or_default();
        match former.resume(Arc::clone(&link), frame, NAME, admission) {
            Ok((session, recoverable)) => (session, Some(Box::new(recoverable))),
            Err(admission) => {
                let (session, recoverable) = self.open(link, *admission);
                if let Some(recoverable) = &recoverable {
                    self.greet(recoverable, Some(Lost::Gap));
                }
                (session, recoverable)
            }
        }
    }
}

/// The data of the first frame.
#[derive(Serialize)]
struct SessionData<'a> {
    session: &'a str,
    recovered: bool,
    /// Why a client that asked for it begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl SessionData<'_> {
    fn encode(&self, codec: &dyn Codec) -> Result<Bytes, EncodeError> {
        let arguments = Arguments::One(Payload::from_serialize(self)?);
        let frame = codec.encode(
            "/",
            Outgoing::Event {
                event: SESSION_EVENT,
                arguments: &arguments,
            },
        )?;
        Ok(frame.unwrap_or_default())
    }
}
