//! Items on which an attribute makes no sense.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Item};

use crate::attrs::is_named;
use crate::errors::Errors;

/// The item as it is, with a mistake reported on its name.
pub(crate) fn misplaced(item: &TokenStream, text: &str) -> TokenStream {
    let mut errors = Errors::default();
    match syn::parse2::<Item>(item.clone()) {
        Ok(parsed) => errors.push(name(&parsed), text),
        Err(error) => errors.add(error),
    }
    let errors = errors.into_tokens();
    quote!(#errors #item)
}

/// An attribute that belongs to others (`#[use_guards(..)]`), when the compiler
/// comes to it before them, or without them.
pub(crate) fn beside(name: &str, arguments: &TokenStream, item: &TokenStream) -> TokenStream {
    let method = name.starts_with("subscribe");
    let Ok(mut parsed) = syn::parse2::<Item>(item.clone()) else {
        return misplaced_method(name, item);
    };
    let attribute = syn::Ident::new(name, proc_macro2::Span::call_site());
    if let Some(attributes) = attributes(&mut parsed)
        && attributes
            .iter()
            .any(|it| is_named(it, "websocket_gateway"))
        && !method
    {
        // It stood above: it is read when it stands below.
        attributes.push(syn::parse_quote!(#[#attribute(#arguments)]));
        return quote!(#parsed);
    }
    let text = match &parsed {
        Item::Struct(_) if !method => format!(
            "`#[{name}]` belongs to a gateway: add `#[websocket_gateway(namespace = \"/..\")]` \
             above it"
        ),
        Item::Struct(_) => {
            format!("`#[{name}]` belongs on a method, in an impl block with `#[subscriptions]`")
        }
        Item::Fn(_) => return misplaced_method(name, item),
        _ => format!(
            "`#[{name}]` belongs on a gateway's struct, or on a method in an impl block with \
             `#[subscriptions]`"
        ),
    };
    misplaced(item, &text)
}

/// A method: its impl block lacks `#[subscriptions]`, which would have taken
/// the attribute.
fn misplaced_method(name: &str, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    errors.add(syn::Error::new(
        proc_macro2::Span::call_site(),
        format!(
            "`#[{name}]` is for methods in an impl block with `#[subscriptions]`: put that on the \
             block"
        ),
    ));
    let errors = errors.into_tokens();
    // Among methods there is no place for a macro call, and a block of code
    // that reports the mistake is part of none; a function can hold it.
    let Ok(mut method) = syn::parse2::<syn::ImplItemFn>(item.clone()) else {
        return quote!(#errors #item);
    };
    let block = &method.block;
    method.block = syn::parse_quote!({ #errors #block });
    quote!(#method)
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn name(item: &Item) -> TokenStream {
    match item {
        Item::Struct(item) => ident(&item.ident),
        Item::Enum(item) => ident(&item.ident),
        Item::Union(item) => ident(&item.ident),
        Item::Trait(item) => ident(&item.ident),
        Item::Mod(item) => ident(&item.ident),
        Item::Fn(item) => ident(&item.sig.ident),
        Item::Impl(item) => {
            let ty = &item.self_ty;
            quote!(#ty)
        }
        other => quote!(#other),
    }
}

fn ident(ident: &syn::Ident) -> TokenStream {
    quote!(#ident)
}
