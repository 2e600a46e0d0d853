//! Tables of the book that repeat the code say what the code says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use nest_gateway::core::gateway::RESERVED_EVENTS;
use nest_gateway::{AcceptConfig, CloseReason, Config};

use crate::pages::source;

fn page(name: &str) -> String {
    fs::read_to_string(source().join(name)).expect("the page is there")
}

/// The rows of the tables under a heading: the text of their cells.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split_once(heading).expect("the heading is there").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let cells = |row: &str| {
        let cells = row.trim_matches('|').split('|');
        cells
            .map(|cell| cell.trim().replace('`', ""))
            .collect::<Vec<_>>()
    };
    rows.map(cells).collect()
}

/// Options and defaults of a table, as `Debug` writes them.
fn documented(heading: &str) -> BTreeMap<String, String> {
    let rows = rows(&page("configuration.md"), heading);
    let options = rows.into_iter().skip(1);
    let default = |text: &str| match text.replace([',', ' '], "").as_str() {
        "none" => "None".to_owned(),
        other => other.to_owned(),
    };
    options
        .map(|row| (row[0].clone(), default(&row[1])))
        .collect()
}

/// The fields of a struct, from its `Debug` form.
fn actual(value: &impl std::fmt::Debug) -> BTreeMap<String, String> {
    let text = format!("{value:#?}");
    let fields = text.lines().filter_map(|line| {
        let field = line
            .strip_prefix("    ")
            .filter(|line| !line.starts_with(' '))?;
        let (name, value) = field.trim_end_matches(',').split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    });
    fields.collect()
}

#[test]
fn the_options_have_the_defaults_of_the_code() {
    let documented = documented("## Options of all adapters");
    assert_eq!(documented, actual(&Config::default()));
}

#[test]
fn the_accept_loop_has_the_defaults_of_the_code() {
    let mut documented = documented("## Options of the accept loop");
    documented.insert("drain_timeout".to_owned(), "10s".to_owned());
    let actual = actual(&AcceptConfig::default());
    if !actual.contains_key("tls") {
        // Its feature is off.
        documented.remove("tls");
    }
    assert_eq!(documented, actual);
}

#[test]
fn the_close_codes_are_those_of_the_code() {
    let rows = rows(&page("wire.md"), "## Close codes");
    for reason in [
        CloseReason::ShuttingDown,
        CloseReason::SlowConsumer,
        CloseReason::Malformed,
        CloseReason::Denied,
        CloseReason::UnknownEvent,
        CloseReason::Refused,
        CloseReason::Internal,
        CloseReason::RateLimited,
        CloseReason::Expired,
        CloseReason::Superseded,
    ] {
        let listed = rows
            .iter()
            .any(|row| row[0] == reason.code().to_string() && row[1] == reason.text());
        assert!(listed, "{reason:?} is missing");
    }
}

#[test]
fn the_reserved_names_are_those_of_the_code() {
    let reserved: Vec<_> = RESERVED_EVENTS.map(|name| format!("`{name}`")).into();
    let sentence = format!(
        "Reserved names cannot be subscribed to: {}.",
        reserved.join(", ")
    );
    assert!(page("wire.md").contains(&sentence), "{sentence}");
}

#[test]
fn every_cargo_feature_is_in_the_book_and_in_the_readme() {
    let manifest = include_str!("../../crates/nest-gateway/Cargo.toml");
    let features = manifest
        .split_once("[features]")
        .expect("it has features")
        .1;
    let features = features.split("\n[").next().unwrap_or_default();
    let pages = [
        page("configuration.md"),
        include_str!("../../README.md").to_owned(),
    ];
    for line in features.lines() {
        if let Some((name, _)) = line.split_once(" = [")
            && name != "default"
        {
            let row = format!("| `{name}`");
            assert!(
                pages.iter().all(|page| page.contains(&row)),
                "{name} is missing"
            );
        }
    }
}

#[test]
fn every_metric_is_in_the_book() {
    let code = include_str!("../../crates/nest-gateway-core/src/observe.rs");
    let page = page("observability.md");
    let names: BTreeSet<_> = code
        .split('"')
        .filter(|text| text.starts_with("nest_gateway_"))
        .collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(page.contains(name), "{name} is missing");
    }
}

#[test]
fn every_error_code_is_in_the_book() {
    let page = page("errors.md");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut codes = BTreeSet::new();
    for name in ["nest-gateway-core", "nest-gateway"] {
        codes_below(&crates.join(name).join("src"), &mut codes);
    }
    assert!(codes.len() > 5, "{codes:?}");
    for code in codes {
        assert!(page.contains(&format!("`{code}`")), "{code} is missing");
    }
}

/// The codes that exceptions get in the sources below a folder.
fn codes_below(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            codes_below(&path, codes);
        } else {
            let code = fs::read_to_string(&path).expect("sources are text");
            let code = code.split("mod tests {").next().unwrap_or_default();
            let found = code.split("with_code(\"").skip(1);
            codes.extend(
                found
                    .filter_map(|rest| rest.split('"').next())
                    .map(str::to_owned),
            );
        }
    }
}
