//! The table from contract lines to properties is complete and true.

use nest_gateway_testkit::conformance::{CONTRACT, PROPERTIES, contract_table};

/// Each property's module as source, to find functions that nobody lists.
const SOURCES: [(&str, &str); 15] = [
    ("acks", include_str!("../src/conformance/acks.rs")),
    ("catch_all", include_str!("../src/conformance/catch_all.rs")),
    ("close", include_str!("../src/conformance/close.rs")),
    ("drain", include_str!("../src/conformance/drain.rs")),
    ("lifecycle", include_str!("../src/conformance/lifecycle.rs")),
    ("limits", include_str!("../src/conformance/limits.rs")),
    ("order", include_str!("../src/conformance/order.rs")),
    ("paths", include_str!("../src/conformance/paths.rs")),
    ("pipeline", include_str!("../src/conformance/pipeline.rs")),
    ("recovery", include_str!("../src/conformance/recovery.rs")),
    ("replies", include_str!("../src/conformance/replies.rs")),
    ("rooms", include_str!("../src/conformance/rooms.rs")),
    ("slow", include_str!("../src/conformance/slow.rs")),
    ("startup", include_str!("../src/conformance/startup.rs")),
    ("streams", include_str!("../src/conformance/streams.rs")),
];

/// Tests about ports and hosts, which are no properties of an adapter.
const HOSTING: &str = include_str!("hosting.rs");

fn is_hosting_test(name: &str) -> bool {
    name.strip_prefix("hosting::").is_some_and(|name| {
        let function = format!("async fn {name}()");
        HOSTING.contains(&function)
    })
}

fn properties() -> Vec<String> {
    PROPERTIES
        .iter()
        .map(|property| format!("{}::{}", property.module, property.name))
        .collect()
}

#[test]
fn every_property_in_the_table_exists() {
    let known = properties();
    for line in CONTRACT {
        assert!(!line.properties.is_empty(), "nothing proves: {}", line.text);
        for property in line.properties {
            assert!(
                known.iter().any(|name| name == property) || is_hosting_test(property),
                "there is no {property}"
            );
        }
    }
}

#[test]
fn every_property_proves_a_line_of_the_contract() {
    for property in properties() {
        let proves = CONTRACT
            .iter()
            .any(|line| line.properties.contains(&property.as_str()));
        assert!(proves, "{property} is in no line of the table");
    }
}

#[test]
fn every_function_of_the_suite_is_a_property() {
    let known = properties();
    for (module, source) in SOURCES {
        for line in source.lines() {
            let Some(rest) = line.strip_prefix("pub async fn ") else {
                continue;
            };
            let name = rest.split('(').next().unwrap_or_default();
            let name = format!("{module}::{name}");
            assert!(known.contains(&name), "{name} is not listed in PROPERTIES");
        }
    }
}

#[test]
fn every_section_with_behaviour_on_the_wire_is_in_the_table() {
    for section in [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12] {
        assert!(
            CONTRACT.iter().any(|line| line.section == section),
            "section {section} has no line"
        );
    }
}

#[test]
fn the_table_in_the_book_is_this_one() {
    let book = include_str!("../../../docs/src/contract.md");
    assert!(
        book.contains(&contract_table()),
        "docs/src/contract.md does not hold the table of this suite; it should be:\n{}",
        contract_table()
    );
}
