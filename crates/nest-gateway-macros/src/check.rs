//! Checks that need more than one attribute, or names that core knows.

use syn::{Expr, Lit, Type};

use crate::attrs::text;
use crate::errors::Errors;
use crate::model::{EventName, Gateway, Handler, Subject, Subscriptions};

mod reserved;

use self::reserved::is_reserved;

/// Checks a gateway's struct.
pub(crate) fn gateway(gateway: &Gateway, errors: &mut Errors) {
    if let Some(generic) = gateway.item.generics.params.first() {
        errors.push(
            generic,
            "a gateway cannot be generic: there is one of it, and its hooks are looked up on a \
             concrete type; inject what varies as `Arc<dyn Trait>`",
        );
    }
    if let Some(namespace) = gateway.namespace.as_ref().and_then(text) {
        let value = namespace.value();
        if !value.starts_with('/') {
            errors.push(
                namespace,
                format!("a namespace is a path: write `namespace = \"/{value}\"`"),
            );
        } else if value.len() > 1 && value.ends_with('/') {
            errors.push(
                namespace,
                format!(
                    "a namespace does not end with a slash: write `namespace = \"{}\"`",
                    value.trim_end_matches('/')
                ),
            );
        }
    }
    if let Some(Expr::Lit(port)) = &gateway.port {
        let number = match &port.lit {
            Lit::Int(number) => number.base10_parse::<u16>().ok(),
            _ => None,
        };
        if number.is_none_or(|number| number == 0) {
            errors.push(port, "a port is a number from 1 to 65535");
        }
    }
    for (at, event) in gateway.emits.iter().enumerate() {
        if gateway.emits[..at].contains(event) {
            errors.push(event, "the event is listed twice: keep one of them");
        }
    }
}

/// Checks an impl block with handlers.
pub(crate) fn subscriptions(subscriptions: &Subscriptions, errors: &mut Errors) {
    let item = &subscriptions.item;
    if let Some((path, _)) = &item.trait_ {
        errors.push(
            path,
            "handlers are the gateway's own methods: move them into `impl Gateway { .. }`, \
             without a trait",
        );
    }
    if let Some(generic) = item.generics.params.first() {
        errors.push(generic, "a gateway cannot be generic");
    }
    if !matches!(&*item.self_ty, Type::Path(_)) {
        errors.push(
            &item.self_ty,
            "the name of the gateway's struct is expected",
        );
    }
    events(&subscriptions.handlers, errors);
}

/// What a subscription is to, as far as it can be compared here.
#[derive(PartialEq)]
enum Subscribed {
    Event(String),
    Any,
    Binary,
}

fn events(handlers: &[Handler], errors: &mut Errors) {
    let mut seen: Vec<(Subscribed, &Handler)> = Vec::new();
    let subscriptions = handlers
        .iter()
        .flat_map(|handler| handler.subscriptions.iter().map(move |it| (handler, it)));
    for (handler, subscription) in subscriptions {
        let subscribed = match &subscription.subject {
            Subject::Event(EventName::Text(text)) => {
                refuse_name(text, errors);
                Subscribed::Event(text.value())
            }
            // Constants are compared at start-up.
            Subject::Event(EventName::Constant(_)) => continue,
            Subject::Any => Subscribed::Any,
            Subject::Binary => Subscribed::Binary,
        };
        // Of two methods under `cfg`, only one may be there.
        let clash = seen.iter().find(|(other_subscribed, other)| {
            *other_subscribed == subscribed && other.cfgs.is_empty() && handler.cfgs.is_empty()
        });
        if let Some((_, other)) = clash {
            let other = &other.name;
            match (&subscription.subject, &subscribed) {
                (Subject::Event(EventName::Text(text)), Subscribed::Event(event)) => errors.push(
                    text,
                    format!("`{other}` handles \"{event}\" already: an event has one handler"),
                ),
                (Subject::Any, _) => errors.push(
                    &subscription.attribute,
                    format!("`{other}` handles all other events already: keep one of them"),
                ),
                _ => errors.push(
                    &subscription.attribute,
                    format!("`{other}` handles binary messages already: keep one of them"),
                ),
            }
        } else {
            seen.push((subscribed, handler));
        }
    }
}

/// Names of the protocol, which core refuses at start-up, too.
fn refuse_name(event: &syn::LitStr, errors: &mut Errors) {
    let name = event.value();
    let advice = match name.as_str() {
        "" => "an event has a name".to_owned(),
        "*" => "for all events that nobody else subscribes to, write `#[subscribe_any]`".to_owned(),
        "connect" => format!(
            "\"{name}\" is a name of the protocol: implement `OnGatewayConnection` to greet clients"
        ),
        "disconnect" | "disconnecting" => format!(
            "\"{name}\" is a name of the protocol: implement `OnGatewayDisconnect` to hear of \
             clients that go"
        ),
        name if is_reserved(name) => {
            format!("\"{name}\" is a name of the protocol: choose another one")
        }
        _ => return,
    };
    errors.add(syn::Error::new(event.span(), advice));
}
