//! The lists of `#[module(providers(..), imports(..))]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;

use super::Source;
use super::use_line::{self, Names};
use super::wide_lists;
use crate::failure::{Failure, Outcome};

/// A list of the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// What the module provides.
    Providers,
    /// Other modules.
    Imports,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Providers => "providers",
            Self::Imports => "imports",
        }
    }
}

/// What is to be listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// The module in which the type can be named: `crate::chat`.
    pub(crate) module: &'a str,
    /// The type.
    pub(crate) name: &'a str,
}

impl Entry<'_> {
    fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    /// Whether a path from the root means this type, be it named through the
    /// module or through a file in it.
    fn is(&self, path: &str) -> bool {
        let last = path.rsplit("::").next().unwrap_or_default();
        last == self.name && path.starts_with(&format!("{}::", self.module))
    }
}

/// The names of all structs of a file that have `#[module]`.
pub(crate) fn modules_in(text: &str) -> Vec<String> {
    let Ok(source) = Source::parse(text) else {
        return Vec::new();
    };
    let structs = source.items().iter().filter_map(|item| match item {
        syn::Item::Struct(item) => Some(item),
        _ => None,
    });
    structs
        .filter(|item| attribute(item).is_some())
        .map(|item| item.ident.to_string())
        .collect()
}

/// Lists a type in the attribute of `owner`, a struct of this file, whose
/// module is `here`, and imports the type's name.
pub(crate) fn add(
    text: &str,
    here: &str,
    owner: &str,
    list: List,
    entry: Entry<'_>,
) -> Outcome<String> {
    let source = Source::parse(text)?;
    let names = Names::of(&source, here);
    let place = Place::find(&source, owner, list)?;
    if place
        .entries
        .iter()
        .any(|listed| entry.is(&names.resolve(listed)))
    {
        return Ok(text.to_owned());
    }
    let path = entry.path();
    // A name that stands for something else here is written with its path.
    let (written, import) = match names.stands_for(entry.name) {
        Some(known) if entry.is(known) => (entry.name, false),
        Some(_) => (path.as_str(), false),
        None => (entry.name, true),
    };
    let listed = place.insert(&source, written);
    let listed = wide_lists::broken(&listed, owner)?;
    if import {
        use_line::add(&listed, &path)
    } else {
        Ok(listed)
    }
}

/// Where in the text an entry goes.
struct Place {
    /// What is listed so far.
    entries: Vec<String>,
    /// What goes around the entry.
    wrapping: (String, &'static str),
    /// The inside of the parentheses that it goes into; `None` when there are
    /// none, then `at` is where they go.
    inside: Option<Inside>,
    at: usize,
}

/// The inside of a pair of parentheses.
#[derive(Clone)]
struct Inside {
    /// The end of the last token, if there is one.
    last: Option<usize>,
    trailing_comma: bool,
    /// Where the closing parenthesis is.
    close: usize,
}

impl Place {
    fn find(source: &Source<'_>, owner: &str, list: List) -> Outcome<Self> {
        let found = source.items().iter().find_map(|item| match item {
            syn::Item::Struct(item) if item.ident == owner => attribute(item),
            _ => None,
        });
        let attribute = found.ok_or_else(|| Failure::new(format!("`{owner}` has no #[module]")))?;
        let arguments = match &attribute.meta {
            syn::Meta::Path(path) => {
                return Ok(Self {
                    entries: Vec::new(),
                    wrapping: (format!("({}(", list.name()), "))"),
                    inside: None,
                    at: source.range(path.span()).end,
                });
            }
            syn::Meta::List(arguments) => arguments,
            syn::Meta::NameValue(_) => {
                return Err(Failure::new(format!(
                    "#[module = ..] of `{owner}` has no lists"
                )));
            }
        };
        let close = source.range(arguments.delimiter.span().close()).start;
        let tokens = arguments.tokens.clone();
        if let Some((inner, close)) = list_group(source, &tokens, list) {
            return Ok(Self {
                entries: entries(&inner),
                wrapping: (String::new(), ""),
                inside: Some(Inside::of(source, inner, close)),
                at: close,
            });
        }
        Ok(Self {
            entries: Vec::new(),
            wrapping: (format!("{}(", list.name()), ")"),
            inside: Some(Inside::of(source, tokens, close)),
            at: close,
        })
    }

    fn insert(&self, source: &Source<'_>, entry: &str) -> String {
        let entry = format!("{}{entry}{}", self.wrapping.0, self.wrapping.1);
        let Some(inside) = &self.inside else {
            return source.inserted(self.at, &entry);
        };
        let Some(last) = inside.last else {
            return source.inserted(inside.close, &entry);
        };
        let comma = if inside.trailing_comma { "" } else { "," };
        let after = if inside.trailing_comma { "," } else { "" };
        let many_lines = source.text()[last..inside.close].contains('\n');
        if !many_lines {
            // `A,` stays without a comma at the end: it is on one line.
            return source.inserted(last, &format!("{comma} {entry}"));
        }
        let indentation = source.indentation(last);
        let line = source.line_end();
        // A comment behind the last entry stays behind it.
        let end_of_line = source.text()[last..inside.close]
            .find('\n')
            .map_or(last, |at| {
                let end = last + at;
                if source.text()[..end].ends_with('\r') {
                    end - 1
                } else {
                    end
                }
            });
        let with_entry =
            source.inserted(end_of_line, &format!("{line}{indentation}{entry}{after}"));
        let mut text = with_entry;
        text.insert_str(last, comma);
        text
    }
}

impl Inside {
    fn of(source: &Source<'_>, tokens: TokenStream, close: usize) -> Self {
        let last = tokens.into_iter().last();
        Self {
            trailing_comma: matches!(&last, Some(TokenTree::Punct(mark)) if mark.as_char() == ','),
            last: last.map(|token| end_of(source, &token)),
            close,
        }
    }
}

fn end_of(source: &Source<'_>, token: &TokenTree) -> usize {
    source.range(token.span()).end
}

/// The attribute of a struct.
pub(super) fn attribute(item: &syn::ItemStruct) -> Option<&syn::Attribute> {
    item.attrs.iter().find(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|segment| segment.ident == "module")
    })
}

/// The inside of `list(..)`, and where its closing parenthesis is.
fn list_group(
    source: &Source<'_>,
    tokens: &TokenStream,
    list: List,
) -> Option<(TokenStream, usize)> {
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let TokenTree::Ident(name) = token else {
            continue;
        };
        if name == list.name()
            && let Some(TokenTree::Group(group)) = tokens.peek()
            && group.delimiter() == Delimiter::Parenthesis
        {
            return Some((group.stream(), source.range(group.span_close()).start));
        }
    }
    None
}

/// The entries of a list, without white space.
fn entries(tokens: &TokenStream) -> Vec<String> {
    let mut entries = vec![String::new()];
    for token in tokens.clone() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ',' => entries.push(String::new()),
            token => {
                let entry = entries.last_mut().expect("there is always a last one");
                entry.push_str(&token.to_string());
            }
        }
    }
    entries.retain(|entry| !entry.is_empty());
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: Entry<'_> = Entry {
        module: "crate::chat",
        name: "ChatModule",
    };

    fn imported(text: &str) -> String {
        add(text, "crate::app_module", "AppModule", List::Imports, CHAT).expect("it parses")
    }

    #[test]
    fn a_list_that_is_missing_is_added() {
        for (before, after) in [
            (
                "#[module]\nstruct AppModule;\n",
                "#[module(imports(ChatModule))]",
            ),
            (
                "#[module()]\nstruct AppModule;\n",
                "#[module(imports(ChatModule))]",
            ),
            (
                "#[module(imports())]\nstruct AppModule;\n",
                "#[module(imports(ChatModule))]",
            ),
            (
                "#[module(providers(A))]\nstruct AppModule;\n",
                "#[module(providers(A), imports(ChatModule))]",
            ),
            (
                "#[nest_gateway::module(imports(A, B))] struct AppModule;\n",
                "#[nest_gateway::module(imports(A, B, ChatModule))] struct",
            ),
            (
                "#[module(imports(A,),)]\nstruct AppModule;\n",
                "#[module(imports(A, ChatModule),)]",
            ),
        ] {
            let text = imported(before);
            assert!(text.contains(after), "{before}: {text}");
            assert!(text.contains("use crate::chat::ChatModule;\n"), "{text}");
            assert_eq!(imported(&text), text, "a second time changes nothing");
        }
    }

    #[test]
    fn lines_and_comments_of_a_list_are_kept() {
        let text = "#[module(\n    imports(\n        A, // first\n        B // the other\n    ),\n)]\npub struct AppModule;\n";
        assert_eq!(
            imported(text),
            "use crate::chat::ChatModule;\n\n#[module(\n    imports(\n        A, // first\n        B, // the other\n        ChatModule\n    ),\n)]\npub struct AppModule;\n"
        );
    }

    #[test]
    fn a_list_that_gets_too_wide_is_broken_as_rustfmt_does() {
        let text = "#[module(providers(AlphaService, BetaService, GammaService), imports(Delta))]\npub struct AppModule;\n";
        let text = imported(text);
        assert!(
            text.contains("#[module(\n    providers(AlphaService, BetaService, GammaService),\n    imports(Delta, ChatModule)\n)]\n"),
            "{text}"
        );
    }

    #[test]
    fn every_list_that_gets_too_wide_is_broken() {
        let long = "AlphabeticalService, BravissimoService, CharlestonService, DeltaService";
        let text = format!("#[module(imports({long}))]\npub struct AppModule;\n");
        let lines = long.replace(", ", ",\n    ");
        assert!(
            imported(&text).contains(&format!(
                "#[module(imports(\n    {lines},\n    ChatModule\n))]\n"
            )),
            "{}",
            imported(&text)
        );
        let text = format!(
            "#[module(\n    providers(A), // one\n    imports({long})\n)]\npub struct AppModule;\n"
        );
        let lines = long.replace(", ", ",\n        ");
        assert!(
            imported(&text).contains(&format!(
                "#[module(\n    providers(A), // one\n    imports(\n        {lines},\n        ChatModule\n    )\n)]\n"
            )),
            "{}",
            imported(&text)
        );
    }

    #[test]
    fn a_list_beside_a_broken_one_puts_both_on_lines_of_their_own() {
        let text = "#[module(providers(\n    A,\n    B\n))]\npub struct AppModule;\n";
        assert!(
            imported(text).contains(
                "#[module(\n    providers(\n        A,\n        B\n    ),\n    imports(ChatModule)\n)]\n"
            ),
            "{}",
            imported(text)
        );
    }

    #[test]
    fn a_module_that_is_listed_under_any_path_is_not_listed_again() {
        for text in [
            "use crate::chat::ChatModule;\n#[module(imports(ChatModule))]\nstruct AppModule;\n",
            "use crate::chat::chat_module::ChatModule;\n#[module(imports(ChatModule))]\nstruct AppModule;\n",
            "use crate::chat;\n#[module(imports(chat::ChatModule))]\nstruct AppModule;\n",
            "#[module(imports(crate::chat::ChatModule))]\nstruct AppModule;\n",
        ] {
            assert_eq!(imported(text), text);
        }
    }

    #[test]
    fn a_name_that_is_taken_is_listed_with_its_path() {
        let text =
            "use crate::old::ChatModule;\n#[module(imports(ChatModule))]\nstruct AppModule;\n";
        assert_eq!(
            imported(text),
            "use crate::old::ChatModule;\n#[module(imports(ChatModule, crate::chat::ChatModule))]\nstruct AppModule;\n"
        );
    }

    #[test]
    fn modules_of_a_file_are_found_by_their_attribute() {
        let text = "#[module]\nstruct A;\nstruct B;\n#[nest_gateway::module(providers())]\npub struct C;\n";
        assert_eq!(modules_in(text), ["A", "C"]);
        assert!(modules_in("not rust at all {").is_empty());
    }
}
