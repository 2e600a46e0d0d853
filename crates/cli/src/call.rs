//! `nest-gateway call`: a client for both protocols.

mod completion;
mod connect;
mod interactive;
mod link;
mod native;
mod once;
mod packet;
mod socketio;
mod url;

use std::time::Duration;

use serde_json::value::RawValue;

use self::link::Link;
use self::url::{Protocol, Url};
use crate::cli::Call;
use crate::failure::{Context as _, Failure, Outcome};

/// Connects, and sends what the options say or what the user types.
pub(crate) fn run(options: &Call) -> Outcome<()> {
    let url = Url::parse(&options.url)?;
    let socketio = options.socketio || url.protocol == Protocol::Http;
    if !socketio && (options.namespace.is_some() || options.auth.is_some()) {
        return Err(Failure::new(
            "--namespace and --auth are for Socket.IO; a native gateway is named by the URL's path, \
             as in ws://host/chat",
        ));
    }
    let data = options.data.as_deref().map(json).transpose()?;
    let mut link: Box<dyn Link> = if socketio {
        Box::new(socketio::SocketIo::open(&url, options)?)
    } else {
        Box::new(native::Native::open(&url, options)?)
    };
    if let Some(event) = &options.event {
        return once::run(link.as_mut(), event, data.as_deref(), options);
    }
    let namespace = if socketio {
        socketio::namespace(&url, options)
    } else {
        url.path.clone()
    };
    let events = completion::events(&url, &namespace);
    interactive::run(link, &events, options.timeout)
}

/// How long something that may follow a reply is waited for.
const GRACE: Duration = Duration::from_millis(250);

/// Data as the user wrote it: JSON, or else a text. What looks like an object
/// or a list and is none is a slip of the pen.
fn json(text: &str) -> Outcome<Box<RawValue>> {
    let text = text.trim();
    let error = match serde_json::from_str::<Box<RawValue>>(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if text.starts_with(['{', '[', '"']) {
        return Err(Failure::new(format!("the data is not JSON: {error}")));
    }
    serde_json::value::to_raw_value(text).context("the data")
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn data_is_json_or_else_a_text() {
        for (text, sent) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("1.50", "1.50"),
            ("true", "true"),
            ("hello there", r#""hello there""#),
            ("-x", r#""-x""#),
        ] {
            assert_eq!(json(text).expect("good data").get(), sent);
        }
        assert!(json("{'a': 1}").is_err());
        assert!(json("\"open").is_err());
    }
}
