//! The script as data.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Script {
    pub(crate) scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// The time between pings in milliseconds, where pings are looked at.
    pub(crate) ping: Option<u64>,
    /// Why a peer sees something else, by the peer's name.
    #[serde(default)]
    pub(crate) because: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

/// One action, and what is seen then.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// A WebSocket to open: its name, then its query.
    pub(crate) open: Option<(String, String)>,
    /// A request: method, query, body.
    pub(crate) request: Option<(String, String, String)>,
    /// Text to send: the WebSocket, the text.
    pub(crate) text: Option<(String, String)>,
    /// Bytes to send, in base64.
    pub(crate) bytes: Option<(String, String)>,
    /// The WebSocket to read from.
    pub(crate) read: Option<String>,
    /// What is seen, by us and by peers without an entry of their own.
    #[serde(default)]
    pub(crate) sees: Vec<String>,
    #[serde(default)]
    pub(crate) socketioxide: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) node: Option<Vec<String>>,
}

impl Script {
    pub(crate) fn read() -> Self {
        let text = include_str!("../../../../tests/differential/script.json");
        serde_json::from_str(text).expect("the script is as it is described here")
    }
}

impl Step {
    /// What this peer has to see.
    pub(crate) fn expected(&self, peer: &str) -> &[String] {
        let own = match peer {
            "socketioxide" => &self.socketioxide,
            "node" => &self.node,
            _ => &None,
        };
        own.as_ref().unwrap_or(&self.sees)
    }
}

impl Scenario {
    /// Whether its differences are real ones, each with a reason.
    pub(crate) fn check(&self) {
        for peer in ["socketioxide", "node"] {
            let differs = |step: &Step| step.expected(peer) != step.sees;
            let has_entry = |step: &Step| match peer {
                "node" => step.node.is_some(),
                _ => step.socketioxide.is_some(),
            };
            for step in self.steps.iter().filter(|step| has_entry(step)) {
                assert!(differs(step), "{}: {peer} sees the same", self.name);
            }
            assert_eq!(
                self.steps.iter().any(differs),
                self.because.contains_key(peer),
                "{}: the differences of {peer} and the reason go together",
                self.name
            );
        }
    }
}
