//! `#[derive(Event)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, LitStr, Token};

use super::generated;
use crate::attrs::{Opt, Options, Root, arguments, parse_list, take};
use crate::errors::Errors;

/// `#[event("name", crate = path)]`
struct Named {
    name: LitStr,
    options: Vec<Opt>,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self {
            name,
            options: parse_list(input.parse()?)?,
        })
    }
}

pub(crate) fn event(input: TokenStream) -> TokenStream {
    const EXAMPLE: &str = "say under which name it is emitted: `#[event(\"message_sent\")]`";
    let mut input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let mut named = None;
    let mut root = Root::default();
    for (_, attribute) in take(&mut input.attrs, &["event"]) {
        let tokens = arguments(&attribute, &mut errors).unwrap_or_default();
        if named.is_some() {
            errors.push(attribute, "an event has one name: keep one of them");
        } else if let Ok(event) = syn::parse2::<Named>(tokens) {
            named = Some(event.name);
            let mut admitted = Options::of("event", &["crate"]);
            for option in event.options {
                if admitted.admit(&option, &[], &mut errors) {
                    root = Root::from_option(option, &mut errors).unwrap_or_default();
                }
            }
        } else {
            errors.push(attribute, EXAMPLE);
            named = Some(LitStr::new("", proc_macro2::Span::call_site()));
        }
    }
    let name = named.unwrap_or_else(|| {
        errors.push(&input.ident, EXAMPLE);
        LitStr::new("", proc_macro2::Span::call_site())
    });
    let (generated, private, errors) = (generated(), root.private(), errors.into_tokens());
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        #generated
        impl #impl_generics #private::Event for #ident #ty_generics #where_clause {
            const NAME: &'static str = #name;
        }
        #errors
    }
}
