//! Strange names.

use crate::workspace::Folder;

#[test]
fn names_in_any_spelling_give_the_same_files() {
    let folder = Folder::with_app("names_spelling");
    folder.run(["g", "ga", "chat-room"]).succeeded();
    for name in [
        "ChatRoom",
        "chat_room",
        "chatRoom",
        "ChatRoomGateway",
        "chat-room-gateway",
    ] {
        let said = folder.run(["g", "ga", name]).succeeded();
        assert_eq!(
            said, "Everything is there already; nothing was changed.\n",
            "{name}"
        );
    }
    let gateway = folder.read("src/chat_room/chat_room_gateway.rs");
    assert!(gateway.contains("namespace = \"/chat-room\""), "{gateway}");
    assert!(gateway.contains("pub struct ChatRoomGateway"), "{gateway}");
}

#[test]
fn names_that_rust_cannot_have_are_refused_with_the_reason() {
    let folder = Folder::with_app("names_refused");
    let before = folder.files();
    for (name, reason) in [
        (
            "2fast",
            "`2fast` cannot be a name: names of Rust begin with a letter",
        ),
        (
            "type",
            "`type` is a keyword of Rust; try `types` or `my-type`",
        ),
        ("crate", "keyword"),
        ("", "it is empty"),
        ("a/", "it is empty"),
        ("/a", "it is empty"),
        ("../a", "stay inside the package's src"),
        ("a b", "contains ` `"),
        ("a.b", "contains `.`"),
        ("schön", "contains `ö`"),
        ("lib", "is the root of a crate"),
        ("main/chat", "is the root of a crate"),
        ("a\\b", "contains `\\\\`"),
        ("std", "also the name of a crate"),
        ("tokio", "also the name of a crate"),
        ("bin/chat", "src/bin"),
    ] {
        for kind in [
            "gateway",
            "module",
            "guard",
            "interceptor",
            "filter",
            "service",
        ] {
            let refusal = folder.run(["generate", kind, name]).failed();
            assert!(refusal.contains(reason), "{kind} {name}: {refusal}");
        }
    }
    let refusal = folder
        .run(["g", "ga", "chat", "--path", "../elsewhere"])
        .failed();
    assert!(refusal.contains("leaves the package's src"), "{refusal}");
    assert_eq!(folder.files(), before);
}

#[test]
fn a_name_that_the_application_has_itself_gets_a_path() {
    let folder = Folder::with_app("names_app");
    folder.run(["g", "ga", "app"]).succeeded();
    let root = folder.read("src/app_module.rs");
    assert!(
        root.contains("#[module(imports(crate::app::AppModule))]\npub struct AppModule;"),
        "{root}"
    );
    folder.run(["g", "ga", "flat", "--flat"]).succeeded();
    folder.run(["g", "mo", "app"]).succeeded();
    let flat = folder.read("src/flat_module.rs");
    assert!(flat.contains("#[module(providers(FlatGateway))]"), "{flat}");
}
