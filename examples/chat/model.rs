//! A language model, as far as a chat can tell: it answers one token at a time.

use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt as _};
use serde::Serialize;

/// About the pace of a good model.
const PACE: Duration = Duration::from_millis(45);

const ANSWER: &str = "\
    A gateway is a struct whose methods answer events. This answer is a stream \
    that a handler returned: each word leaves as an event of its own, the moment \
    it is there. The stream is polled only while you keep up, and when you press \
    stop, or close the page, it is dropped and nobody computes the rest.";

/// One piece of an answer.
#[derive(Serialize)]
pub(crate) struct Token {
    text: String,
}

/// The answer to a prompt, as it comes into being.
pub(crate) fn answer(prompt: &str) -> impl Stream<Item = Token> + use<> {
    let text = format!("You asked: “{prompt}” {ANSWER}");
    let words: Vec<_> = text.split_inclusive(' ').map(str::to_owned).collect();
    stream::iter(words).then(|text| async move {
        tokio::time::sleep(PACE).await;
        Token { text }
    })
}
