//! `#[module]`: `Module`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Item, Type};

use super::{generated, misplaced};
use crate::attrs::{Listed, at};
use crate::errors::Errors;
use crate::model::{Module, Provider, ProviderSource};

pub(crate) fn module(options: TokenStream, item: &TokenStream) -> TokenStream {
    let Ok(Item::Struct(item)) = syn::parse2::<Item>(item.clone()) else {
        return misplaced(
            item,
            "a module is a struct without fields: `struct ChatModule;`",
        );
    };
    let mut errors = Errors::default();
    let module = Module::parse(options, item, &mut errors);
    let implementation = module
        .item
        .generics
        .params
        .is_empty()
        .then(|| implementation(&module));
    let (item, errors) = (&module.item, errors.into_tokens());
    quote!(#item #implementation #errors)
}

fn implementation(module: &Module) -> TokenStream {
    let generated = generated();
    let private = module.root.private();
    let ident = &module.item.ident;
    let name = ident.to_string();
    let imports = module.imports.iter().map(|import| match import {
        Listed::Provider(ty) => quote_spanned!(at(ty)=> .import::<#ty>()),
        Listed::Value(value) => quote_spanned!(at(value)=> .import_from(#value)),
    });
    let providers = module.providers.iter().map(|it| provider(&private, it));
    let exports = module.exports.iter();
    let exports = exports.map(|ty| quote_spanned!(at(ty)=> .export::<#ty>()));
    let global = module.global.then(|| quote!(.global()));
    quote! {
        #generated
        impl #private::Module for #ident {
            fn describe() -> #private::ModuleDescriptor {
                #[allow(unused_imports)]
                use #private::rungs::*;
                let __module = #private::ModuleDescriptor::new(#name) #(#imports)*;
                #(#providers)*
                __module #(#exports)* #global
            }
        }
    }
}

/// Statements that add the provider to `__module`.
fn provider(private: &TokenStream, provider: &Provider) -> TokenStream {
    let binding = provider.binding.as_ref();
    match &provider.source {
        ProviderSource::Type(ty) => {
            let bind = binding.map(|binding| {
                quote_spanned! {at(binding)=>
                    let __module = __module.provide(
                        #private::Provider::bind::<#binding, #ty>(|__it| __it),
                    );
                }
            });
            quote_spanned! {at(ty)=>
                let __module = __module.list::<#ty>();
                #bind
            }
        }
        ProviderSource::Value(value) => {
            let provide = with_hooks(private, binding);
            quote! {
                let (__provider, __tag) = #private::value(#value);
                #provide
            }
        }
        ProviderSource::Factory(factory) => {
            let provide = with_hooks(private, binding);
            quote! {
                let (__provider, __tag) = #private::factory(#factory);
                #provide
            }
        }
    }
}

/// Lists `__provider`, whose type `__tag` stands for.
fn with_hooks(private: &TokenStream, binding: Option<&Type>) -> TokenStream {
    let bind = binding.map(|binding| {
        quote_spanned! {at(binding)=>
            let __module = __module.provide(#private::bind::<#binding, _>(&__tag, |__it| __it));
        }
    });
    quote! {
        let __provider = (&&__tag).on_module_init(__provider);
        let __provider = (&&__tag).on_shutdown(__provider);
        let __module = __module.provide(__provider);
        #bind
    }
}
