//! Lists of guards, interceptors, pipes and filters.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::attrs::{Enhancers, Listed, at};

/// The lists of one place as an `Enhancers`; nothing if they are empty.
pub(super) fn enhancers(private: &TokenStream, listed: &Enhancers) -> Option<TokenStream> {
    let lists = [
        (&listed.guards, quote!(guard), quote!(DynGuard)),
        (
            &listed.interceptors,
            quote!(interceptor),
            quote!(DynInterceptor),
        ),
        (&listed.pipes, quote!(pipe), quote!(DynPipe)),
        (&listed.filters, quote!(filter), quote!(DynFilter)),
    ];
    let calls: Vec<_> = lists
        .iter()
        .flat_map(|(list, method, kind)| {
            list.iter().map(move |one| {
                let enhancer = enhancer(private, kind, one);
                quote!(.#method(#enhancer))
            })
        })
        .collect();
    (!calls.is_empty()).then(|| quote!(#private::Enhancers::new() #(#calls)*))
}

/// One of them.
pub(super) fn enhancer(private: &TokenStream, kind: &TokenStream, one: &Listed) -> TokenStream {
    match one {
        Listed::Provider(ty) => {
            quote_spanned!(at(ty)=> #private::Enhancer::<dyn #private::#kind>::of::<#ty>())
        }
        Listed::Value(value) => {
            quote!(#private::Enhancer::<dyn #private::#kind>::value(#value))
        }
    }
}
