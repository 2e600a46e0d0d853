//! The line that an application writes about itself. Keys that are missing have
//! their defaults, keys that are unknown are passed over.

use serde::Deserialize;
use serde_json::Value;

/// A whole application.
#[derive(Debug, Deserialize)]
pub struct Description {
    /// The number of this format.
    #[serde(rename = "nest_gateway_description")]
    pub format: u32,
    /// The adapters that are mounted.
    #[serde(default)]
    pub adapters: Vec<String>,
    /// Guards and so on in front of all gateways.
    #[serde(flatten)]
    pub enhancers: Enhancers,
    /// In the order in which they are registered.
    #[serde(default)]
    pub gateways: Vec<Gateway>,
}

/// Guards and so on that are listed in one place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Enhancers {
    /// Guards, by their short names, as all of these.
    pub guards: Vec<String>,
    /// Interceptors.
    pub interceptors: Vec<String>,
    /// Pipes.
    pub pipes: Vec<String>,
    /// Exception filters.
    pub filters: Vec<String>,
}

/// A gateway.
#[derive(Debug, Deserialize)]
pub struct Gateway {
    /// The name of its type.
    pub name: String,
    /// The path of its namespace, `/chat`.
    pub namespace: String,
    /// A port of its own; `None` for that of the application.
    #[serde(default)]
    pub port: Option<u16>,
    /// The adapters that serve it; empty for all.
    #[serde(default)]
    pub adapters: Vec<String>,
    /// Those of the gateway.
    #[serde(flatten)]
    pub enhancers: Enhancers,
    /// What it handles.
    #[serde(default)]
    pub events: Vec<Event>,
    /// What it says that it emits.
    #[serde(default)]
    pub emits: Vec<Emit>,
}

/// What a gateway handles.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The name of the event; empty for binary messages.
    #[serde(rename = "event")]
    pub name: String,
    /// The name of the method that handles it.
    pub method: String,
    /// Whether it is an event at all.
    #[serde(default)]
    pub kind: Kind,
    /// Whether it runs beside other messages of the same client.
    #[serde(default)]
    pub concurrent: bool,
    /// Those of the method.
    #[serde(flatten)]
    pub enhancers: Enhancers,
    /// What it takes; `None` for nothing.
    #[serde(default)]
    pub body: Option<TypeOf>,
    /// What it returns; `None` for nothing.
    #[serde(default)]
    pub reply: Option<TypeOf>,
}

/// Events, or messages without an envelope.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A message with a name.
    #[default]
    Event,
    /// Bytes without an envelope.
    Binary,
    /// All events that no other handler takes.
    Any,
}

/// What a gateway emits.
#[derive(Debug, Deserialize)]
pub struct Emit {
    /// The name of the event.
    pub event: String,
    /// Its data; `None` for nothing.
    #[serde(default)]
    pub body: Option<TypeOf>,
}

/// A type as it is written in the application, with its schema if that is
/// known.
#[derive(Debug, Deserialize)]
pub struct TypeOf {
    /// As it is written.
    #[serde(rename = "type")]
    pub name: String,
    /// A JSON schema (2020-12) with definitions of its own.
    #[serde(default)]
    pub schema: Option<Value>,
    /// Said to be a stream, whatever the written type is.
    #[serde(default)]
    pub stream: bool,
}
