//! `#[derive(WsError)]`: `From<E> for WsException`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Fields, Ident, LitStr};

use super::generated;
use crate::attrs::at;
use crate::errors::Errors;
use crate::model::{Code, Variant, WsError};

pub(crate) fn ws_error(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let error = WsError::parse(input, &mut errors);
    let (generated, private, errors) = (generated(), error.root.private(), errors.into_tokens());
    let ident = &error.input.ident;
    let (impl_generics, ty_generics, where_clause) = error.input.generics.split_for_impl();
    let arms = error.variants.iter().map(|it| arm(&private, ident, it));
    let body = if error.variants.is_empty() {
        quote!(match __error {})
    } else {
        quote!(match __error { #(#arms)* })
    };
    quote! {
        #generated
        impl #impl_generics ::core::convert::From<#ident #ty_generics> for #private::WsException
        #where_clause
        {
            #[allow(unused_variables, non_snake_case, unreachable_code)]
            fn from(__error: #ident #ty_generics) -> Self {
                #body
            }
        }
        #errors
    }
}

fn arm(private: &TokenStream, ident: &Ident, variant: &Variant) -> TokenStream {
    let name = variant.name.iter();
    let path = quote!(#ident #(::#name)*);
    let span = at(variant.name.as_ref().unwrap_or(ident));
    match &variant.code {
        Code::Internal => {
            quote_spanned! {span=>
                #path { .. } => #private::WsException::internal(#private::source(__error)),
            }
        }
        Code::Transparent => {
            let member = variant.fields.members().next();
            quote_spanned! {span=>
                #path { #member: __inner } => ::core::convert::Into::into(__inner),
            }
        }
        Code::Public(public) => {
            let (bindings, message) = match &public.message {
                Some(message) => bound(&variant.fields, message),
                None => (
                    TokenStream::new(),
                    quote_spanned!(span=> #private::message(&__error)),
                ),
            };
            let (code, status) = (public.code.iter(), public.status.iter());
            quote_spanned! {span=>
                #path { #bindings .. } => {
                    let __exception = #private::WsException::new(#message);
                    #(let __exception = __exception.with_code(#code);)*
                    #(let __exception = __exception.with_status(#status);)*
                    __exception.with_source(#private::source(__error))
                }
            }
        }
    }
}

/// The message with its `{field}` and `{0}`, and the pattern that binds those.
fn bound(fields: &Fields, message: &LitStr) -> (TokenStream, TokenStream) {
    let mut text = message.value();
    let mut bindings = TokenStream::new();
    for (index, field) in fields.iter().enumerate() {
        let name = match &field.ident {
            Some(name) => {
                if mentions(&text, &name.to_string()) {
                    bindings.extend(quote!(ref #name,));
                }
                continue;
            }
            None => format_ident!("__field_{index}", span = message.span()),
        };
        if mentions(&text, &index.to_string()) {
            for end in ['}', ':'] {
                text = text.replace(&format!("{{{index}{end}"), &format!("{{{name}{end}"));
            }
            let member = syn::Index::from(index);
            bindings.extend(quote!(#member: ref #name,));
        }
    }
    let message = LitStr::new(&text, message.span());
    (bindings, quote!(::std::format!(#message)))
}

fn mentions(text: &str, field: &str) -> bool {
    ['}', ':']
        .iter()
        .any(|end| text.contains(&format!("{{{field}{end}")))
}
