//! The line that an application writes about itself. Keys that are missing have
//! their defaults, keys that are unknown are passed over.

use serde::Deserialize;
use serde_json::Value;

/// A whole application.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    /// The number of this format.
    #[serde(rename = "nest_gateway_description")]
    pub(crate) format: u32,
    /// The adapters that are mounted.
    #[serde(default)]
    pub(crate) adapters: Vec<String>,
    #[serde(flatten)]
    pub(crate) enhancers: Enhancers,
    #[serde(default)]
    pub(crate) gateways: Vec<Gateway>,
}

/// Guards and so on that are listed in one place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Enhancers {
    pub(crate) guards: Vec<String>,
    pub(crate) interceptors: Vec<String>,
    pub(crate) pipes: Vec<String>,
    pub(crate) filters: Vec<String>,
}

/// A gateway.
#[derive(Debug, Deserialize)]
pub(crate) struct Gateway {
    pub(crate) name: String,
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) port: Option<u16>,
    /// Empty for all.
    #[serde(default)]
    pub(crate) adapters: Vec<String>,
    #[serde(flatten)]
    pub(crate) enhancers: Enhancers,
    #[serde(default)]
    pub(crate) events: Vec<Event>,
    #[serde(default)]
    pub(crate) emits: Vec<Emit>,
}

/// What a gateway handles.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    /// Empty for binary messages.
    #[serde(rename = "event")]
    pub(crate) name: String,
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) concurrent: bool,
    #[serde(flatten)]
    pub(crate) enhancers: Enhancers,
    #[serde(default)]
    pub(crate) body: Option<TypeOf>,
    #[serde(default)]
    pub(crate) reply: Option<TypeOf>,
}

/// Events, or messages without an envelope.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Event,
    Binary,
}

/// What a gateway emits.
#[derive(Debug, Deserialize)]
pub(crate) struct Emit {
    pub(crate) event: String,
    #[serde(default)]
    pub(crate) body: Option<TypeOf>,
}

/// A type as it is written in the application, with its schema if that is
/// known.
#[derive(Debug, Deserialize)]
pub(crate) struct TypeOf {
    #[serde(rename = "type")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) schema: Option<Value>,
    #[serde(default)]
    pub(crate) stream: bool,
}
