//! The query of a request, the open packet, and the refusals.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use serde::Serialize;

use super::config::EngineConfig;
use super::sid::Sid;

/// The transports of Engine.IO v4 that this server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// HTTP long-polling.
    Polling,
    /// RFC 6455.
    WebSocket,
}

/// What the query of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A new session.
    Open(TransportKind),
    /// Something for a session that should exist.
    Session(TransportKind, Sid),
}

/// Why a request is refused, with the codes that Node's server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The query parameter `transport` is missing or unknown. Code 0.
    #[error("Transport unknown")]
    UnknownTransport,
    /// No session has this id, or it ended. Code 1.
    #[error("Session ID unknown")]
    UnknownSid,
    /// A session is opened with another method than GET. Code 2.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// The request does not fit the session. Code 3.
    #[error("Bad request")]
    BadRequest,
    /// The client wants its polls to be scripts (query parameter `j`), which Node's server
    /// offers to browsers without CORS. Code 3.
    #[error("JSONP polling is not offered")]
    Jsonp,
    /// The application does not want this client. Code 4.
    #[error("Forbidden")]
    Forbidden,
    /// The query parameter `EIO` is not 4. Code 5.
    #[error("Unsupported protocol version")]
    UnsupportedProtocol,
}

impl Refusal {
    /// The number in the body.
    pub fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSid => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest | Self::Jsonp => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocol => 5,
        }
    }

    /// The HTTP status: 403 for [`Refusal::Forbidden`], else 400.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer, for instance `{"code":0,"message":"Transport unknown"}`.
    pub fn response(self) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Body {
            code: u8,
            message: String,
        }
        let body = Body {
            code: self.code(),
            message: self.to_string(),
        };
        let body = serde_json::to_vec(&body).expect("a number and a string are JSON");
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json"),
        );
        response
    }
}

/// Reads a query in the order of checks of Node's server, so that the same mistake
/// gets the same code. `upgrade` tells whether the request asks for a WebSocket.
pub fn parse_query(query: &str, method: &Method, upgrade: bool) -> Result<Asked, Refusal> {
    let transport = match query_value(query, "transport") {
        Some("polling") => TransportKind::Polling,
        Some("websocket") => TransportKind::WebSocket,
        _ => return Err(Refusal::UnknownTransport),
    };
    if transport == TransportKind::Polling && query_value(query, "j").is_some() {
        return Err(Refusal::Jsonp);
    }
    if let Some(sid) = query_value(query, "sid").filter(|sid| !sid.is_empty()) {
        let sid = Sid::parse(sid).ok_or(Refusal::UnknownSid)?;
        return match (transport, upgrade) {
            (TransportKind::Polling, true) => Err(Refusal::BadRequest),
            _ => Ok(Asked::Session(transport, sid)),
        };
    }
    if method != Method::GET {
        return Err(Refusal::BadHandshakeMethod);
    }
    if (transport == TransportKind::WebSocket) != upgrade {
        return Err(Refusal::BadRequest);
    }
    if query_value(query, "EIO") != Some("4") {
        return Err(Refusal::UnsupportedProtocol);
    }
    Ok(Asked::Open(transport))
}

/// The first value of a parameter. The parameters of the protocol need no
/// percent-decoding, a value that is encoded all the same is not recognised.
fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The open packet: `0` and its JSON.
pub fn open_packet(sid: &Sid, transport: TransportKind, config: &EngineConfig) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Open<'a> {
        sid: &'a str,
        upgrades: &'a [&'a str],
        ping_interval: u64,
        ping_timeout: u64,
        max_payload: usize,
    }
    let open = Open {
        sid: sid.as_str(),
        upgrades: match transport {
            TransportKind::Polling if config.websocket => &["websocket"],
            TransportKind::Polling | TransportKind::WebSocket => &[],
        },
        ping_interval: milliseconds(config.ping_interval),
        ping_timeout: milliseconds(config.ping_timeout),
        max_payload: config.max_payload,
    };
    let json = serde_json::to_string(&open).expect("strings and numbers are JSON");
    format!("0{json}")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(query: &str) -> Result<Asked, Refusal> {
        parse_query(query, &Method::GET, false)
    }

    fn websocket(query: &str) -> Result<Asked, Refusal> {
        parse_query(query, &Method::GET, true)
    }

    #[test]
    fn a_session_is_opened_on_either_transport() {
        assert_eq!(
            get("EIO=4&transport=polling&t=abc"),
            Ok(Asked::Open(TransportKind::Polling))
        );
        assert_eq!(
            websocket("EIO=4&transport=websocket"),
            Ok(Asked::Open(TransportKind::WebSocket))
        );
        assert_eq!(
            get("EIO=4&transport=polling&sid="),
            Ok(Asked::Open(TransportKind::Polling))
        );
    }

    #[test]
    fn a_request_for_a_session_names_it() {
        let sid = Sid::random().unwrap();
        let query = format!("EIO=4&transport=polling&sid={}", sid.as_str());
        for method in [Method::GET, Method::POST] {
            let asked = parse_query(&query, &method, false);
            assert_eq!(asked, Ok(Asked::Session(TransportKind::Polling, sid)));
        }
    }

    #[test]
    fn every_wrong_query_gets_the_code_that_node_answers() {
        let sid = Sid::random().unwrap();
        let with_sid =
            |transport: &str| format!("EIO=4&transport={transport}&sid={}", sid.as_str());
        for query in [
            "",
            "EIO=4",
            "EIO=4&transport=abc",
            "EIO=4&transport=",
            "EIO=4&xtransport=polling",
        ] {
            assert_eq!(get(query), Err(Refusal::UnknownTransport), "{query}");
        }
        for query in [
            "transport=polling",
            "EIO=abc&transport=polling",
            "EIO=3&transport=polling",
        ] {
            assert_eq!(get(query), Err(Refusal::UnsupportedProtocol), "{query}");
        }
        assert_eq!(
            get("EIO=4&transport=polling&sid=nope"),
            Err(Refusal::UnknownSid)
        );
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let asked = parse_query("EIO=4&transport=polling", &method, false);
            assert_eq!(asked, Err(Refusal::BadHandshakeMethod), "{method}");
        }
        assert_eq!(get("EIO=4&transport=websocket"), Err(Refusal::BadRequest));
        assert_eq!(
            websocket("EIO=4&transport=polling"),
            Err(Refusal::BadRequest)
        );
        assert_eq!(websocket(&with_sid("polling")), Err(Refusal::BadRequest));
    }

    #[test]
    fn jsonp_is_refused_on_polling() {
        for query in [
            "EIO=4&transport=polling&j=0",
            "EIO=4&transport=polling&j=12&t=abc",
            "EIO=4&transport=polling&sid=nope&j=1",
            "j=&transport=polling&EIO=4",
        ] {
            assert_eq!(get(query), Err(Refusal::Jsonp), "{query}");
        }
        let asked = websocket("EIO=4&transport=websocket&j=0");
        assert_eq!(asked, Ok(Asked::Open(TransportKind::WebSocket)));
    }

    #[test]
    fn a_refusal_has_the_body_of_nodes_server() {
        let response = Refusal::UnknownTransport.response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(
            &response.body()[..],
            br#"{"code":0,"message":"Transport unknown"}"#
        );
        let response = Refusal::Forbidden.response();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(&response.body()[..], br#"{"code":4,"message":"Forbidden"}"#);
    }

    #[test]
    fn the_open_packet_has_the_five_keys_of_the_protocol() {
        let sid = Sid::random().unwrap();
        let config = EngineConfig {
            ping_interval: Duration::from_millis(300),
            ping_timeout: Duration::from_millis(200),
            ..EngineConfig::default()
        };
        assert_eq!(
            open_packet(&sid, TransportKind::Polling, &config),
            format!(
                r#"0{{"sid":"{}","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}}"#,
                sid.as_str()
            )
        );
        let open = open_packet(&sid, TransportKind::WebSocket, &config);
        assert!(open.contains(r#""upgrades":[]"#));
        let config = EngineConfig {
            websocket: false,
            ..config
        };
        let open = open_packet(&sid, TransportKind::Polling, &config);
        assert!(open.contains(r#""upgrades":[]"#));
    }
}
