{% set derive = ", JsonSchema" if schema else "" %}
//! What goes over the wire at `{{ namespace }}`.

use nest_gateway::Event;
{% if schema %}
use schemars::JsonSchema;
{% endif %}
use serde::{Deserialize, Serialize};

/// The body of `send_message`.
#[derive(Debug, Deserialize{{ derive }})]
pub struct SendMessage {
    /// What to say.
    pub text: String,
}

/// The answer to `send_message`.
#[derive(Debug, Serialize{{ derive }})]
pub struct MessageSent {
    /// How many clients the message was sent to.
    pub receivers: usize,
}

/// Tells clients what somebody said.
#[derive(Debug, Serialize{{ derive }}, Event)]
#[event("message")]
pub struct Message {
    /// What was said.
    pub text: String,
}
{% if stream %}

/// The body of `prompt`.
#[derive(Debug, Deserialize{{ derive }})]
pub struct Prompt {
    /// What to answer.
    pub text: String,
}

/// One piece of the answer to `prompt`.
#[derive(Debug, Serialize{{ derive }})]
pub struct Token {
    /// One word.
    pub text: String,
}

impl From<&str> for Token {
    fn from(word: &str) -> Self {
        Self {
            text: word.to_owned(),
        }
    }
}
{% endif %}
