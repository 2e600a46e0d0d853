//! TypeScript: types of the events, and a small client.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::description::{Description, Event, Gateway, Kind};
use crate::names::{Namespace, namespaces};
use crate::types::{declare, key, type_of};
use crate::{Schemas, Shape, asyncapi};

/// The client, which is the same for all applications.
const CLIENT: &str = include_str!("../templates/client.ts");

/// A TypeScript file with the types of all events, for `socket.io-client`, and a
/// typed client of the native wire. `title` stands in its first line.
pub fn typescript(description: &Description, title: &str) -> String {
    let mut schemas = Schemas::default();
    let namespaces = namespaces(&description.gateways);
    let blocks: Vec<String> = namespaces
        .iter()
        .map(|namespace| block(namespace, &mut schemas))
        .collect();
    schemas.insert("Exception", asyncapi::exception_schema());

    let mut text = format!(
        "// The contract of {title}, written by `nest-gateway contract --ts`. Do not edit.\n"
    );
    for (name, schema) in schemas.into_map() {
        text.push('\n');
        declare(&mut text, &name, &schema);
    }
    text.push_str(&blocks.concat());
    if let [only] = namespaces.as_slice() {
        let name = &only.pascal;
        let _ = write!(
            text,
            "\nexport type ServerToClientEvents = {name}ServerToClientEvents;\n\
             export type ClientToServerEvents = {name}ClientToServerEvents;\n"
        );
    }
    text.push_str(CLIENT);
    for namespace in &namespaces {
        text.push_str(&connect(namespace));
    }
    text
}

/// The types of one namespace.
fn block(namespace: &Namespace<'_>, schemas: &mut Schemas) -> String {
    let pushes = pushes(namespace, schemas);
    let handled: Vec<_> = events(namespace)
        .map(|event| {
            let body = event.body.as_ref().and_then(|body| schemas.shape(body));
            let reply = event.reply.as_ref().and_then(|reply| schemas.shape(reply));
            (event.name.as_str(), body, reply)
        })
        .collect();
    let (path, name) = (namespace.path, &namespace.pascal);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n/** What `{path}` emits, for socket.io-client. */");
    let _ = writeln!(text, "export interface {name}ServerToClientEvents {{");
    for (event, types) in &pushes {
        let data = if types == "undefined" {
            String::new()
        } else {
            format!("data: {types}")
        };
        let _ = writeln!(text, "  {}: ({data}) => void;", key(event));
    }
    let _ = writeln!(
        text,
        "}}\n\n/** What `{path}` handles, for socket.io-client. */"
    );
    let _ = writeln!(text, "export interface {name}ClientToServerEvents {{");
    for (event, body, reply) in &handled {
        let _ = writeln!(
            text,
            "  {}: ({}) => void;",
            key(event),
            arguments(body.as_ref(), reply.as_ref())
        );
    }
    let _ = writeln!(
        text,
        "}}\n\n/** What `{path}` emits, for `GatewayClient`. */"
    );
    let _ = writeln!(text, "export type {name}Pushes = {{");
    for (event, types) in &pushes {
        let _ = writeln!(text, "  {}: {types};", key(event));
    }
    let _ = writeln!(
        text,
        "}};\n\n/** What `{path}` handles, for `GatewayClient`. */"
    );
    let _ = writeln!(text, "export type {name}Requests = {{");
    for (event, body, reply) in &handled {
        let stream = reply.as_ref().is_some_and(|reply| reply.stream);
        let _ = writeln!(
            text,
            "  {}: {{ data: {}; reply: {}; stream: {stream} }};",
            key(event),
            data(body.as_ref()),
            data(reply.as_ref()),
        );
    }
    text.push_str("};\n");
    text
}

/// How to connect a client to one namespace.
fn connect(namespace: &Namespace<'_>) -> String {
    let (path, name) = (namespace.path, &namespace.pascal);
    format!(
        "\n/** Connects to `{path}`: `connect{name}(\"ws://localhost:3000{path}\")`. */\n\
         export const connect{name} = (url: string): Promise<GatewayClient<{name}Requests, {name}Pushes>> =>\n  \
         GatewayClient.connect<{name}Requests, {name}Pushes>(url);\n"
    )
}

fn events<'a>(namespace: &Namespace<'a>) -> impl Iterator<Item = &'a Event> + use<'a> {
    let gateways: Vec<&'a Gateway> = namespace.gateways.clone();
    let all = gateways.into_iter().flat_map(|gateway| &gateway.events);
    all.filter(|event| event.kind == Kind::Event)
}

/// Everything that arrives unasked: emitted events, exceptions, and the items
/// of streams, which on Socket.IO are events.
fn pushes<'a>(namespace: &Namespace<'a>, schemas: &mut Schemas) -> BTreeMap<&'a str, String> {
    let mut pushes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    pushes.insert("exception", vec!["Exception".to_owned()]);
    for gateway in &namespace.gateways {
        for emit in &gateway.emits {
            let body = emit.body.as_ref().and_then(|body| schemas.shape(body));
            pushes
                .entry(&emit.event)
                .or_default()
                .push(data(body.as_ref()));
        }
    }
    for event in events(namespace) {
        let reply = event.reply.as_ref().and_then(|reply| schemas.shape(reply));
        if let Some(item) = reply.filter(|reply| reply.stream && !reply.rerouted) {
            pushes
                .entry(&event.name)
                .or_default()
                .push(data(Some(&item)));
        }
    }
    pushes
        .into_iter()
        .map(|(event, mut types)| {
            types.dedup();
            (event, types.join(" | "))
        })
        .collect()
}

/// The arguments of an event for socket.io-client, with the acknowledgement.
fn arguments(body: Option<&Shape>, reply: Option<&Shape>) -> String {
    let mut arguments = Vec::new();
    match body {
        Some(body) if body.optional => arguments.push(format!("data: {} | null", data_type(body))),
        Some(body) => arguments.push(format!("data: {}", data_type(body))),
        None => {}
    }
    arguments.push(match reply {
        Some(reply) if !reply.stream && !reply.rerouted => {
            let missing = if reply.optional { " | undefined" } else { "" };
            format!(
                "ack: (reply: {}{missing} | Exception) => void",
                data_type(reply)
            )
        }
        // Such a handler acknowledges that it is done, with an error if it failed.
        _ => "ack?: (error?: Exception) => void".to_owned(),
    });
    arguments.join(", ")
}

fn data_type(shape: &Shape) -> String {
    type_of(&shape.schema, 0)
}

fn data(shape: Option<&Shape>) -> String {
    match shape {
        None => "undefined".to_owned(),
        Some(shape) if shape.optional => format!("{} | undefined", data_type(shape)),
        Some(shape) => data_type(shape),
    }
}
