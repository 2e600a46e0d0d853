//! One port's HTTP service: the adapters first, then the user's routes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use nest_gateway_core::adapter::{Endpoint, Mount};
use nest_gateway_core::gateway::Container;
use nest_gateway_core::handshake::{PeerAddr, Secure};
use nest_gateway_core::runtime::Runtime;
use tower::ServiceExt as _;
use tower_service::Service;

/// Answers each request: by the first adapter that claims it, else by the
/// user's routes, else by whoever has a better word than 404.
#[derive(Clone)]
pub(crate) struct Hosted(Arc<Inner>);

struct Inner {
    endpoints: Vec<Arc<dyn Endpoint>>,
    router: Router,
    runtime: Arc<Runtime>,
    secure: bool,
}

impl Hosted {
    /// `secure` says that the sockets in front of it are encrypted.
    pub(crate) fn new(
        mounts: Vec<Mount>,
        router: Router,
        runtime: Arc<Runtime>,
        secure: bool,
    ) -> Self {
        let endpoints = mounts.into_iter().filter_map(|mount| mount.endpoint);
        Self(Arc::new(Inner {
            endpoints: endpoints.collect(),
            router,
            runtime,
            secure,
        }))
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        if let Some(peer) = head.extensions.get::<nest_gateway_wire::PeerAddr>() {
            let peer = PeerAddr(peer.0);
            head.extensions.insert(peer);
        } else if let Some(peer) = head
            .extensions
            .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
        {
            let peer = PeerAddr(peer.0);
            head.extensions.insert(peer);
        }
        if self.0.secure {
            head.extensions.insert(Secure);
        }
        if let Some(endpoint) = self.0.endpoints.iter().find(|e| e.claims(&head)) {
            return endpoint.call(Request::from_parts(head, body)).await;
        }
        if self.0.runtime.shutdown_token().is_cancelled() {
            return shutting_down();
        }
        head.extensions
            .insert::<Arc<Container>>(Arc::clone(self.0.runtime.container()));
        let spare = head.clone();
        let answer = self
            .0
            .router
            .clone()
            .oneshot(Request::from_parts(head, body));
        let response = answer.await.unwrap_or_else(|never| match never {});
        let nobody = matches!(
            response.status(),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        );
        if nobody && let Some(better) = self.0.endpoints.iter().find_map(|e| e.fallback(&spare)) {
            return better;
        }
        response
    }
}

/// The answer to requests for routes during a shutdown.
fn shutting_down() -> Response<Body> {
    let mut response = Response::new(Body::from("shutting down\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

impl<B> Service<Request<B>> for Hosted
where
    B: http_body::Body<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(request.map(Body::new)).await) })
    }
}
