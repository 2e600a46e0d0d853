//! `nest-gateway list` and `nest-gateway contract`.

use std::fmt::Write as _;

use nest_gateway_contract::{Description, Event, Gateway, Kind, TypeOf, Written};
use nest_gateway_contract::{asyncapi, typescript};

use crate::cli::{Contract, List};
use crate::describe::describe;
use crate::failure::{Context as _, Outcome};
use crate::output;

/// Prints the gateways of an application.
pub(crate) fn list(options: &List) -> Outcome<()> {
    let described = describe(&options.application)?;
    if options.json {
        return output::line(&described.json);
    }
    output::print(&table(&described.description))
}

/// Writes the contract of an application.
pub(crate) fn contract(options: &Contract) -> Outcome<()> {
    let described = describe(&options.application)?;
    let text = if options.form.asyncapi {
        let document = asyncapi(&described.description, &described.name, &described.version);
        let text = serde_json::to_string_pretty(&document).context("the document")?;
        text + "\n"
    } else {
        typescript(&described.description, &described.name)
    };
    match &options.output {
        Some(path) => {
            std::fs::write(path, text).context(format_args!("cannot write {}", path.display()))
        }
        None => output::print(&text),
    }
}

/// A table for each gateway.
fn table(description: &Description) -> String {
    let mut text = String::new();
    let guards = named(&description.enhancers.guards, "guards");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "adapters: {}{guards}",
        description.adapters.join(", ")
    );
    if description.gateways.is_empty() {
        text.push_str("\nThere is no gateway; `nest-gateway generate gateway <name>` makes one.\n");
    }
    for gateway in &description.gateways {
        let _ = writeln!(text, "\n{}", head(gateway));
        let mut rows: Vec<[String; 4]> = gateway.events.iter().map(row).collect();
        rows.extend(gateway.emits.iter().map(|emit| {
            let event = format!("emits {}", emit.event);
            [
                event,
                listed(emit.body.as_ref()),
                String::new(),
                String::new(),
            ]
        }));
        text.push_str(&aligned(&rows));
    }
    text
}

fn head(gateway: &Gateway) -> String {
    let port = gateway
        .port
        .map(|port| format!("  port {port}"))
        .unwrap_or_default();
    let adapters = match gateway.adapters.as_slice() {
        [] => String::new(),
        adapters => format!("  only {}", adapters.join(", ")),
    };
    let guards = named(&gateway.enhancers.guards, "guards");
    format!(
        "{}  {}{port}{adapters}{guards}",
        gateway.namespace, gateway.name
    )
}

fn row(event: &Event) -> [String; 4] {
    let name = match event.kind {
        Kind::Event => event.name.clone(),
        Kind::Binary => format!("<binary> {}", event.method),
        Kind::Any => format!("<any other> {}", event.method),
    };
    let reply = match listed(event.reply.as_ref()) {
        reply if reply.is_empty() => reply,
        reply => format!("-> {reply}"),
    };
    let mut notes = named(&event.enhancers.guards, "guards")
        .trim_start()
        .to_owned();
    if event.concurrent {
        notes = format!("concurrent  {notes}");
    }
    [name, listed(event.body.as_ref()), reply, notes]
}

/// A type as it is listed; nothing for `()`.
fn listed(of: Option<&TypeOf>) -> String {
    let Some(of) = of else {
        return String::new();
    };
    let written = Written::parse(&of.name);
    if written.is_nothing() {
        String::new()
    } else {
        written.text()
    }
}

fn named(names: &[String], what: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("  {what}: {}", names.join(", "))
    }
}

/// Rows with columns below each other.
fn aligned(rows: &[[String; 4]]) -> String {
    let mut widths = [0; 4];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let _ = write!(line, "  {cell:<width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn gateways_are_listed_with_events_bodies_replies_and_guards() {
        let description = serde_json::from_value(serde_json::json!({
            "nest_gateway_description": 1,
            "adapters": ["native", "socketio"],
            "guards": ["JwtGuard"],
            "gateways": [{
                "name": "ChatGateway", "namespace": "/chat", "port": 3001, "adapters": ["native"],
                "guards": ["RoomGuard"],
                "events": [
                    {"event": "send_message", "method": "send_message", "guards": ["RolesGuard"], "concurrent": true,
                     "body": {"type": "SendMessage"}, "reply": {"type": "Result<MessageSent, E>"}},
                    {"event": "prompt", "method": "prompt", "reply": {"type": "impl Stream<Item = Token>"}},
                    {"event": "leave", "method": "leave", "reply": {"type": "()"}},
                    {"event": "", "method": "upload", "kind": "binary"},
                ],
                "emits": [{"event": "message", "body": {"type": "Message"}}],
            }],
        }));
        assert_eq!(
            table(&description.expect("a description")),
            "adapters: native, socketio  guards: JwtGuard\n\
             \n\
             /chat  ChatGateway  port 3001  only native  guards: RoomGuard\n  \
             send_message     SendMessage  -> MessageSent      concurrent  guards: RolesGuard\n  \
             prompt                        -> stream of Token\n  \
             leave\n  \
             <binary> upload\n  \
             emits message    Message\n"
        );
    }
}
