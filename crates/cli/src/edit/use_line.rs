//! `use crate::..;` lines.

use syn::spanned::Spanned as _;

use super::Source;
use crate::failure::Outcome;

/// Names that a file imports or declares, with the paths that they stand for.
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// Of this file, whose module is `module` (`crate::chat`).
    pub(crate) fn of(source: &Source<'_>, module: &str) -> Self {
        let mut names = Vec::new();
        for item in source.items() {
            if let syn::Item::Use(line) = item {
                flatten(&line.tree, String::new(), &mut names);
            } else if let Some(name) = declared(item) {
                names.push((name.clone(), format!("{module}::{name}")));
            }
        }
        let children: Vec<String> = source
            .items()
            .iter()
            .filter_map(|item| match item {
                syn::Item::Mod(module) => Some(module.ident.to_string()),
                _ => None,
            })
            .collect();
        for (_, path) in &mut names {
            *path = absolute(path, module, &children);
        }
        Self(names)
    }

    /// The path that a path in this file stands for.
    pub(crate) fn resolve(&self, path: &str) -> String {
        let (first, rest) = path
            .split_once("::")
            .map_or((path, None), |(a, b)| (a, Some(b)));
        let stands_for = self.stands_for(first).unwrap_or(first);
        rest.map_or_else(
            || stands_for.to_owned(),
            |rest| format!("{stands_for}::{rest}"),
        )
    }

    /// What a single name stands for.
    pub(crate) fn stands_for(&self, name: &str) -> Option<&str> {
        let (_, path) = self.0.iter().find(|(known, _)| known == name)?;
        Some(path)
    }
}

/// Imports a path that begins with `crate::`, in order among the imports of the
/// same kind.
pub(crate) fn add(text: &str, path: &str) -> Outcome<String> {
    let source = Source::parse(text)?;
    let line = format!("use {path};");
    let imports = || {
        source
            .items()
            .iter()
            .filter(|item| matches!(item, syn::Item::Use(_)))
    };
    let written = |item: &syn::Item| text[source.range(item.span())].to_owned();
    let ours = || imports().filter(|item| written(item).starts_with("use crate::"));

    if let Some(smaller) = ours().rfind(|item| written(item) < line) {
        return Ok(source.inserted_lines(source.line_after(smaller), &[&line]));
    }
    if let Some(first) = ours().next() {
        return Ok(source.inserted_lines(source.begin_with_comments(first), &[&line]));
    }
    if let Some(last) = imports().next_back() {
        return Ok(source.inserted_lines(source.line_after(last), &["", &line]));
    }
    let last_module = source
        .items()
        .iter()
        .take_while(|item| matches!(item, syn::Item::Mod(_)));
    if let Some(module) = last_module.last() {
        return Ok(source.inserted_lines(source.line_after(module), &["", &line]));
    }
    match source.before_items() {
        Some(at) => Ok(source.inserted_lines(at, &[&line, ""])),
        None => Ok(source.inserted_lines(text.len(), &["", &line])),
    }
}

/// Re-exports `self::file::Type` from a module's `mod.rs`.
pub(crate) fn add_reexport(text: &str, file: &str, name: &str) -> Outcome<String> {
    let source = Source::parse(text)?;
    if Names::of(&source, "crate").stands_for(name).is_some() {
        return Ok(text.to_owned());
    }
    let line = format!("pub use self::{file}::{name};");
    let written = |item: &syn::Item| text[source.range(item.span())].to_owned();
    let imports = || {
        source
            .items()
            .iter()
            .filter(|item| matches!(item, syn::Item::Use(_)))
    };
    let ours = || imports().filter(|item| written(item).starts_with("pub use self::"));

    if let Some(smaller) = ours().rfind(|item| written(item) < line) {
        return Ok(source.inserted_lines(source.line_after(smaller), &[&line]));
    }
    if let Some(first) = ours().next() {
        return Ok(source.inserted_lines(source.begin_with_comments(first), &[&line]));
    }
    let header = |item: &syn::Item| matches!(item, syn::Item::Mod(_) | syn::Item::Use(_));
    match source.items().iter().take_while(|item| header(item)).last() {
        Some(last) => Ok(source.inserted_lines(source.line_after(last), &["", &line])),
        None => match source.before_items() {
            Some(at) => Ok(source.inserted_lines(at, &[&line, ""])),
            None => Ok(source.inserted_lines(text.len(), &["", &line])),
        },
    }
}

fn flatten(tree: &syn::UseTree, prefix: String, names: &mut Vec<(String, String)>) {
    let joined = |name: &dyn std::fmt::Display| {
        if prefix.is_empty() {
            name.to_string()
        } else {
            format!("{prefix}::{name}")
        }
    };
    match tree {
        syn::UseTree::Path(path) => flatten(&path.tree, joined(&path.ident), names),
        // `use a::b::{self}` imports `b`.
        syn::UseTree::Name(name) if name.ident == "self" => {
            let last = prefix.rsplit("::").next().unwrap_or_default().to_owned();
            names.push((last, prefix));
        }
        syn::UseTree::Name(name) => names.push((name.ident.to_string(), joined(&name.ident))),
        syn::UseTree::Rename(rename) => {
            names.push((rename.rename.to_string(), joined(&rename.ident)));
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, prefix.clone(), names);
            }
        }
        // What a `*` brings cannot be known from this file.
        syn::UseTree::Glob(_) => {}
    }
}

fn declared(item: &syn::Item) -> Option<String> {
    match item {
        syn::Item::Struct(item) => Some(item.ident.to_string()),
        syn::Item::Enum(item) => Some(item.ident.to_string()),
        syn::Item::Trait(item) => Some(item.ident.to_string()),
        syn::Item::Type(item) => Some(item.ident.to_string()),
        syn::Item::Mod(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

/// The path from the crate's root, as far as it can be known.
fn absolute(path: &str, module: &str, children: &[String]) -> String {
    if let Some(rest) = path.strip_prefix("self::") {
        return format!("{module}::{rest}");
    }
    let mut here = module;
    let mut rest = path;
    while let Some(up) = rest.strip_prefix("super::") {
        here = here.rsplit_once("::").map_or(here, |(parent, _)| parent);
        rest = up;
    }
    if rest.len() < path.len() {
        return format!("{here}::{rest}");
    }
    let first = path.split("::").next().unwrap_or_default();
    if children.iter().any(|child| child == first) {
        return format!("{module}::{path}");
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_inserted_in_order() {
        let text = "use std::fs;\n\nuse crate::a::A;\nuse crate::c::C;\n\nfn f() {}\n";
        let after = add(text, "crate::b::B").expect("it parses");
        assert_eq!(
            after,
            "use std::fs;\n\nuse crate::a::A;\nuse crate::b::B;\nuse crate::c::C;\n\nfn f() {}\n"
        );
    }

    #[test]
    fn the_first_import_goes_below_others_or_above_the_items() {
        let after = add("use std::fs;\n\nfn f() {}\n", "crate::b::B").expect("it parses");
        assert_eq!(after, "use std::fs;\n\nuse crate::b::B;\n\nfn f() {}\n");
        let after = add("/// Doc.\nfn f() {}\n", "crate::b::B").expect("it parses");
        assert_eq!(after, "use crate::b::B;\n\n/// Doc.\nfn f() {}\n");
        let after = add("mod a;\n\nfn f() {}\n", "crate::b::B").expect("it parses");
        assert_eq!(after, "mod a;\n\nuse crate::b::B;\n\nfn f() {}\n");
    }

    #[test]
    fn names_are_resolved_to_paths_from_the_root() {
        let text = "mod child;\nuse crate::x::{A, b::B as C};\nuse self::child::D;\nuse super::E;\nuse child::F;\nstruct G;\n";
        let source = Source::parse(text).expect("it parses");
        let names = Names::of(&source, "crate::here");
        for (name, path) in [
            ("A", "crate::x::A"),
            ("C", "crate::x::b::B"),
            ("D", "crate::here::child::D"),
            ("E", "crate::E"),
            ("F", "crate::here::child::F"),
            ("G", "crate::here::G"),
            ("child::H", "crate::here::child::H"),
            ("other::I", "other::I"),
        ] {
            assert_eq!(names.resolve(name), path, "{name}");
        }
    }

    #[test]
    fn a_reexport_is_added_once() {
        let text = "//! Docs.\n\nmod a;\nmod b;\n\npub use self::b::B;\n";
        let once = add_reexport(text, "a", "A").expect("it parses");
        assert_eq!(
            once,
            "//! Docs.\n\nmod a;\nmod b;\n\npub use self::a::A;\npub use self::b::B;\n"
        );
        assert_eq!(add_reexport(&once, "a", "A").expect("it parses"), once);
    }
}
