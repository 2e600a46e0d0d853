//! The page, embedded in the program: nothing is fetched at run time.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::{MethodRouter, get};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Ordinary axum routes. They share their port with the gateways.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", file(HTML, include_str!("page/index.html")))
        .route("/style.css", file(CSS, include_str!("page/style.css")))
        .route("/app.js", file(JAVASCRIPT, include_str!("page/app.js")))
        .route(
            "/clients.js",
            file(JAVASCRIPT, include_str!("page/clients.js")),
        )
        .route(
            "/socket.io.min.js",
            file(JAVASCRIPT, include_str!("page/vendor/socket.io.min.js")),
        )
}

fn file(content_type: &'static str, text: &'static str) -> MethodRouter {
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")];
    get(move || async move { (headers, text) })
}
