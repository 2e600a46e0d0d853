//! Mistakes, collected so that they are reported together.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Ident;

/// All mistakes of one item, in the order found.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds a mistake. The text says what is wrong and what to write instead;
    /// the tokens are those that are wrong.
    pub(crate) fn push(&mut self, at: impl ToTokens, text: impl Display) {
        self.add(syn::Error::new_spanned(at, text));
    }

    /// Adds a mistake that the parser found.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or nothing and one more mistake.
    pub(crate) fn check<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// The mistakes as tokens that make the compiler report them; empty when
    /// there are none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0
            .map(syn::Error::into_compile_error)
            .unwrap_or_default()
    }
}

/// That an attribute has no such option, with the nearest one, or all of them.
pub(crate) fn unknown_option(attribute: &str, name: &Ident, known: &[&str]) -> String {
    let advice = match (nearest(&name.to_string(), known), known) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, [only]) => format!("its only option is `{only}`"),
        (None, _) => format!("its options are {}", listed(known)),
    };
    format!("`#[{attribute}]` has no option `{name}`: {advice}")
}

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The known name that a slip of the fingers, or a habit from elsewhere, makes
/// into this one.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |other: &&&str| edits(name, other);
    let near = known.iter().min_by_key(distance)?;
    (distance(&near) <= name.len().max(near.len()) / 3).then_some(near)
}

/// The Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_none() {
        let known = ["namespace", "port", "adapter", "emits"];
        assert_eq!(nearest("namespce", &known), Some("namespace"));
        assert_eq!(nearest("nameSpace", &known), Some("namespace"));
        assert_eq!(nearest("prot", &known), None);
        assert_eq!(nearest("ports", &known), Some("port"));
        assert_eq!(nearest("emit", &known), Some("emits"));
        assert_eq!(nearest("cors", &known), None);
    }
}
