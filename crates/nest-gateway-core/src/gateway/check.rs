//! What is wrong with a set of gateways, found before anything is built.

use std::collections::HashMap;
use std::fmt;

use super::descriptor::{ANY_EVENT, CANCEL_EVENT, GatewayDescriptor, MessageKind, RESERVED_EVENTS};

/// A mistake in how gateways are declared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatewayProblem {
    /// Two handlers of one namespace subscribe to the same event.
    DuplicateEvent {
        /// The event; empty for binary messages, `*` for handlers of all others.
        event: String,
        /// The namespace.
        namespace: String,
        /// `ChatGateway::send`.
        first: String,
        /// `OtherGateway::send_message`.
        second: String,
    },
    /// A handler subscribes to a name of the protocol.
    ReservedEvent {
        /// The event.
        event: String,
        /// The handler.
        handler: String,
    },
    /// The namespace is not a path.
    BadNamespace {
        /// The gateway.
        gateway: String,
        /// What it says.
        namespace: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The gateway names an adapter that the application does not use.
    UnknownAdapter {
        /// The gateway.
        gateway: String,
        /// The adapter.
        adapter: &'static str,
        /// Those that there are.
        available: Vec<&'static str>,
    },
    /// Two gateways of one namespace want different adapters.
    AdapterConflict {
        /// The namespace.
        namespace: String,
        /// The first gateway.
        first: String,
        /// The second gateway.
        second: String,
    },
}

impl fmt::Display for GatewayProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateEvent {
                event,
                namespace,
                first,
                second,
            } if event.is_empty() => write!(
                f,
                "both {first} and {second} handle binary messages of namespace {namespace}; \
                 keep one of them"
            ),
            Self::DuplicateEvent {
                event,
                namespace,
                first,
                second,
            } if event == ANY_EVENT => write!(
                f,
                "both {first} and {second} handle all other events of namespace {namespace}; \
                 keep one of them"
            ),
            Self::DuplicateEvent {
                event,
                namespace,
                first,
                second,
            } => write!(
                f,
                "event \"{event}\" of namespace {namespace} is handled by both {first} and \
                 {second}; rename one of the events or move a gateway to another namespace"
            ),
            Self::ReservedEvent { event, handler } => write!(
                f,
                "{handler} subscribes to \"{event}\", a name of the protocol; choose another \
                 name (for connections, implement OnGatewayConnection or OnGatewayDisconnect)"
            ),
            Self::BadNamespace {
                gateway,
                namespace,
                reason,
            } => write!(
                f,
                "{gateway} has the namespace \"{namespace}\", which {reason}; write a path such \
                 as \"/chat\" or a pattern such as \"/room/{{id}}\""
            ),
            Self::UnknownAdapter {
                gateway,
                adapter,
                available,
            } => write!(
                f,
                "{gateway} asks for the adapter {adapter}, but the application has {}; add \
                 .adapter(..) to the App or enable the cargo feature {adapter}",
                if available.is_empty() {
                    "none".to_owned()
                } else {
                    available.join(", ")
                }
            ),
            Self::AdapterConflict {
                namespace,
                first,
                second,
            } => write!(
                f,
                "{first} and {second} share namespace {namespace} but ask for different \
                 adapters; give both the same list"
            ),
        }
    }
}

/// Checks all gateways of an application; `default_port` is where those
/// without a port of their own listen.
pub(crate) fn check_gateways(
    gateways: &[&GatewayDescriptor],
    adapters: &[&'static str],
) -> Vec<GatewayProblem> {
    let mut problems = Vec::new();
    for gateway in gateways {
        check_namespace(gateway, &mut problems);
        check_adapters(gateway, adapters, &mut problems);
    }
    check_events(gateways, &mut problems);
    check_sharing(gateways, &mut problems);
    problems
}

fn check_namespace(gateway: &GatewayDescriptor, problems: &mut Vec<GatewayProblem>) {
    let namespace = gateway.namespace();
    let reason = if !namespace.starts_with('/') {
        Some("does not begin with a slash".to_owned())
    } else if namespace.len() > 1 && namespace.ends_with('/') {
        Some("ends with a slash".to_owned())
    } else if namespace.contains([',', '?', '#', ' ']) {
        Some("contains a comma, a question mark, a hash or a space".to_owned())
    } else {
        matchit::Router::new()
            .insert(namespace, ())
            .err()
            .map(|error| format!("is not a valid pattern ({error})"))
    };
    if let Some(reason) = reason {
        problems.push(GatewayProblem::BadNamespace {
            gateway: gateway.name().to_owned(),
            namespace: namespace.to_owned(),
            reason,
        });
    }
}

fn check_adapters(
    gateway: &GatewayDescriptor,
    available: &[&'static str],
    problems: &mut Vec<GatewayProblem>,
) {
    for adapter in gateway.adapters() {
        if !available.contains(adapter) {
            problems.push(GatewayProblem::UnknownAdapter {
                gateway: gateway.name().to_owned(),
                adapter,
                available: available.to_vec(),
            });
        }
    }
}

fn check_events(gateways: &[&GatewayDescriptor], problems: &mut Vec<GatewayProblem>) {
    let mut seen: HashMap<_, String> = HashMap::new();
    for gateway in gateways {
        for message in gateway.messages() {
            let handler = format!("{}::{}", gateway.name(), message.method());
            let event = message.event();
            if message.kind() == MessageKind::Event
                && (RESERVED_EVENTS.contains(&event) || [CANCEL_EVENT, ANY_EVENT].contains(&event))
            {
                problems.push(GatewayProblem::ReservedEvent {
                    event: event.to_owned(),
                    handler: handler.clone(),
                });
            }
            let place = (gateway.port(), gateway.namespace(), event);
            if let Some(first) = seen.get(&place) {
                problems.push(GatewayProblem::DuplicateEvent {
                    event: event.to_owned(),
                    namespace: gateway.namespace().to_owned(),
                    first: first.clone(),
                    second: handler,
                });
            } else {
                seen.insert(place, handler);
            }
        }
    }
}

fn check_sharing(gateways: &[&GatewayDescriptor], problems: &mut Vec<GatewayProblem>) {
    let mut first: HashMap<_, &GatewayDescriptor> = HashMap::new();
    for gateway in gateways {
        let place = (gateway.port(), gateway.namespace());
        let other = first.entry(place).or_insert(gateway);
        if other.adapters() != gateway.adapters() {
            problems.push(GatewayProblem::AdapterConflict {
                namespace: gateway.namespace().to_owned(),
                first: other.name().to_owned(),
                second: gateway.name().to_owned(),
            });
        }
    }
}
