//! The help texts are committed, so that a change of them shows in review.

use crate::snapshot::assert_snapshot;
use crate::workspace::Folder;

#[test]
fn help_is_what_is_committed() {
    let folder = Folder::new("help");
    let mut text = String::new();
    for command in [
        "",
        "new",
        "generate",
        "generate gateway",
        "generate guard",
        "list",
        "contract",
        "call",
    ] {
        let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let help = folder.run(&arguments).succeeded();
        let command = arguments.join(" ");
        text.extend(["$ nest-gateway ", &command, "\n", &help, "\n"]);
    }
    assert_snapshot("help.txt", &text);
}

#[test]
fn the_version_is_that_of_the_crate() {
    let said = Folder::new("version").run(["--version"]).succeeded();
    assert_eq!(
        said,
        format!("nest-gateway {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn options_that_make_no_sense_together_are_refused() {
    let folder = Folder::new("usage");
    for arguments in [
        vec!["contract"],
        vec!["contract", "--ts", "--asyncapi"],
        vec!["list", "--bin", "a", "--example", "b"],
        vec!["call", "ws://host", "--timeout", "0"],
        vec!["generate", "guard", "a", "--stream"],
        vec![],
    ] {
        assert_eq!(folder.run(&arguments).code, Some(2), "{arguments:?}");
    }
}
