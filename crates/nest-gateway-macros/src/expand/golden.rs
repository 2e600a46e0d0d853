//! What the attributes expand to, compared with files that a person can read.
//!
//! `tests/expand/X.rs` is what a user writes, `X.expanded.rs` what comes of it.
//! Both are compared as tokens, so that the files can be laid out for reading.
//! After a change, run the tests with `EXPAND=overwrite`, then `rustfmt` on the
//! new files, and read the difference.

use std::path::PathBuf;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Item};

use crate::attrs::{arguments, is_named};
use crate::errors::Errors;

#[test]
fn a_gateway_becomes_its_description() {
    compare("gateway");
}

#[test]
fn handlers_become_calls_of_the_builder() {
    compare("subscriptions");
}

#[test]
fn an_injectable_becomes_a_list_of_needs_and_a_constructor() {
    compare("injectable");
}

#[test]
fn a_module_becomes_its_description() {
    compare("module");
}

#[test]
fn derives_become_one_impl() {
    compare("derives");
}

fn compare(name: &str) {
    let file = |end: &str| {
        let file = format!("tests/expand/{name}{end}");
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
    };
    let source = fs::read_to_string(file(".rs")).expect("the source is there");
    let expanded = expand(syn::parse_file(&source).expect("the source is Rust"));
    let golden = file(".expanded.rs");
    if env::var_os("EXPAND").is_some_and(|how| how == "overwrite") {
        fs::write(golden, expanded.to_string()).expect("the file can be written");
        return;
    }
    let expected = fs::read_to_string(golden).expect("the expected file is there");
    let expected: TokenStream = expected.parse().expect("the expected file is Rust");
    assert_eq!(without_commas(&expanded), without_commas(&expected));
}

/// `rustfmt` adds and removes commas at the end of lists.
fn without_commas(tokens: &TokenStream) -> String {
    let mut text: String = tokens.to_string().split_whitespace().collect();
    for (with, without) in [(",)", ")"), (",]", "]"), (",}", "}"), (",>", ">")] {
        text = text.replace(with, without);
    }
    text
}

fn expand(file: syn::File) -> TokenStream {
    file.items.into_iter().map(expand_item).collect()
}

/// Expands the first of our attributes on an item, as the compiler would.
fn expand_item(mut item: Item) -> TokenStream {
    let attributes = match &mut item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        other => return other.to_token_stream(),
    };
    let ours = |attribute: &Attribute| {
        ["websocket_gateway", "subscriptions", "injectable", "module"]
            .into_iter()
            .find(|name| is_named(attribute, name))
    };
    let Some(place) = attributes.iter().position(|it| ours(it).is_some()) else {
        return derive(&item);
    };
    let attribute = attributes.remove(place);
    let options = arguments(&attribute, &mut Errors::default()).unwrap_or_default();
    let item = quote!(#item);
    match ours(&attribute) {
        Some("websocket_gateway") => super::gateway(options, &item),
        Some("subscriptions") => super::subscriptions(options, &item),
        Some("injectable") => super::injectable(options, &item),
        _ => super::module(options, &item),
    }
}

fn derive(item: &Item) -> TokenStream {
    let input = quote!(#item);
    if input.to_string().contains("derive (Event)") {
        super::event(input)
    } else {
        super::ws_error(input)
    }
}
