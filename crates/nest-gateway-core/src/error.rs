//! Errors that travel to a client.

use std::any::Any;
use std::fmt;

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::broadcast::EmitError;
use crate::id::ClientId;
use crate::payload::{BodyError, Payload};
use crate::session::AckError;
use crate::value::Value;

/// Any error of application code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The text that stands on the wire for everything that is not meant for the
/// client's eyes.
pub const INTERNAL_MESSAGE: &str = "Internal server error";
/// The text of a guard's plain no.
pub const FORBIDDEN_MESSAGE: &str = "Forbidden resource";

/// An error with a form that is safe to send to a client: the `exception` of
/// CONTRACT section 5.
///
/// It is wire-safe by construction: [`WsException::new`] sends just what it is
/// given, [`WsException::internal`] sends "Internal server error" with a log id
/// and keeps the cause for the log and for exception filters.
pub struct WsException(Box<Inner>);

struct Inner {
    body: Body,
    source: Option<BoxError>,
    status: Option<u16>,
}

enum Body {
    Standard {
        message: String,
        code: Option<String>,
        details: Option<Payload>,
    },
    Object(Payload),
    Internal {
        log_id: String,
    },
}

impl WsException {
    /// An exception with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self::from_body(Body::Standard {
            message: message.into(),
            code: None,
            details: None,
        })
    }

    /// An exception that is sent as this object, whatever its shape.
    ///
    /// A value that cannot be serialised becomes an internal error.
    pub fn object<T: Serialize + ?Sized>(object: &T) -> Self {
        match Payload::from_serialize(object) {
            Ok(payload) => Self::from_body(Body::Object(payload)),
            Err(error) => Self::internal(error),
        }
    }

    /// An error whose text the client must not see. It is logged under a random
    /// id, which the client does get, when the exception is sent.
    pub fn internal(source: impl Into<BoxError>) -> Self {
        let mut exception = Self::from_body(Body::Internal {
            log_id: ClientId::random().as_str()[..8].to_owned(),
        });
        exception.0.source = Some(source.into());
        exception
    }

    /// A guard's no: "Forbidden resource".
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(FORBIDDEN_MESSAGE)
            .with_code("forbidden")
            .with_status(403)
    }

    /// Refusal of somebody whose identity is not known. A connection guard that
    /// fails with it answers the native handshake with 401.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(message)
            .with_code("unauthorized")
            .with_status(401)
    }

    /// A body that does not fit: code `bad_request`, the field problems in
    /// `details`.
    #[must_use]
    pub fn bad_request(error: BodyError) -> Self {
        let details = Payload::from_serialize(&error).ok();
        let mut exception = Self::from_body(Body::Standard {
            message: "Invalid message body".to_owned(),
            code: Some("bad_request".to_owned()),
            details,
        });
        exception.0.source = Some(Box::new(error));
        exception
    }

    /// Adds a machine-readable code.
    #[must_use]
    pub fn with_code(mut self, new: impl Into<String>) -> Self {
        if let Body::Standard { code, .. } = &mut self.0.body {
            *code = Some(new.into());
        }
        self
    }

    /// Adds details: any serialisable value.
    ///
    /// A value that cannot be serialised is left out and logged.
    #[must_use]
    pub fn with_details<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        if let Body::Standard { details, .. } = &mut self.0.body {
            match Payload::from_serialize(value) {
                Ok(payload) => *details = Some(payload),
                Err(error) => tracing::error!(%error, "exception details cannot be serialised"),
            }
        }
        self
    }

    /// Keeps the error that this one was made from, for exception filters and
    /// the log; it never reaches the client.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The HTTP status with which a refused handshake is answered (native
    /// adapter); 400 to 599, 403 by default.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = (400..600).contains(&status).then_some(status);
        self
    }

    /// The message as the client sees it.
    #[must_use]
    pub fn message(&self) -> &str {
        match &self.0.body {
            Body::Standard { message, .. } => message,
            Body::Object(_) => "",
            Body::Internal { .. } => INTERNAL_MESSAGE,
        }
    }

    /// The machine-readable code, if there is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.0.body {
            Body::Standard { code, .. } => code.as_deref(),
            Body::Object(_) => None,
            Body::Internal { .. } => Some("internal"),
        }
    }

    /// The details, if there are any.
    #[must_use]
    pub fn details(&self) -> Option<&Payload> {
        match &self.0.body {
            Body::Standard { details, .. } => details.as_ref(),
            _ => None,
        }
    }

    /// The HTTP status for a refused handshake.
    #[must_use]
    pub fn status(&self) -> u16 {
        match (&self.0.body, self.0.status) {
            (_, Some(status)) => status,
            (Body::Internal { .. }, None) => 500,
            _ => 403,
        }
    }

    /// The id that joins an internal error on the wire with the log.
    #[must_use]
    pub fn log_id(&self) -> Option<&str> {
        match &self.0.body {
            Body::Internal { log_id } => Some(log_id),
            _ => None,
        }
    }

    /// The error it was made from, if it is an `E`.
    #[must_use]
    pub fn source_as<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.source.as_deref()?.downcast_ref::<E>()
    }

    /// Itself or its source as an `E`: how typed exception filters look.
    #[must_use]
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        (self as &dyn Any)
            .downcast_ref::<E>()
            .or_else(|| self.source_as())
    }

    /// The object that is sent, for the event that failed.
    ///
    /// `request` is the request's data, sent back only where that is switched on.
    #[must_use]
    pub fn to_payload(&self, event: Option<&str>, request: Option<&Payload>) -> Payload {
        if let Body::Object(payload) = &self.0.body {
            return payload.clone();
        }
        let wire = WireForm {
            exception: self,
            event,
            request,
        };
        Payload::from_serialize(&wire).unwrap_or_else(|error| {
            tracing::error!(%error, "exception cannot be serialised");
            Payload::from_json(bytes::Bytes::from_static(
                br#"{"status":"error","message":"Internal server error"}"#,
            ))
        })
    }

    /// What went wrong, in full, for the log.
    pub fn log(&self, event: &str) {
        if let Body::Internal { log_id } = &self.0.body {
            if self.says_gone() {
                // That a client leaves is no fault of the handler.
                tracing::debug!(log_id, event, "the client left its handler");
                return;
            }
            let error = self.0.source.as_ref().map(tracing::field::display);
            tracing::error!(log_id, event, error, "handler failed");
        }
    }

    /// Whether it only says that the client is gone.
    fn says_gone(&self) -> bool {
        matches!(self.source_as(), Some(EmitError::Gone))
            || matches!(self.source_as(), Some(AckError::Gone))
    }

    fn from_body(body: Body) -> Self {
        Self(Box::new(Inner {
            body,
            source: None,
            status: None,
        }))
    }
}

impl fmt::Display for WsException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.body {
            Body::Object(payload) => write!(f, "{payload:?}"),
            _ => f.write_str(self.message()),
        }
    }
}

impl fmt::Debug for WsException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsException")
            .field("message", &self.message())
            .field("code", &self.code())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for WsException {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<&str> for WsException {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for WsException {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<serde_json::Value> for WsException {
    /// The object is sent as it is.
    fn from(object: serde_json::Value) -> Self {
        Self::object(&object)
    }
}

impl From<Value> for WsException {
    /// The object is sent as it is.
    fn from(object: Value) -> Self {
        Self::object(&object)
    }
}

impl From<BodyError> for WsException {
    fn from(error: BodyError) -> Self {
        Self::bad_request(error)
    }
}

/// The JSON of CONTRACT section 5.
struct WireForm<'a> {
    exception: &'a WsException,
    event: Option<&'a str>,
    request: Option<&'a Payload>,
}

impl Serialize for WireForm<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", "error")?;
        map.serialize_entry("message", self.exception.message())?;
        if let Some(code) = self.exception.code() {
            map.serialize_entry("code", code)?;
        }
        if let Some(details) = self.exception.details() {
            map.serialize_entry("details", details)?;
        }
        if let Some(log_id) = self.exception.log_id() {
            map.serialize_entry("details", &LogId { id: log_id })?;
        }
        if let Some(event) = self.event {
            map.serialize_entry(
                "cause",
                &Cause {
                    pattern: event,
                    data: self.request,
                },
            )?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct LogId<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct Cause<'a> {
    pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Payload>,
}
