//! What the application provides.

use std::ops::Deref;
use std::sync::Arc;

use super::FromContext;
use crate::broadcast::WebSocketServer;
use crate::dispatch::context::ExecutionContext;
use crate::error::WsException;
use crate::gateway::Container;
use crate::gateway::Dependency;

/// A provider of the gateway's module. A field of the gateway is the usual
/// place; this is for handlers that alone need it. That it exists is checked at
/// start-up.
#[derive(Debug)]
pub struct Inject<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Clone for Inject<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Inject<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + Send + Sync + 'static> FromContext for Inject<T> {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        context.provider::<T>().map(Self).ok_or_else(|| {
            WsException::internal(format!(
                "{} is not provided to {}",
                std::any::type_name::<T>(),
                context.gateway()
            ))
        })
    }

    fn dependencies() -> Vec<Dependency> {
        vec![Dependency::on::<T>()]
    }
}

/// The server of the client's namespace, of a pattern that of the client's path;
/// derefs to [`WebSocketServer`].
#[derive(Clone, Debug)]
pub struct Server(pub WebSocketServer);

impl Deref for Server {
    type Target = WebSocketServer;

    fn deref(&self) -> &WebSocketServer {
        &self.0
    }
}

impl FromContext for Server {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(WebSocketServer::new(Arc::clone(
            context.client().hub(),
        ))))
    }
}

impl FromContext for WebSocketServer {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Server::from_context(context)?.0)
    }
}

/// The same extractor in HTTP handlers of the application.
impl<S: Sync, T: ?Sized + Send + Sync + 'static> axum_core::extract::FromRequestParts<S>
    for Inject<T>
{
    type Rejection = (http::StatusCode, &'static str);

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        let provider = parts
            .extensions
            .get::<Arc<Container>>()
            .and_then(|container| container.get::<T>());
        provider.map(Self).ok_or_else(|| {
            tracing::error!(
                provider = std::any::type_name::<T>(),
                path = parts.uri.path(),
                "an HTTP handler injects what no module provides"
            );
            (
                http::StatusCode::INTERNAL_SERVER_ERROR,
                "Internal server error",
            )
        })
    }
}
