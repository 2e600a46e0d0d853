//! A Rust file: its text, its syntax, and what is going to be inserted.

use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned as _;

use crate::failure::{Context as _, Outcome};

/// A parsed file.
pub(crate) struct Source<'a> {
    text: &'a str,
    /// How many bytes stand before what was parsed (a byte order mark, `#!..`).
    offset: usize,
    file: syn::File,
}

impl<'a> Source<'a> {
    /// Parses the file.
    pub(crate) fn parse(text: &'a str) -> Outcome<Self> {
        let offset = preamble(text);
        let file = syn::parse_file(&text[offset..]).context("it does not parse")?;
        Ok(Self { text, offset, file })
    }

    /// The text as it is.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The items of the file.
    pub(crate) fn items(&self) -> &[syn::Item] {
        &self.file.items
    }

    /// Where something stands in the text, in bytes.
    pub(crate) fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        range.start + self.offset..range.end + self.offset
    }

    /// The begin of the line on which an item begins, or of the comments and
    /// attributes directly above it, which belong to it.
    pub(crate) fn begin_with_comments(&self, item: &syn::Item) -> usize {
        let mut begin = self.line_begin(self.range(item.span()).start);
        while let Some(above) = begin.checked_sub(1) {
            let above = self.line_begin(above);
            if !self.text[above..begin].trim_start().starts_with("//")
                || self.text[above..begin].trim_start().starts_with("//!")
            {
                break;
            }
            begin = above;
        }
        begin
    }

    /// The begin of the line after the one on which an item ends, or the end of
    /// the text.
    pub(crate) fn line_after(&self, item: &syn::Item) -> usize {
        let end = self.range(item.span()).end;
        self.text[end..]
            .find('\n')
            .map_or(self.text.len(), |at| end + at + 1)
    }

    /// The white space at the begin of the line.
    pub(crate) fn indentation(&self, at: usize) -> &'a str {
        let line = &self.text[self.line_begin(at)..];
        let width = line.find(|c: char| c != ' ' && c != '\t').unwrap_or(0);
        &line[..width]
    }

    /// How the lines of the file end.
    pub(crate) fn line_end(&self) -> &'static str {
        if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }

    /// The text with this inserted.
    pub(crate) fn inserted(&self, at: usize, new: &str) -> String {
        let mut text = String::with_capacity(self.text.len() + new.len());
        text.push_str(&self.text[..at]);
        text.push_str(new);
        text.push_str(&self.text[at..]);
        text
    }

    /// The text with these lines, each complete, inserted before `at`, the
    /// begin of a line or the end of the text.
    pub(crate) fn inserted_lines(&self, at: usize, lines: &[&str]) -> String {
        let end = self.line_end();
        let mut new = String::new();
        if at > 0 && !self.text[..at].ends_with('\n') {
            new.push_str(end);
        }
        for line in lines {
            new.push_str(line);
            new.push_str(end);
        }
        self.inserted(at, &new)
    }

    /// Before the first item, if there is one.
    pub(crate) fn before_items(&self) -> Option<usize> {
        let first = self.file.items.first()?;
        Some(self.begin_with_comments(first))
    }

    fn line_begin(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }
}

/// The length of a byte order mark and a `#!` line. `#![..]` is an attribute.
fn preamble(text: &str) -> usize {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - rest.len();
    let is_shebang = rest
        .strip_prefix("#!")
        .is_some_and(|rest| !rest.trim_start().starts_with('['));
    if !is_shebang {
        return mark;
    }
    mark + rest.find('\n').unwrap_or(rest.len())
}
