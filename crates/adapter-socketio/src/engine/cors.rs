//! Which pages may poll from another origin (Fetch standard, "CORS protocol").

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The origins that are allowed, with credentials (cookies) or without.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    any: bool,
    origins: Vec<HeaderValue>,
    credentials: bool,
}

impl Cors {
    /// Allows every origin. Cookies are never sent along then.
    pub fn any() -> Self {
        Self {
            any: true,
            ..Self::default()
        }
    }

    /// Allows these origins, written as a browser does: `https://example.com`.
    /// What cannot be a header value is no origin and is never matched.
    pub fn origins<I, S>(origins: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let parse = |origin: S| HeaderValue::from_str(origin.as_ref()).ok();
        Self {
            origins: origins.into_iter().filter_map(parse).collect(),
            ..Self::default()
        }
    }

    /// Lets browsers send cookies along. It has no effect on [`Cors::any`].
    #[must_use]
    pub fn with_credentials(self) -> Self {
        Self {
            credentials: true,
            ..self
        }
    }

    /// Adds the headers for this request to its answer.
    pub(super) fn apply(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(header::ORIGIN) else {
            return;
        };
        if self.any {
            answer.insert(
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                HeaderValue::from_static("*"),
            );
        } else if self.origins.contains(origin) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            if self.credentials {
                answer.insert(
                    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                    HeaderValue::from_static("true"),
                );
            }
        }
    }

    /// Adds what a preflight asks for.
    pub(super) fn apply_preflight(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        self.apply(request, answer);
        if !answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        let methods = HeaderValue::from_static("GET,POST");
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let asked: HeaderName = header::ACCESS_CONTROL_REQUEST_HEADERS;
        if let Some(headers) = request.get(asked) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(cors: &Cors, origin: Option<&'static str>) -> HeaderMap {
        let mut request = HeaderMap::new();
        if let Some(origin) = origin {
            request.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        let mut answer = HeaderMap::new();
        cors.apply_preflight(&request, &mut answer);
        answer
    }

    #[test]
    fn a_listed_origin_is_named_in_the_answer() {
        let cors = Cors::origins(["https://a.example"]).with_credentials();
        let headers = answer(&cors, Some("https://a.example"));
        assert_eq!(
            headers[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            "https://a.example"
        );
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(headers[header::VARY], "Origin");
    }

    #[test]
    fn another_origin_gets_no_permission() {
        let cors = Cors::origins(["https://a.example"]);
        for origin in [
            None,
            Some("https://b.example"),
            Some("https://a.example.evil"),
            Some("null"),
        ] {
            let headers = answer(&cors, origin);
            assert!(
                !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
                "{origin:?}"
            );
            assert!(
                !headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS),
                "{origin:?}"
            );
        }
    }

    #[test]
    fn every_origin_is_allowed_without_cookies() {
        let headers = answer(&Cors::any().with_credentials(), Some("https://b.example"));
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
}
