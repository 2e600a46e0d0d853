//! `#[subscriptions]`: the handlers, beside the impl block.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Item, Type};

use super::{generated, handler, misplaced};
use crate::attrs::at;
use crate::check;
use crate::errors::Errors;
use crate::model::Subscriptions;

pub(crate) fn subscriptions(options: TokenStream, item: &TokenStream) -> TokenStream {
    let item = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(item)) => item,
        Ok(Item::Struct(_)) => {
            return misplaced(
                item,
                "`#[subscriptions]` goes on the impl block with the handlers; the struct gets \
                 `#[websocket_gateway(..)]`",
            );
        }
        _ => {
            return misplaced(
                item,
                "`#[subscriptions]` goes on the impl block of a gateway",
            );
        }
    };
    let mut errors = Errors::default();
    let subscriptions = Subscriptions::parse(options, item, &mut errors);
    check::subscriptions(&subscriptions, &mut errors);
    let impl_ = describe(&subscriptions);
    let (item, errors) = (&subscriptions.item, errors.into_tokens());
    quote!(#item #impl_ #errors)
}

/// Nothing where the block is no plain impl of a struct: what is wrong with it
/// has been said.
fn describe(subscriptions: &Subscriptions) -> Option<TokenStream> {
    let item = &subscriptions.item;
    let ty = &item.self_ty;
    if !item.generics.params.is_empty() || item.trait_.is_some() || !matches!(**ty, Type::Path(_)) {
        return None;
    }
    let private = subscriptions.root.private();
    let generated = generated();
    let handlers = subscriptions.handlers.iter();
    let handlers = handlers.map(|it| handler::handler(&private, it));
    let assertions = subscriptions.handlers.iter();
    let assertions = assertions.map(|it| handler::assertions(&private, it));
    let is_gateway = quote_spanned!(at(ty)=> #private::is_gateway::<#ty>(););
    Some(quote! {
        #generated
        impl #private::Subscriptions for #ty {
            fn subscribe(
                __builder: #private::GatewayBuilder<Self>,
            ) -> #private::GatewayBuilder<Self> {
                #[allow(unused_imports)]
                use #private::rungs::*;
                #(#handlers)*
                __builder
            }
        }

        const _: () = { #is_gateway };
        #(#assertions)*
    })
}
