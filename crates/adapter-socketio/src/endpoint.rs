//! The HTTP face: one path, and the checks in front of a new session.

use std::sync::Arc;

use axum_core::body::Body;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use nest_gateway_core::adapter::{BoxFuture, Endpoint, Host, Refusal};
use nest_gateway_core::error::WsException;
use nest_gateway_core::handshake::Handshake;
use serde::Serialize;

use crate::engine::Engine;

/// What an application asks before a session is opened.
pub(crate) type AllowRequest =
    Arc<dyn Fn(Handshake) -> BoxFuture<'static, Result<(), WsException>> + Send + Sync>;

/// Answers requests to the adapter's path.
pub(crate) struct SocketIoEndpoint {
    /// Without the trailing slash.
    pub(crate) path: String,
    pub(crate) host: Arc<Host>,
    pub(crate) engine: Engine,
    pub(crate) allow_request: Option<AllowRequest>,
}

impl SocketIoEndpoint {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        // A request for an open session is known by its secret id.
        let checked = if opens_session(&head) {
            self.check(Handshake::from_http(&head)).await
        } else {
            self.host.check_host(&head)
        };
        if let Err(refusal) = checked {
            return refused(&refusal);
        }
        let request = Request::from_parts(head, body);
        self.engine.handle(request).await.map(Body::from)
    }

    async fn check(&self, handshake: Handshake) -> Result<(), Refusal> {
        self.host.precheck(&handshake)?;
        match &self.allow_request {
            Some(hook) => {
                let allowed = hook(handshake).await.map_err(Refusal::Guard);
                self.host.counted(allowed)
            }
            None => Ok(()),
        }
    }
}

impl Endpoint for SocketIoEndpoint {
    fn claims(&self, head: &Parts) -> bool {
        let path = head.uri.path();
        path.strip_suffix('/').unwrap_or(path) == self.path
    }

    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Response<Body>> {
        Box::pin(self.answer(request))
    }
}

fn opens_session(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or("");
    head.method == Method::GET && !query.split('&').any(|pair| pair.starts_with("sid="))
}

/// In the form of Engine.IO's own refusals.
fn refused(refusal: &Refusal) -> Response<Body> {
    #[derive(Serialize)]
    struct Told<'a> {
        code: u8,
        message: &'a str,
    }
    let told = Told {
        code: 4,
        message: refusal.message(),
    };
    let body = serde_json::to_vec(&told).expect("a number and a string are JSON");
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
