//! Nothing is overwritten, and nothing is done by halves.

use crate::workspace::Folder;

/// The command fails for this reason, and leaves everything as it was.
#[track_caller]
fn assert_refused(folder: &Folder, arguments: &[&str], reason: &str) {
    let before = folder.files();
    let refusal = folder.run(arguments).failed();
    assert!(refusal.contains(reason), "{refusal}");
    assert_eq!(folder.files(), before, "nothing was changed");
}

#[test]
fn files_with_another_content_are_not_overwritten() {
    let folder = Folder::with_app("refuse_overwrite");
    folder.write("src/chat/dto.rs", "// mine\n");
    folder.write("tests/chat_gateway.rs", "// mine too\n");
    assert_refused(
        &folder,
        &["g", "ga", "chat"],
        "\n  src/chat/dto.rs\n  tests/chat_gateway.rs\n",
    );
    assert_refused(
        &folder,
        &["g", "ga", "chat", "--dry-run"],
        "never overwritten",
    );
}

#[test]
fn an_application_is_not_written_over_another() {
    let folder = Folder::new("refuse_new");
    folder.write("app/src/main.rs", "fn main() {}\n");
    assert_refused(&folder, &["new", "app"], "app/src/main.rs");
}

#[test]
fn a_file_that_does_not_parse_is_not_edited() {
    let folder = Folder::with_app("refuse_broken");
    folder.write("src/lib.rs", "pub mod app_module;\nfn (\n");
    assert_refused(
        &folder,
        &["g", "ga", "chat"],
        "cannot change src/lib.rs: it does not parse",
    );
    let folder = Folder::with_app("refuse_broken_manifest");
    folder.write("Cargo.toml", "[package\n");
    assert_refused(&folder, &["g", "ga", "chat"], "Cargo.toml");
}

#[test]
fn a_template_that_makes_no_rust_writes_nothing() {
    let folder = Folder::with_app("refuse_template");
    folder.write(
        ".nest-gateway/templates/gateway/dto.rs",
        "struct {{ pascal }} {\n",
    );
    assert_refused(
        &folder,
        &["g", "ga", "chat"],
        "src/chat/dto.rs would not parse",
    );
    folder.write(
        ".nest-gateway/templates/gateway/dto.rs",
        "struct {{ nothing }};\n",
    );
    assert_refused(&folder, &["g", "ga", "chat"], "template gateway/dto.rs");
    folder.write(".nest-gateway/templates/gateway/dto.rs", "{% if %}\n");
    assert_refused(&folder, &["g", "ga", "chat"], "dto.rs");
}

#[cfg(unix)]
#[test]
fn a_folder_where_a_file_should_go_stops_everything() {
    let folder = Folder::with_app("refuse_disk");
    // A file where the folder of the tests would be.
    folder.write("tests", "");
    assert_refused(&folder, &["g", "ga", "chat"], "tests");
    assert!(
        !folder.path().join("src/chat").exists(),
        "folders are removed again"
    );
}

#[test]
fn several_modules_in_a_folder_have_to_be_told_apart() {
    let folder = Folder::with_app("refuse_ambiguous");
    folder.write("src/app_module.rs", "#[nest_gateway::module]\npub struct OneModule;\n#[nest_gateway::module]\npub struct TwoModule;\npub struct AppModule;\n");
    assert_refused(
        &folder,
        &["g", "ga", "chat"],
        "several modules (OneModule, TwoModule); say which one with --module",
    );
    folder
        .run(["g", "ga", "chat", "--module", "TwoModule"])
        .succeeded();
    assert!(
        folder
            .read("src/app_module.rs")
            .contains("#[nest_gateway::module(imports(ChatModule))]\npub struct TwoModule;")
    );
}

#[test]
fn outside_of_a_package_the_way_in_is_shown() {
    let folder = Folder::new("refuse_outside");
    assert_refused(
        &folder,
        &["g", "ga", "chat"],
        "is a workspace without a package",
    );
    folder.write("lib/Cargo.toml", "[package]\nname = \"lib\"\n");
    let mut command = crate::workspace::program();
    command
        .current_dir(folder.path().join("lib"))
        .args(["g", "ga", "chat"]);
    let refusal = crate::workspace::Ran::of(&mut command).failed();
    assert!(
        refusal.contains("neither a src/lib.rs nor a src/main.rs"),
        "{refusal}"
    );
}
