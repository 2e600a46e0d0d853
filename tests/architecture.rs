//! The edges between the crates are those of ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom, outside of tests.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("nest-gateway-core", &[]),
    ("nest-gateway-wire", &[]),
    ("nest-gateway-macros", &[]),
    ("nest-gateway-contract", &[]),
    (
        "nest-gateway-adapter-native",
        &["nest-gateway-core", "nest-gateway-wire"],
    ),
    (
        "nest-gateway-adapter-socketio",
        &["nest-gateway-core", "nest-gateway-wire"],
    ),
    (
        "nest-gateway",
        &[
            "nest-gateway-adapter-native",
            "nest-gateway-adapter-socketio",
            "nest-gateway-contract",
            "nest-gateway-core",
            "nest-gateway-macros",
            "nest-gateway-wire",
        ],
    ),
    (
        "nest-gateway-testkit",
        &[
            "nest-gateway",
            "nest-gateway-core",
            "nest-gateway-testkit-macros",
        ],
    ),
    ("nest-gateway-testkit-macros", &[]),
    ("nest-gateway-cli", &["nest-gateway-contract"]),
    ("xtask", &[]),
    ("nest-gateway-workspace", &[]),
];

#[test]
fn crates_depend_only_on_what_the_architecture_allows() {
    let packages = packages();
    for (name, allowed) in ALLOWED {
        let Some(package) = packages.iter().find(|p| p["name"] == name) else {
            continue;
        };
        let actual = own_dependencies(package);
        let allowed: BTreeSet<_> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let surplus: Vec<_> = actual.difference(&allowed).collect();
        assert!(surplus.is_empty(), "{name} must not depend on {surplus:?}");
    }
}

#[test]
fn every_crate_that_users_get_is_in_the_table() {
    for package in packages() {
        let name = package["name"].as_str().expect("a package has a name");
        let published = package["publish"].is_null();
        let known = ALLOWED.iter().any(|(known, _)| *known == name);
        assert!(
            known || !published,
            "{name} is not in the table of allowed edges"
        );
    }
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    metadata["packages"]
        .as_array()
        .expect("a list of packages")
        .clone()
}

fn own_dependencies(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().expect("a list");
    let own = dependencies
        .iter()
        .filter(|dependency| dependency["kind"].is_null() && dependency["path"].is_string());
    own.map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
        .collect()
}
