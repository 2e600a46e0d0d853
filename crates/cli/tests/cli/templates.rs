//! A project's own templates.

use crate::workspace::Folder;

#[test]
fn copies_of_the_templates_make_what_the_templates_make() {
    let folder = Folder::with_app("copied_templates");
    folder.write(".nest-gateway/templates/mod.rs", "//! Ours.\n");
    let before = folder.files();
    folder.run(["g", "templates", "--dry-run"]).succeeded();
    assert_eq!(folder.files(), before);
    let said = folder.run(["g", "templates"]).succeeded();
    assert!(
        said.contains("create .nest-gateway/templates/gateway/gateway.rs\n"),
        "{said}"
    );
    assert_eq!(folder.read(".nest-gateway/templates/mod.rs"), "//! Ours.\n");
    let said = folder.run(["g", "templates"]).succeeded();
    assert_eq!(said, "Everything is there already; nothing was changed.\n");

    folder.run(["g", "ga", "chat", "--stream"]).succeeded();
    let other = Folder::with_app("copied_templates_not");
    other.run(["g", "ga", "chat", "--stream"]).succeeded();
    for file in [
        "src/chat/chat_gateway.rs",
        "src/chat/dto.rs",
        "src/chat/chat_module.rs",
        "tests/chat_gateway.rs",
    ] {
        assert_eq!(folder.read(file), other.read(file), "{file}");
    }
    assert!(folder.read("src/chat/mod.rs").starts_with("//! Ours.\n"));
}

#[test]
fn a_template_of_the_project_is_used_instead() {
    let folder = Folder::with_app("own_template");
    folder.write(
        ".nest-gateway/templates/service/service.rs",
        "//! {{ words }}: {{ snake }}, {{ kebab }}.\n\n/// Ours.\n#[nest_gateway::injectable]\npub struct {{ pascal }}Service {}\n",
    );
    folder.run(["g", "s", "big-store"]).succeeded();
    assert_eq!(
        folder.read("src/big_store/big_store_service.rs"),
        "//! big store: big_store, big-store.\n\n/// Ours.\n#[nest_gateway::injectable]\npub struct BigStoreService {}\n"
    );
}
