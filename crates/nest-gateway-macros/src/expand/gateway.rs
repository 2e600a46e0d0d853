//! `#[websocket_gateway]`: `Injectable`, `Provided` and `Gateway`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Item, Type};

use super::documentation::emits;
use super::enhancers::enhancers;
use super::injectable::{injectable_struct, provided};
use super::{generated, misplaced};
use crate::attrs::at;
use crate::check;
use crate::errors::Errors;
use crate::model::Gateway;

pub(crate) fn gateway(options: TokenStream, item: &TokenStream) -> TokenStream {
    let item = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(item)) => item,
        Ok(Item::Impl(_)) => {
            return misplaced(
                item,
                "`#[websocket_gateway]` goes on the struct; the impl block with the handlers gets \
                 `#[subscriptions]`",
            );
        }
        _ => return misplaced(item, "a gateway is a struct"),
    };
    let mut errors = Errors::default();
    let gateway = Gateway::parse(options, item, &mut errors);
    check::gateway(&gateway, &mut errors);
    if !gateway.item.generics.params.is_empty() {
        let (errors, item) = (errors.into_tokens(), &gateway.item);
        return quote!(#item #errors);
    }
    let private = gateway.root.private();
    let (item, ident) = (&gateway.item, &gateway.item.ident);
    let injectable = injectable_struct(&private, ident, &gateway.fields);
    let provided = provided(&private, ident, |provider| {
        quote! {
            __module.gateway_provider(#provider, <#ident as #private::Gateway>::describe())
        }
    });
    let description = description(&private, &gateway);
    let declared = gateway.emits.iter().enumerate();
    let declared = declared
        // What is listed twice is reported already.
        .filter(|(at, event)| !gateway.emits[..*at].contains(event))
        .map(|(_, event)| declared_event(&private, ident, event));
    let errors = errors.into_tokens();
    quote!(#item #injectable #provided #description #(#declared)* #errors)
}

/// What lets the gateway's server send a typed event.
fn declared_event(private: &TokenStream, ident: &Ident, event: &Type) -> TokenStream {
    let generated = generated();
    quote_spanned! {at(event)=>
        #generated
        impl #private::EmittedBy<#ident> for #event {}
    }
}

fn description(private: &TokenStream, gateway: &Gateway) -> TokenStream {
    let generated = generated();
    let ident = &gateway.item.ident;
    let root = || syn::parse_quote!("/");
    let namespace = gateway.namespace.clone().unwrap_or_else(root);
    let port = gateway.port.iter();
    let adapters = &gateway.adapters;
    let enhancers = enhancers(private, &gateway.enhancers).into_iter();
    let metadata = &gateway.enhancers.metadata;
    let emits = gateway.emits.iter().map(|event| emits(private, event));
    // Reported on the struct's name when there is no `#[subscriptions]`.
    let subscribe = quote_spanned! {at(ident)=>
        let __builder = <#ident as #private::Subscriptions>::subscribe(__builder);
    };
    quote! {
        #generated
        impl #private::Gateway for #ident {
            fn describe() -> #private::GatewayDescriptor {
                #[allow(unused_imports)]
                use #private::rungs::*;
                let __builder = #private::GatewayBuilder::<Self>::new(#namespace)
                    #(.port(#port))*
                    #(.adapter(#adapters))*
                    #(.enhancers(#enhancers))*
                    #(.metadata(#metadata))*
                    #(#emits)*;
                #subscribe
                let __tag = #private::Tag::<Self>::new();
                let __builder = (&&__tag).after_init(__builder);
                let __builder = (&&__tag).on_connection(__builder);
                let __builder = (&&__tag).on_disconnect(__builder);
                let __builder = (&&__tag).on_emit(__builder);
                __builder.build()
            }
        }
    }
}
