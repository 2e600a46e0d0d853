//! `nest-gateway new`.

use crate::snapshot::assert_snapshot;
use crate::workspace::{Folder, checkout};

#[test]
fn an_application_is_these_files() {
    let folder = Folder::new("new_tree");
    let said = folder
        .run(["new", "my-app", "--local-path", &checkout()])
        .succeeded();
    assert_snapshot("new.txt", &folder.tree());
    assert_snapshot("new_output.txt", &said);
}

#[test]
fn dependencies_come_from_the_registry_in_our_own_version() {
    let folder = Folder::new("new_registry");
    folder.run(["new", "app"]).succeeded();
    let version = env!("CARGO_PKG_VERSION");
    let manifest = folder.read("app/Cargo.toml");
    assert!(
        manifest.contains(&format!("nest-gateway = {{ version = \"{version}\", ")),
        "{manifest}"
    );
}

#[test]
fn a_clone_is_named_from_the_package_so_that_both_can_be_moved() {
    let folder = Folder::new("new_relative");
    folder.write("clone/crates/nest-gateway/Cargo.toml", "");
    folder
        .run(["new", "apps/one", "--local-path", "clone"])
        .succeeded();
    let manifest = std::fs::read_to_string(folder.path().join("apps/one/Cargo.toml"));
    assert!(
        manifest
            .expect("it is written")
            .contains("nest-gateway = { path = \"../../clone/crates/nest-gateway\", ")
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let folder = Folder::new("new_twice");
    folder.run(["new", "app"]).succeeded();
    let before = folder.files();
    let said = folder.run(["new", "app"]).succeeded();
    assert_eq!(said, "Everything is there already; nothing was changed.\n");
    assert_eq!(folder.files(), before);
}

#[test]
fn a_dry_run_writes_nothing_and_shows_everything() {
    let folder = Folder::new("new_dry");
    let before = folder.files();
    let shown = folder.run(["new", "app", "--dry-run"]).succeeded();
    assert_eq!(folder.files(), before);
    assert!(
        shown.contains("--- /dev/null\n+++ b/app/src/main.rs\n"),
        "{shown}"
    );
    assert!(shown.contains("+members = [\"app\"]\n"), "{shown}");
}

#[test]
fn a_workspace_around_it_gets_a_member_unless_it_has_it() {
    let folder = Folder::new("new_member");
    folder.write(
        "Cargo.toml",
        "[workspace] # ours\nmembers = [\n    \"old\", # first\n]\n",
    );
    folder.run(["new", "apps/one"]).succeeded();
    assert_eq!(
        folder.read("Cargo.toml"),
        "[workspace] # ours\nmembers = [\n    \"old\", # first\n    \"apps/one\",\n]\n"
    );
    let globbed = "[workspace]\nmembers = [\"apps/*\"]\nexclude = [\"out\"]\n";
    folder.write("Cargo.toml", globbed);
    folder.run(["new", "apps/two"]).succeeded();
    folder.run(["new", "out/three"]).succeeded();
    assert_eq!(folder.read("Cargo.toml"), globbed);
}

#[test]
fn strange_names_of_applications_are_corrected_or_refused() {
    let folder = Folder::new("new_names");
    folder.run(["new", "ChatApp"]).succeeded();
    assert!(
        folder
            .read("ChatApp/Cargo.toml")
            .contains("name = \"chat-app\"\n")
    );
    assert!(
        folder
            .read("ChatApp/src/main.rs")
            .contains("use chat_app::AppModule;\n")
    );
    for (name, reason) in [
        ("2fast", "names of Rust begin with a letter"),
        ("type", "keyword"),
        ("test", "also the name of a crate"),
        ("nest-gateway", "also the name of a crate"),
        ("tokio", "also the name of a crate"),
        ("my app", "contains ` `"),
        ("..", "has no name"),
    ] {
        let before = folder.files();
        let refusal = folder.run(["new", name]).failed();
        assert!(refusal.contains(reason), "{name}: {refusal}");
        assert_eq!(folder.files(), before, "{name}");
    }
}

#[test]
fn a_folder_that_is_no_checkout_is_refused() {
    let folder = Folder::new("new_local_path");
    let refusal = folder.run(["new", "app", "--local-path", "."]).failed();
    assert!(
        refusal.contains("is not a checkout of nest-gateway"),
        "{refusal}"
    );
    let refusal = folder
        .run(["new", "app", "--local-path", "nowhere"])
        .failed();
    assert!(refusal.contains("--local-path nowhere"), "{refusal}");
}
