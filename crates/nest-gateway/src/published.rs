//! The contract of an application, for whoever asks its HTTP port.

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use http::{HeaderValue, header};
use nest_gateway_contract::{Description, asyncapi};
use nest_gateway_core::runtime::Runtime;

/// Where the document is.
const PATH: &str = "/asyncapi.json";
/// AsyncAPI has a media type of its own, which browsers do not show.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json");

/// What is to be published of an application.
#[derive(Debug)]
pub(crate) struct Published {
    title: String,
    version: String,
}

impl Published {
    /// Under this title and version, which are the application's.
    pub(crate) fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            version: version.into(),
        }
    }

    /// The route with the document, which does not change any more.
    pub(crate) fn router(&self, runtime: &Runtime) -> Router {
        let document = self.document(runtime);
        Router::new().route(
            PATH,
            get(move || {
                let document = document.clone();
                async move { ([(header::CONTENT_TYPE, MEDIA_TYPE)], document) }
            }),
        )
    }

    fn document(&self, runtime: &Runtime) -> Bytes {
        let described = serde_json::to_value(runtime.description());
        let description: Description = described
            .and_then(serde_json::from_value)
            .expect("both crates know one format of descriptions");
        let document = asyncapi(&description, &self.title, &self.version);
        Bytes::from(document.to_string())
    }
}
