//! An application described as data, for tools: lists, documents, typed
//! clients.

use serde::Serialize;
use serde_json::Value;

use crate::dispatch::Enhancers;
use crate::gateway::{GatewayDescriptor, MessageDescriptor, MessageKind};

/// Everything that is known of an application without starting it.
#[derive(Debug, Serialize)]
pub struct Description {
    /// The version of this format.
    #[serde(rename = "nest_gateway_description")]
    format: u32,
    version: &'static str,
    adapters: Vec<&'static str>,
    #[serde(flatten)]
    enhancers: EnhancerNames,
    gateways: Vec<GatewayDescription>,
}

#[derive(Debug, Serialize)]
struct GatewayDescription {
    name: String,
    namespace: String,
    port: Option<u16>,
    adapters: Vec<&'static str>,
    #[serde(flatten)]
    enhancers: EnhancerNames,
    events: Vec<EventDescription>,
    emits: Vec<EmitDescription>,
}

#[derive(Debug, Serialize)]
struct EventDescription {
    event: String,
    method: &'static str,
    kind: &'static str,
    concurrent: bool,
    #[serde(flatten)]
    enhancers: EnhancerNames,
    body: Option<TypeDescription>,
    reply: Option<TypeDescription>,
}

#[derive(Debug, Serialize)]
struct EmitDescription {
    event: &'static str,
    body: TypeDescription,
}

/// A type as it is written in the program, with its JSON schema where it has
/// one.
#[derive(Debug, Serialize)]
struct TypeDescription {
    #[serde(rename = "type")]
    written: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Value>,
}

/// The short names of what is listed in one place.
#[derive(Debug, Serialize)]
struct EnhancerNames {
    guards: Vec<String>,
    interceptors: Vec<String>,
    pipes: Vec<String>,
    filters: Vec<String>,
}

impl Description {
    pub(crate) fn new<'a>(
        adapters: Vec<&'static str>,
        enhancers: &Enhancers,
        gateways: impl Iterator<Item = &'a GatewayDescriptor>,
    ) -> Self {
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION"),
            adapters,
            enhancers: names(enhancers),
            gateways: gateways.map(gateway).collect(),
        }
    }
}

fn gateway(gateway: &GatewayDescriptor) -> GatewayDescription {
    GatewayDescription {
        name: gateway.name().to_owned(),
        namespace: gateway.namespace().to_owned(),
        port: gateway.port(),
        adapters: gateway.adapters().to_vec(),
        enhancers: names(gateway.enhancers()),
        events: gateway.messages().iter().map(event).collect(),
        emits: gateway
            .emits()
            .iter()
            .map(|emit| EmitDescription {
                event: emit.event,
                body: described(emit.body, emit.schema),
            })
            .collect(),
    }
}

fn event(message: &MessageDescriptor) -> EventDescription {
    EventDescription {
        event: message.event().to_owned(),
        method: message.method(),
        kind: match message.kind() {
            MessageKind::Event => "event",
            MessageKind::Binary => "binary",
            MessageKind::Any => "any",
        },
        concurrent: message.is_concurrent(),
        enhancers: names(message.enhancers()),
        body: message.body().map(|t| described(t, message.body_schema())),
        reply: message
            .reply()
            .map(|t| described(t, message.reply_schema())),
    }
}

fn described(written: &'static str, schema: Option<fn() -> Value>) -> TypeDescription {
    TypeDescription {
        written,
        schema: schema.map(|schema| schema()),
    }
}

fn names(enhancers: &Enhancers) -> EnhancerNames {
    let [guards, interceptors, pipes, filters] = enhancers.names();
    EnhancerNames {
        guards,
        interceptors,
        pipes,
        filters,
    }
}
