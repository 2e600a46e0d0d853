//! `nest-gateway generate`.

use crate::snapshot::assert_snapshot;
use crate::workspace::Folder;

/// What a generator changed, as a diff against the application before.
fn changes(folder: &Folder, arguments: &[&str]) -> String {
    let before = folder.files();
    let shown = folder.run([arguments, &["--dry-run"]].concat()).succeeded();
    assert_eq!(folder.files(), before, "a dry run writes nothing");
    folder.run(arguments).succeeded();
    let after = folder.files();
    assert_ne!(after, before);
    let said = folder.run(arguments).succeeded();
    assert_eq!(said, "Everything is there already; nothing was changed.\n");
    assert_eq!(folder.files(), after, "a second run changes nothing");
    shown
}

#[test]
fn a_gateway_comes_with_module_bodies_and_test() {
    let folder = Folder::with_app("gateway");
    assert_snapshot(
        "gateway.diff",
        &changes(&folder, &["generate", "gateway", "chat"]),
    );
}

#[test]
fn what_was_shown_as_a_diff_is_what_is_written() {
    let folder = Folder::with_app("gateway_diff");
    let shown = changes(&folder, &["g", "ga", "chat"]);
    for (file, text) in folder.files() {
        if let Some(begin) = shown.find(&format!("--- /dev/null\n+++ b/{file}\n")) {
            let lines = shown[begin..].lines().skip(3);
            let added: Vec<_> = lines.map_while(|line| line.strip_prefix('+')).collect();
            let added: Vec<_> = added
                .into_iter()
                .take_while(|line| !line.starts_with("++ b/"))
                .collect();
            assert_eq!(added.join("\n") + "\n", text, "{file}");
        }
    }
    assert!(shown.contains("+++ b/src/chat/chat_gateway.rs\n"));
}

#[test]
fn a_gateway_with_all_options_serves_socketio_and_streams() {
    let folder = Folder::with_app("gateway_full");
    let shown = changes(&folder, &["g", "ga", "chat", "--socketio", "--stream"]);
    assert_snapshot("gateway_socketio_stream.diff", &shown);
}

#[test]
fn bodies_get_schemas_when_they_are_asked_for() {
    let folder = Folder::with_app("gateway_schema");
    changes(&folder, &["g", "ga", "chat", "--stream", "--schema"]);
    assert_snapshot("gateway_schema_dto.rs", &folder.read("src/chat/dto.rs"));
    let manifest = folder.read("Cargo.toml");
    assert!(
        manifest.contains(r#"features = ["asyncapi", "schema"] }"#),
        "{manifest}"
    );
    assert!(manifest.contains("\nschemars = \"1\"\n"), "{manifest}");
}

#[test]
fn a_flat_gateway_has_no_folder() {
    let folder = Folder::with_app("gateway_flat");
    assert_snapshot(
        "gateway_flat.diff",
        &changes(&folder, &["g", "ga", "chat", "--flat"]),
    );
}

#[test]
fn a_gateway_without_test_needs_no_test_kit() {
    let folder = Folder::with_app("gateway_no_test");
    let shown = changes(&folder, &["g", "ga", "chat", "--no-test"]);
    assert!(!shown.contains("tests/"), "{shown}");
    assert!(!folder.read("Cargo.toml").contains("dev-dependencies"));
}

#[test]
fn folders_are_made_and_the_nearest_module_above_is_used() {
    let folder = Folder::with_app("gateway_nested");
    changes(&folder, &["g", "module", "admin"]);
    let shown = changes(
        &folder,
        &["g", "ga", "chat-room", "--path", "src/admin/Rooms"],
    );
    assert_snapshot("gateway_nested.diff", &shown);
    // The same place, written in the name.
    let said = folder.run(["g", "ga", "admin/rooms/ChatRoom"]).succeeded();
    assert_eq!(said, "Everything is there already; nothing was changed.\n");
}

#[test]
fn a_gateway_joins_the_module_that_is_there() {
    let folder = Folder::with_app("gateway_joins");
    changes(&folder, &["g", "mo", "chat"]);
    changes(&folder, &["g", "s", "chat"]);
    changes(&folder, &["g", "ga", "chat"]);
    assert!(
        folder
            .read("src/chat/chat_module.rs")
            .contains("#[module(providers(ChatService, ChatGateway))]\n"),
        "{}",
        folder.read("src/chat/chat_module.rs")
    );
}

#[test]
fn every_kind_is_one_file_in_the_nearest_module() {
    let folder = Folder::with_app("kinds");
    let mut text = String::new();
    for (kind, alias) in [
        ("module", "mo"),
        ("guard", "gu"),
        ("interceptor", "itc"),
        ("filter", "f"),
        ("service", "s"),
    ] {
        text.push_str(&changes(
            &folder,
            &["generate", kind, &format!("a-{kind}-b")],
        ));
        changes(&folder, &["g", alias, &format!("flat_{kind}_b"), "--flat"]);
    }
    assert_snapshot("kinds.diff", &text);
    assert_snapshot("kinds_app_module.rs", &folder.read("src/app_module.rs"));
    assert_snapshot("kinds_lib.rs", &folder.read("src/lib.rs"));
}

#[test]
fn another_module_than_the_nearest_can_be_named() {
    let folder = Folder::with_app("other_module");
    changes(&folder, &["g", "mo", "core-things"]);
    changes(
        &folder,
        &["g", "s", "audit", "--module", "CoreThingsModule"],
    );
    let module = folder.read("src/core_things/core_things_module.rs");
    assert!(
        module.contains("#[module(providers(AuditService))]\n"),
        "{module}"
    );
    assert!(
        module.contains("use crate::audit::AuditService;\n"),
        "{module}"
    );
    let refusal = folder.run(["g", "s", "x", "--module", "NoModule"]).failed();
    assert!(
        refusal.contains("there is AppModule, CoreThingsModule"),
        "{refusal}"
    );
}

#[test]
fn comments_and_layout_of_edited_files_are_kept() {
    let folder = Folder::with_app("comments");
    let module = "#![allow(missing_docs)] // mine\n\n/* odd */ use nest_gateway::module;\n\n\
                  #[module(\n    // The first.\n    imports( /* none yet */ ),\n    exports(),\n)]\npub struct AppModule ;\n";
    folder.write("src/app_module.rs", module);
    folder.write(
        "src/lib.rs",
        "// Top.\npub mod   app_module; // here\n\n  pub use app_module::AppModule;\n",
    );
    folder.run(["g", "ga", "chat"]).succeeded();
    assert_eq!(
        folder.read("src/app_module.rs"),
        module
            .replace(
                "imports( /* none yet */ )",
                "imports( /* none yet */ ChatModule)"
            )
            .replace(
                "use nest_gateway::module;\n",
                "use nest_gateway::module;\n\nuse crate::chat::ChatModule;\n"
            )
    );
    assert_eq!(
        folder.read("src/lib.rs"),
        "// Top.\npub mod   app_module; // here\npub mod chat;\n\n  pub use app_module::AppModule;\n"
    );
}

#[test]
fn a_module_file_beside_its_folder_is_used() {
    let folder = Folder::with_app("beside");
    folder.write("src/admin.rs", "//! Admin.\n");
    folder.write(
        "src/lib.rs",
        "pub mod admin;\npub mod app_module;\n\npub use app_module::AppModule;\n",
    );
    folder.run(["g", "ga", "admin/chat"]).succeeded();
    assert_eq!(folder.read("src/admin.rs"), "//! Admin.\n\npub mod chat;\n");
    assert!(!folder.path().join("src/admin/mod.rs").exists());
}

#[test]
fn a_program_without_library_gets_private_modules_and_no_test() {
    let folder = Folder::new("program");
    folder.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    folder.write(
        "app/src/main.rs",
        "use nest_gateway::module;\n\n#[module]\nstruct AppModule;\n\nfn main() {}\n",
    );
    let ran = {
        let mut command = crate::workspace::program();
        command
            .current_dir(folder.path().join("app/src"))
            .args(["g", "ga", "chat"]);
        crate::workspace::Ran::of(&mut command)
    };
    assert!(ran.err.contains("note: there is no test"), "{}", ran.err);
    let said = ran.succeeded();
    assert!(!said.contains("tests/"), "{said}");
    let main = folder.read("app/src/main.rs");
    assert!(
        main.starts_with(
            "mod chat;\n\nuse nest_gateway::module;\n\nuse crate::chat::ChatModule;\n"
        ),
        "{main}"
    );
    assert!(
        main.contains("#[module(imports(ChatModule))]\nstruct AppModule;\n"),
        "{main}"
    );
}

#[test]
fn without_a_module_above_the_user_is_told_what_to_do() {
    let folder = Folder::with_app("no_module");
    folder.write("src/lib.rs", "");
    std::fs::remove_file(folder.path().join("src/app_module.rs")).expect("it was there");
    let ran = folder.run(["g", "ga", "chat"]);
    assert!(
        ran.err
            .contains("add `crate::chat::ChatModule` to the imports"),
        "{}",
        ran.err
    );
    ran.succeeded();
}

#[test]
fn the_test_kit_comes_from_where_the_library_comes_from() {
    let folder = Folder::new("sources");
    let package = |dependency: &str| {
        format!("[package]\nname = \"app\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n")
    };
    let testkit = |folder: &Folder| {
        folder.run(["g", "ga", "chat"]).succeeded();
        let manifest = folder.read("Cargo.toml");
        let line = manifest
            .lines()
            .find(|it| it.starts_with("nest-gateway-testkit"));
        line.unwrap_or(&manifest).to_owned()
    };
    for (dependency, expected) in [
        (
            "nest-gateway = \"0.1\"",
            concat!("nest-gateway-testkit = \"", env!("CARGO_PKG_VERSION"), "\""),
        ),
        (
            "nest-gateway = { path = \"../gateway/crates/nest-gateway\" }",
            "nest-gateway-testkit = { path = \"../gateway/crates/testkit\" }",
        ),
        (
            "nest-gateway = { git = \"https://example.org/x\", rev = \"abc\" }",
            "nest-gateway-testkit = { git = \"https://example.org/x\", rev = \"abc\" }",
        ),
    ] {
        let app = Folder::new("sources_app");
        app.write("Cargo.toml", &package(dependency));
        app.write("src/lib.rs", "");
        assert_eq!(testkit(&app), expected);
    }
    folder.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"apps/*\"]\n\n\
         [workspace.dependencies]\nnest-gateway = { path = \"vendor/crates/nest-gateway\" }\n",
    );
    folder.write(
        "apps/one/Cargo.toml",
        &package("nest-gateway.workspace = true"),
    );
    folder.write("apps/one/src/lib.rs", "");
    assert_eq!(
        testkit(&folder.inside("apps/one")),
        "nest-gateway-testkit = { path = \"../../vendor/crates/testkit\" }"
    );
}
