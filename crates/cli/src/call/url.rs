//! Where the server is.

use crate::failure::{Failure, Outcome};

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `ws://`
    WebSocket,
    /// `http://`
    Http,
}

/// A URL, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) protocol: Protocol,
    /// The host's name or address, IPv6 without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// At least `/`, without the query.
    pub(crate) path: String,
    /// With `?`, or empty.
    pub(crate) query: String,
}

impl Url {
    /// Reads `ws://host:port/path` or `http://..`.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let refuse = |why: &str| {
            Err(Failure::new(format!(
                "`{text}` is not a URL to call: {why}"
            )))
        };
        let (protocol, rest) = if let Some(rest) = text.strip_prefix("ws://") {
            (Protocol::WebSocket, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Protocol::Http, rest)
        } else if text.starts_with("wss://") || text.starts_with("https://") {
            return refuse("TLS is not supported; call the server behind the proxy directly");
        } else {
            return refuse("it begins with neither ws:// nor http://");
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        if authority.contains('@') {
            return refuse("credentials go into a header: -H 'Authorization: Basic ..'");
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(inside) => match inside.split_once(']') {
                Some((host, port)) => (host, port.strip_prefix(':')),
                None => return refuse("the address has no `]`"),
            },
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return refuse("it names no host");
        }
        let Ok(port) = port.map_or(Ok(80), str::parse) else {
            return refuse("its port is not a number up to 65535");
        };
        Ok(Self {
            protocol,
            host: host.to_owned(),
            port,
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: query.to_owned(),
        })
    }

    /// Host and port, as they stand in a URL.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("ws://localhost:3000/chat?token=a#x").expect("a URL");
        assert_eq!((url.host.as_str(), url.port), ("localhost", 3000));
        assert_eq!(
            (url.path.as_str(), url.query.as_str()),
            ("/chat", "?token=a")
        );
        let url = Url::parse("http://[::1]:81").expect("a URL");
        assert_eq!(url.authority(), "[::1]:81");
        assert_eq!(url.path, "/");
        assert_eq!(Url::parse("ws://host?x").expect("a URL").port, 80);
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_the_reason() {
        for (text, reason) in [
            ("localhost:3000", "neither"),
            ("wss://host/chat", "TLS"),
            ("ws:///chat", "no host"),
            ("ws://host:70000", "65535"),
            ("ws://me:pw@host", "header"),
            ("ws://[::1/", "`]`"),
        ] {
            let refusal = Url::parse(text).expect_err(text).to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }
}
