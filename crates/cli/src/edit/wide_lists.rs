//! Lines of `#[module(..)]` that got too long.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Source;
use super::module_attribute::attribute;
use crate::failure::Outcome;

/// How wide rustfmt lets the arguments of an attribute be on one line.
const WIDTH: usize = 70;

/// Breaks lists that are too wide for one line, as rustfmt does.
pub(super) fn broken(text: &str, owner: &str) -> Outcome<String> {
    let source = Source::parse(text)?;
    let found = source.items().iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == owner => attribute(item),
        _ => None,
    });
    let Some(syn::Meta::List(arguments)) = found.map(|attribute| &attribute.meta) else {
        return Ok(text.to_owned());
    };
    let delimiters = arguments.delimiter.span();
    let list = Written {
        source: &source,
        tokens: arguments.tokens.clone(),
        inside: source.range(delimiters.open()).end..source.range(delimiters.close()).start,
    };
    let mut broken = text.to_owned();
    let indentation = source.indentation(list.inside.start);
    broken.replace_range(list.inside.clone(), &list.laid_out(indentation));
    Ok(broken)
}

/// The inside of a pair of parentheses, as it is written.
struct Written<'a, 's> {
    source: &'a Source<'s>,
    tokens: TokenStream,
    inside: Range<usize>,
}

impl<'s> Written<'_, 's> {
    /// The same with lines broken where they are too wide. `indentation` is
    /// that of the line with the opening parenthesis.
    fn laid_out(&self, indentation: &str) -> String {
        let written = self.text(&self.inside);
        let parts = self.parts();
        if written.contains('\n') {
            return if self.hugged(&parts) {
                self.one_a_line(&parts, indentation)
            } else {
                self.with_lists_laid_out(&self.inside)
            };
        }
        if let [only] = parts.as_slice()
            && let Some(list) = self.list_in(only)
        {
            let inner = list.laid_out(indentation);
            if inner == self.text(&list.inside) {
                return written.to_owned();
            }
            let begin = self.text(&(only.start..list.inside.start));
            let end = self.text(&(list.inside.end..only.end));
            return format!("{begin}{inner}{end}");
        }
        if written.len() <= WIDTH {
            return written.to_owned();
        }
        let line = self.source.line_end();
        let deeper = format!("{indentation}    ");
        let parts: Vec<_> = parts
            .iter()
            .map(|part| match self.list_in(part) {
                Some(list) => {
                    let begin = self.text(&(part.start..list.inside.start));
                    let end = self.text(&(list.inside.end..part.end));
                    format!("{deeper}{begin}{}{end}", list.laid_out(&deeper))
                }
                None => format!("{deeper}{}", self.text(part)),
            })
            .collect();
        let parts = parts.join(&format!(",{line}"));
        format!("{line}{parts}{line}{indentation}")
    }

    /// Whether several parts begin on the line of the opening parenthesis though
    /// one of them is broken, as when a list comes to stand behind a broken
    /// one. Comments and texts stay where they are, so with them it is not.
    fn hugged(&self, parts: &[Range<usize>]) -> bool {
        let written = self.text(&self.inside);
        let between = parts
            .windows(2)
            .map(|two| self.text(&(two[0].end..two[1].start)).trim());
        parts.len() > 1
            && !written.trim_start_matches(' ').starts_with(['\r', '\n'])
            && !written.contains(['"', '/'])
            && between.into_iter().all(|gap| gap == ",")
    }

    /// The parts, each moved to a line of its own and deeper by one step.
    fn one_a_line(&self, parts: &[Range<usize>], indentation: &str) -> String {
        let line = self.source.line_end();
        let deeper = format!("{indentation}    ");
        let parts: Vec<_> = parts
            .iter()
            .map(|part| format!("{deeper}{}", self.text(part).replace('\n', "\n    ")))
            .collect();
        format!(
            "{line}{}{line}{indentation}",
            parts.join(&format!(",{line}"))
        )
    }

    /// Lines that are broken already stay so; only lists in them may be wide.
    fn with_lists_laid_out(&self, inside: &Range<usize>) -> String {
        let mut text = self.text(inside).to_owned();
        for part in self.parts().iter().rev() {
            if let Some(list) = self.list_in(part) {
                let indentation = self.source.indentation(part.start);
                let place = list.inside.start - inside.start..list.inside.end - inside.start;
                text.replace_range(place, &list.laid_out(indentation));
            }
        }
        text
    }

    /// The inside of `name(..)`, if the part is that.
    fn list_in(&self, part: &Range<usize>) -> Option<Written<'_, 's>> {
        let groups = self
            .tokens
            .clone()
            .into_iter()
            .filter_map(|token| match token {
                TokenTree::Group(group) => Some(group),
                _ => None,
            });
        let mut groups = groups.filter(|group| {
            let open = self.source.range(group.span_open());
            group.delimiter() == Delimiter::Parenthesis && part.contains(&open.start)
        });
        let group = groups.next()?;
        let inside =
            self.source.range(group.span_open()).end..self.source.range(group.span_close()).start;
        (inside.end + 1 == part.end).then(|| Written {
            source: self.source,
            tokens: group.stream(),
            inside,
        })
    }

    /// The parts between the commas, without white space around them.
    fn parts(&self) -> Vec<Range<usize>> {
        let mut begin = self.inside.start;
        let mut parts = Vec::new();
        let commas = self
            .tokens
            .clone()
            .into_iter()
            .filter_map(|token| match token {
                TokenTree::Punct(mark) if mark.as_char() == ',' => Some(mark.span()),
                _ => None,
            });
        for comma in commas {
            let comma = self.source.range(comma);
            parts.push(begin..comma.start);
            begin = comma.end;
        }
        parts.push(begin..self.inside.end);
        for part in &mut parts {
            let written = self.text(part);
            let before = written.len() - written.trim_start().len();
            part.end = part.start + written.trim_end().len().max(before);
            part.start += before;
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    fn text(&self, range: &Range<usize>) -> &'s str {
        &self.source.text()[range.clone()]
    }
}
