//! The native envelope.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::connect::{Received, Socket};
use super::link::{Cancel, Link, Said};
use super::url::Url;
use crate::cli::Call;
use crate::failure::{Context as _, Outcome};

/// A connection to a native gateway.
pub(crate) struct Native(Socket);

#[derive(Serialize)]
struct Outbound<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Inbound {
    event: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    done: bool,
}

impl Native {
    /// Connects to the gateway at the URL's path.
    pub(crate) fn open(url: &Url, options: &Call) -> Outcome<Self> {
        let target = format!("{}{}", url.path, url.query);
        Ok(Self(Socket::open(url, &target, options)?))
    }

    fn send_json(&mut self, message: &impl Serialize) -> Outcome<()> {
        self.0
            .send(serde_json::to_string(message).context("the message")?)
    }
}

impl Link for Native {
    fn send(&mut self, event: &str, data: Option<&RawValue>, request: Option<u64>) -> Outcome<()> {
        self.send_json(&Outbound {
            event,
            data,
            id: request,
        })
    }

    fn cancel(&mut self, what: &Cancel) -> Outcome<()> {
        self.send_json(&match what {
            Cancel::Request(request) => serde_json::json!({"cancel": request}),
            Cancel::Event(event) => serde_json::json!({"cancel": event}),
        })
    }

    fn answer(&mut self, question: &str, data: Option<&RawValue>) -> Outcome<()> {
        #[derive(Serialize)]
        struct Answer<'a> {
            ack: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a RawValue>,
        }
        self.send_json(&Answer {
            ack: question,
            data,
        })
    }

    fn next(&mut self, timeout: Duration) -> Outcome<Option<Said>> {
        Ok(Some(match self.0.receive(timeout)? {
            Received::Text(text) => said(text),
            Received::Binary(bytes) => match String::from_utf8(bytes) {
                Ok(text) if text.starts_with('{') => said(text),
                Ok(text) => Said::Binary { length: text.len() },
                Err(error) => Said::Binary {
                    length: error.as_bytes().len(),
                },
            },
            Received::Closed(said) => {
                let (code, reason) = said.unzip();
                Said::Closed {
                    code,
                    reason: reason.unwrap_or_default(),
                }
            }
            Received::Nothing => return Ok(None),
        }))
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn replies_end_streams(&self) -> bool {
        false
    }
}

fn said(text: String) -> Said {
    let Ok(Inbound {
        event,
        data,
        id,
        done,
    }) = serde_json::from_str(&text)
    else {
        return Said::Unknown { text };
    };
    let data = data.map(|data| data.get().to_owned());
    let request = id.as_ref().and_then(Value::as_u64);
    match (id, request) {
        (_, Some(request)) if done => Said::Done { request },
        (_, request) if event == "exception" => Said::Exception {
            request,
            data: data.unwrap_or_default(),
        },
        (_, Some(request)) => Said::Reply { request, data },
        (Some(Value::String(id)), None) => Said::Question { id, event, data },
        _ => Said::Event { event, data },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_told_apart() {
        for (text, meaning) in [
            (
                r#"{"event":"e","data":{"b":1, "a":2},"id":7}"#,
                Said::Reply {
                    request: 7,
                    data: Some(r#"{"b":1, "a":2}"#.into()),
                },
            ),
            (
                r#"{"event":"e","id":7}"#,
                Said::Reply {
                    request: 7,
                    data: None,
                },
            ),
            (
                r#"{"event":"e","id":7,"done":true}"#,
                Said::Done { request: 7 },
            ),
            (
                r#"{"event":"e","data":null}"#,
                Said::Event {
                    event: "e".into(),
                    data: None,
                },
            ),
            (
                r#"{"event":"exception","data":{"m":1},"id":7}"#,
                Said::Exception {
                    request: Some(7),
                    data: r#"{"m":1}"#.into(),
                },
            ),
            (
                r#"{"event":"q","id":"s1"}"#,
                Said::Question {
                    id: "s1".into(),
                    event: "q".into(),
                    data: None,
                },
            ),
            ("[1]", Said::Unknown { text: "[1]".into() }),
        ] {
            assert_eq!(said(text.to_owned()), meaning, "{text}");
        }
    }
}
