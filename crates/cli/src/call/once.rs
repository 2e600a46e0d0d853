//! One message and its reply.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::GRACE;
use super::link::{Link, Said};
use crate::cli::Call;
use crate::failure::{Failure, Outcome};
use crate::output;

/// The number under which the reply is asked for.
const REQUEST: u64 = 1;

/// Sends an event and prints the data of its reply, one line for each item, to
/// the standard output. What else arrives goes to the standard error.
pub(crate) fn run(
    link: &mut dyn Link,
    event: &str,
    data: Option<&RawValue>,
    options: &Call,
) -> Outcome<()> {
    let request = (!options.no_reply).then_some(REQUEST);
    link.send(event, data, request)?;
    let mut result = Ok(());
    if request.is_some() {
        result = reply(link, event, options.timeout);
    }
    if options.follow {
        follow(link)?;
    }
    link.close();
    result
}

/// Prints the reply. A first item without an end is the whole reply, unless a
/// second one follows soon.
fn reply(link: &mut dyn Link, event: &str, timeout: Duration) -> Outcome<()> {
    let mut items = 0_u64;
    let mut deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match link.next(left)? {
            Some(Said::Reply {
                request: REQUEST,
                data,
            }) => {
                if let Some(data) = data {
                    output::line(&data)?;
                }
                items += 1;
                if link.replies_end_streams() {
                    return Ok(());
                }
                deadline = Instant::now() + if items == 1 { GRACE } else { timeout };
            }
            Some(Said::Done { request: REQUEST }) => return Ok(()),
            Some(Said::Exception {
                request: Some(REQUEST),
                data,
            }) => {
                return Err(Failure::new(data));
            }
            // An item of a stream: Socket.IO has no number in it.
            Some(Said::Event { event: same, data })
                if same == event && link.replies_end_streams() =>
            {
                output::line(data.as_deref().unwrap_or_default())?;
                deadline = Instant::now() + timeout;
            }
            Some(Said::Closed { code, reason }) => {
                return Err(closed(code, &reason));
            }
            Some(other) => output::remark(&shown(&other)),
            None if items == 1 => return Ok(()),
            None if items > 1 => {
                return Err(Failure::new(format!(
                    "the reply did not go on within {timeout:?}"
                )));
            }
            None => {
                return Err(Failure::new(format!(
                    "no reply came within {timeout:?} (--no-reply does not wait for one)"
                )));
            }
        }
    }
}

/// Prints what arrives until the connection ends.
fn follow(link: &mut dyn Link) -> Outcome<()> {
    loop {
        match link.next(Duration::from_hours(1))? {
            Some(closed @ Said::Closed { .. }) => {
                output::remark(&shown(&closed));
                return Ok(());
            }
            Some(said) => output::line(&shown(&said))?,
            None => {}
        }
    }
}

fn closed(code: Option<u16>, reason: &str) -> Failure {
    Failure::new(shown(&Said::Closed {
        code,
        reason: reason.to_owned(),
    }))
}

/// What was said, as a line.
pub(crate) fn shown(said: &Said) -> String {
    let with = |begin: String, data: &Option<String>| match data {
        Some(data) => format!("{begin} {data}"),
        None => begin,
    };
    match said {
        Said::Reply { request, data } => with(format!("#{request}"), data),
        Said::Done { request } => format!("#{request} done"),
        Said::Exception {
            request: Some(request),
            data,
        } => format!("#{request} exception {data}"),
        Said::Exception {
            request: None,
            data,
        } => format!("exception {data}"),
        Said::Event { event, data } => with(event.clone(), data),
        Said::Question { id, event, data } => {
            format!(
                "{} (answer with `/answer {id} ..`)",
                with(event.clone(), data)
            )
        }
        Said::Binary { length } => format!("<{length} bytes>"),
        Said::Unknown { text } => format!("not understood: {text}"),
        Said::Closed { code, reason } => {
            let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
            let colon = if reason.is_empty() { "" } else { ": " };
            format!("the connection was closed{code}{colon}{reason}")
        }
    }
}
