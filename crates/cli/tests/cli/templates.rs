//! A project's own templates.

use crate::workspace::Folder;

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
