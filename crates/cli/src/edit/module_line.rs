//! `mod name;` lines.

use super::Source;
use crate::failure::Outcome;

/// Declares a module, in alphabetical order among those that are there.
/// `visibility` is `"pub "` or empty; a declaration that is there stays.
pub(crate) fn add(text: &str, visibility: &str, name: &str) -> Outcome<String> {
    let source = Source::parse(text)?;
    let modules: Vec<_> = source.items().iter().filter_map(as_module).collect();
    if modules.iter().any(|(_, declared)| declared == name) {
        return Ok(text.to_owned());
    }
    let line = format!("{visibility}mod {name};");
    let outlined = || modules.iter().filter(|(item, _)| is_outlined(item));
    let smaller = outlined().rfind(|(_, declared)| declared.as_str() < name);
    if let Some((item, _)) = smaller {
        return Ok(source.inserted_lines(source.line_after(item), &[&line]));
    }
    if let Some((item, _)) = outlined().next() {
        return Ok(source.inserted_lines(source.begin_with_comments(item), &[&line]));
    }
    if let Some(at) = source.before_items() {
        return Ok(source.inserted_lines(at, &[&line, ""]));
    }
    let at = text.len();
    if text.trim().is_empty() {
        return Ok(source.inserted_lines(at, &[&line]));
    }
    Ok(source.inserted_lines(at, &["", &line]))
}

fn as_module(item: &syn::Item) -> Option<(&syn::Item, String)> {
    match item {
        syn::Item::Mod(module) => Some((item, module.ident.to_string())),
        _ => None,
    }
}

/// Whether it is `mod name;`, with its content in a file of its own.
fn is_outlined(item: &syn::Item) -> bool {
    matches!(item, syn::Item::Mod(module) if module.content.is_none())
}

#[cfg(test)]
mod tests {
    use super::add;

    fn added(text: &str, name: &str) -> String {
        add(text, "pub ", name).expect("it parses")
    }

    #[test]
    fn a_module_is_declared_in_alphabetical_order() {
        let text = "//! Docs.\n\nmod alpha;\nmod gamma;\n\nfn main() {}\n";
        assert_eq!(
            added(text, "beta"),
            "//! Docs.\n\nmod alpha;\npub mod beta;\nmod gamma;\n\nfn main() {}\n"
        );
    }

    #[test]
    fn the_first_module_goes_below_the_docs_and_above_the_items() {
        let text = "//! Docs.\n\nuse std::fs;\n";
        assert_eq!(
            added(text, "a"),
            "//! Docs.\n\npub mod a;\n\nuse std::fs;\n"
        );
        assert_eq!(added("//! Docs.\n", "a"), "//! Docs.\n\npub mod a;\n");
        assert_eq!(added("//! Docs.", "a"), "//! Docs.\n\npub mod a;\n");
        assert_eq!(added("", "a"), "pub mod a;\n");
    }

    #[test]
    fn comments_and_attributes_stay_with_their_module() {
        let text = "// The big one.\n#[cfg(unix)]\nmod zeta; // last\n";
        assert_eq!(
            added(text, "alpha"),
            "pub mod alpha;\n// The big one.\n#[cfg(unix)]\nmod zeta; // last\n"
        );
        let text = "mod alpha; // first\n// The big one.\nmod zeta;\n";
        assert_eq!(
            added(text, "beta"),
            "mod alpha; // first\npub mod beta;\n// The big one.\nmod zeta;\n"
        );
    }

    #[test]
    fn a_declared_module_is_not_declared_again() {
        for text in ["mod a;\n", "pub(crate) mod a { }\n"] {
            assert_eq!(added(text, "a"), text);
        }
    }

    #[test]
    fn byte_order_mark_shebang_and_carriage_returns_stay() {
        let text = "\u{feff}#!/usr/bin/env run\r\n//! Ä.\r\nmod a;\r\nmod c;\r\n";
        assert_eq!(
            added(text, "b"),
            "\u{feff}#!/usr/bin/env run\r\n//! Ä.\r\nmod a;\r\npub mod b;\r\nmod c;\r\n"
        );
    }
}
