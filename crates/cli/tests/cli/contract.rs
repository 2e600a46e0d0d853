//! `list` and `contract`, of a program that describes itself with a committed
//! line.

use crate::snapshot::assert_snapshot;
use crate::workspace::Folder;

const DESCRIPTION: &str = include_str!("../fixtures/description.json");

/// A program that needs no crates and says this when it is asked.
fn described(test: &str, main: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write(
        "Cargo.toml",
        "[package]\nname = \"chat\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    folder.write("description.json", DESCRIPTION);
    folder.write("src/main.rs", main);
    folder
}

/// Prints other things too, as programs do.
const TALKATIVE: &str = r#"
fn main() {
    assert_eq!(std::env::var("NEST_GATEWAY_DESCRIBE").as_deref(), Ok("1"));
    println!("starting with {:?}", std::env::args().skip(1).collect::<Vec<_>>());
    print!("{}", include_str!("../description.json"));
    println!("bye");
}
"#;

#[test]
fn gateways_are_listed() {
    let folder = described("list", TALKATIVE);
    assert_snapshot("list.txt", &folder.run(["list", "--offline"]).succeeded());
    assert_eq!(
        folder
            .run(["list", "--json", "--offline", "--", "some", "arguments"])
            .succeeded(),
        DESCRIPTION
    );
    let said = folder.run([
        "list",
        "--offline",
        "--bin",
        "chat",
        "-p",
        "chat",
        "--manifest-path",
        "Cargo.toml",
    ]);
    assert!(said.succeeded().contains("/chat  ChatGateway"));
}

#[test]
fn the_contract_is_written_as_asyncapi_and_as_typescript() {
    let folder = described("contract", TALKATIVE);
    assert_snapshot(
        "asyncapi.json",
        &folder
            .run(["contract", "--asyncapi", "--offline"])
            .succeeded(),
    );
    let typescript = folder.run(["contract", "--ts", "--offline"]).succeeded();
    assert_snapshot("contract.ts", &typescript);
    assert_eq!(
        folder
            .run(["contract", "--ts", "--offline", "-o", "out.ts"])
            .succeeded(),
        ""
    );
    assert_eq!(folder.read("out.ts"), typescript);
}

#[test]
fn one_namespace_has_the_plain_names() {
    let folder = described("contract_one", TALKATIVE);
    folder.write(
        "description.json",
        r#"{"nest_gateway_description":1,"gateways":[{"name":"G","namespace":"/","events":[{"event":"e","method":"e"}]}]}
"#,
    );
    let typescript = folder.run(["contract", "--ts", "--offline"]).succeeded();
    assert!(
        typescript.contains("export type ClientToServerEvents = RootClientToServerEvents;\n"),
        "{typescript}"
    );
    assert!(typescript.contains("export type ServerToClientEvents = RootServerToClientEvents;\n"));
}

#[test]
fn a_program_that_says_nothing_or_something_else_is_an_error() {
    for (test, main, reason) in [
        (
            "describe_silent",
            "fn main() {}",
            "ended without describing itself",
        ),
        (
            "describe_fails",
            "fn main() { panic!(\"no database\") }",
            "ended without describing itself",
        ),
        (
            "describe_future",
            r#"fn main() { println!("{{\"nest_gateway_description\":2}}") }"#,
            "format 2",
        ),
        (
            "describe_broken",
            r#"fn main() { println!("{{\"nest_gateway_description\":1,") }"#,
            "the application's description",
        ),
        ("describe_no_build", "fn main() { wrong }", "does not build"),
    ] {
        let refusal = described(test, main).run(["list", "--offline"]).failed();
        assert!(refusal.contains(reason), "{test}: {refusal}");
    }
}

#[test]
fn a_program_that_is_built_already_is_asked_as_it_is() {
    let folder = described("describe_program", TALKATIVE);
    let said = folder.run(["list", "--offline"]).succeeded();
    let program = "target/debug/chat";
    assert_eq!(folder.run(["list", "--program", program]).succeeded(), said);
    let refusal = folder.run(["list", "--program", "nowhere"]).failed();
    assert!(refusal.contains("--program nowhere"), "{refusal}");
}

#[test]
fn of_several_programs_one_has_to_be_chosen() {
    let folder = described("describe_several", TALKATIVE);
    folder.write("src/bin/other.rs", "fn main() {}");
    let refusal = folder.run(["list", "--offline"]).failed();
    assert!(refusal.contains("choose one with --bin"), "{refusal}");
    folder
        .run(["list", "--offline", "--bin", "chat"])
        .succeeded();
    folder.write("examples/ex.rs", TALKATIVE);
    folder
        .run(["list", "--offline", "--example", "ex"])
        .succeeded();
}
