//! The pages hold together: code is included from files, links lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the chapters.
pub fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src")
}

fn page(name: &str) -> String {
    let path = source().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All pages but the table of contents, by file name.
fn pages() -> Vec<(String, String)> {
    let files = fs::read_dir(source()).expect("docs/src is there");
    let names = files.map(|file| file.expect("it can be read").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let mut names: Vec<_> = names
        .filter(|name| Path::new(name).extension().is_some_and(|it| it == "md"))
        .filter(|name| name != "SUMMARY.md")
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| (name.clone(), page(&name)))
        .collect()
}

/// What stands between `start` and `end`, each time.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Vec<&'t str> {
    let rests = text.split(start).skip(1);
    rests
        .filter_map(|rest| rest.split_once(end))
        .map(|(inner, _)| inner)
        .collect()
}

/// The code blocks of a page: language and content.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language, String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((language, text))) => open = Some((language, text + line + "\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block does not end");
    blocks
}

#[test]
fn every_page_is_in_the_table_of_contents_and_every_entry_exists() {
    let listed: BTreeSet<_> = between(&page("SUMMARY.md"), "](", ")")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let present: BTreeSet<_> = pages().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, present);
}

#[test]
fn rust_code_is_included_from_files_that_are_compiled() {
    for (name, text) in pages() {
        for (language, code) in blocks(&text) {
            if !language.starts_with("rust") {
                continue;
            }
            let is_include =
                code.trim().starts_with("{{#include ") && code.trim().lines().count() == 1;
            let has_reason = language == "rust,ignore" && code.starts_with("// Reason: ");
            assert!(
                is_include || has_reason,
                "{name} has code of its own:\n{code}"
            );
        }
    }
}

#[test]
fn includes_lead_to_files_and_anchors() {
    for (name, text) in pages() {
        for include in between(&text, "{{#include ", "}}") {
            let (file, anchor) = include.split_once(':').expect("an include has an anchor");
            let path = source().join(file);
            let code = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{name} includes {file}: {error}"));
            for marker in ["ANCHOR: ", "ANCHOR_END: "] {
                let marked = code.lines().any(|line| {
                    let line = line.trim();
                    // In Rust, and in Markdown.
                    let comment = line.strip_prefix("// ").or_else(|| {
                        line.strip_prefix("<!-- ")
                            .and_then(|line| line.strip_suffix(" -->"))
                    });
                    comment.and_then(|line| line.strip_prefix(marker)) == Some(anchor)
                });
                assert!(marked, "{name}: {file} has no {marker}{anchor}");
            }
        }
    }
}

#[test]
fn links_lead_to_pages_and_headings() {
    for (name, text) in pages() {
        let prose: String = text.split("```").step_by(2).collect();
        for link in between(&prose, "](", ")") {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                text.clone()
            } else {
                page(file)
            };
            if !heading.is_empty() {
                let headings = target.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.map(slug).any(|slug| slug == heading),
                    "{name} links to {link}, which is no heading"
                );
            }
        }
    }
}

#[test]
fn links_of_the_readme_lead_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = include_str!("../../README.md");
    let prose: String = readme.split("```").step_by(2).collect();
    let links = between(&prose, "](", ")").into_iter();
    for link in links.filter(|link| !link.starts_with("http")) {
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        assert!(root.join(file).exists(), "{link} leads nowhere");
        if !heading.is_empty() {
            let target = fs::read_to_string(root.join(file)).expect("a page");
            let headings = target.lines().filter(|line| line.starts_with('#'));
            assert!(
                headings.map(slug).any(|slug| slug == heading),
                "{link} leads to no heading"
            );
        }
    }
}

#[test]
fn the_program_of_the_readme_is_one_that_is_compiled() {
    let readme = include_str!("../../README.md");
    let compiled = include_str!("../../docs/snippets/readme.rs");
    let programs = between(readme, "```rust\n", "```");
    let [program] = programs[..] else {
        panic!("the README has {} programs", programs.len());
    };
    assert_eq!(
        between(compiled, "ANCHOR: all\n", "// ANCHOR_END"),
        [program]
    );
}

/// A heading as mdBook writes it into the URL.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
