//! The agent. Its model is a script, so that the example needs no key; its
//! tools, its approval and its cancellation are real.

use std::collections::VecDeque;
use std::time::Duration;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt as _};
use nest_gateway::{AckError, Client, State, WsException, WsResponse, injectable};
use serde::{Deserialize, Serialize};

/// Tasks that a session remembers.
const MEMORY: usize = 20;

/// What a client asked in this session.
#[derive(Default)]
pub struct History(VecDeque<String>);

impl History {
    pub fn add(&mut self, task: &str) {
        if self.0.len() == MEMORY {
            self.0.pop_front();
        }
        self.0.push_back(task.to_owned());
    }

    pub fn tasks(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

/// One step of the agent, as the client sees it.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Step {
    Thought { text: String },
    ToolCall { tool: &'static str, input: String },
    ToolResult { tool: &'static str, output: u32 },
    Answer { text: String },
}

impl Step {
    fn under(self, event: &'static str) -> WsResponse<Self> {
        WsResponse::new(event, self)
    }
}

/// The question to the client.
#[derive(Serialize)]
struct Approve {
    what: String,
    euros: u32,
}

#[derive(Deserialize)]
struct Approval {
    approved: bool,
}

#[injectable]
pub struct Agent {
    /// How long a person may take to approve.
    #[inject(value = Duration::from_mins(1))]
    patience: Duration,
}

impl Agent {
    // ANCHOR: work
    /// The steps of one task. Nothing here knows that it may be cancelled:
    /// dropping the stream drops what it awaits.
    pub fn work(
        &self,
        task: String,
        client: Client,
        history: State<History>,
    ) -> impl Stream<Item = Result<WsResponse<Step>, WsException>> {
        try_stream! {
            let count = history.with(|history| history.tasks().len());
            let mut thoughts = std::pin::pin!(think(&task, count));
            while let Some(text) = thoughts.next().await {
                yield Step::Thought { text }.under("thought");
            }

            yield Step::ToolCall { tool: "price", input: task.clone() }.under("tool_call");
            let euros = price(&task).await?;
            yield Step::ToolResult { tool: "price", output: euros }.under("tool_result");

            let question = Approve { what: task.clone(), euros };
            let text = match client.emit_with_ack_in(self.patience, "approve", &question).await {
                Ok(Approval { approved: true }) => format!("Booked “{task}” for {euros} €."),
                Ok(Approval { approved: false }) => "Nothing booked, as you wish.".to_owned(),
                Err(AckError::Timeout) => "Nothing booked: you did not answer.".to_owned(),
                Err(error) => Err(WsException::internal(error))?,
            };
            yield Step::Answer { text }.under("answer");
        }
    }
    // ANCHOR_END: work
}

/// The model: words, at a model's pace.
fn think(task: &str, count: usize) -> impl Stream<Item = String> + use<> {
    let text = format!(
        "This is task {count} of this session: “{task}”. First I look up what it costs, then I \
         ask whether I may book it."
    );
    let words: Vec<_> = text.split_inclusive(' ').map(str::to_owned).collect();
    futures_util::stream::iter(words).then(async |word| {
        tokio::time::sleep(Duration::from_millis(30)).await;
        word
    })
}

/// A tool on the server. An error reaches the client as an exception that ends
/// the stream.
async fn price(task: &str) -> Result<u32, WsException> {
    tokio::time::sleep(Duration::from_millis(300)).await;
    match u32::try_from(task.len()) {
        Ok(length) if length > 0 => Ok(90 + 7 * length),
        _ => Err(WsException::new("Which trip?").with_code("tool_failed")),
    }
}
