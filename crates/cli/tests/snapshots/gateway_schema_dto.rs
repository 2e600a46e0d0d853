//! What goes over the wire at `/chat`.

use nest_gateway::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `send_message`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SendMessage {
    /// What to say.
    pub text: String,
}

/// The answer to `send_message`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageSent {
    /// How many clients the message was sent to.
    pub receivers: usize,
}

/// Tells clients what somebody said.
#[derive(Debug, Serialize, JsonSchema, Event)]
#[event("message")]
pub struct Message {
    /// What was said.
    pub text: String,
}

/// The body of `prompt`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Prompt {
    /// What to answer.
    pub text: String,
}

/// One piece of the answer to `prompt`.
#[derive(Debug, Serialize, JsonSchema)]
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
