//! `#[injectable]`: `Injectable` and `Provided`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Item};

use super::{generated, misplaced};
use crate::attrs::at;
use crate::errors::Errors;
use crate::model::{Constructor, Field, Injectable};

pub(crate) fn injectable(options: TokenStream, item: &TokenStream) -> TokenStream {
    const ELSEWHERE: &str = "`#[injectable]` goes on a struct, whose fields are injected, or on an \
                             impl block with `fn new(..)`, whose arguments are injected";
    let Ok(parsed) = syn::parse2::<Item>(item.clone()) else {
        return misplaced(item, ELSEWHERE);
    };
    let mut errors = Errors::default();
    let Some(injectable) = Injectable::parse(options, parsed, &mut errors) else {
        return misplaced(item, ELSEWHERE);
    };
    let (item, impls) = match &injectable {
        Injectable::Struct { item, root, fields } => {
            let (private, ident) = (root.private(), &item.ident);
            let impls = item.generics.params.is_empty().then(|| {
                let injectable = injectable_struct(&private, ident, fields);
                let provided = provided(&private, ident, provide);
                quote!(#injectable #provided)
            });
            (item.to_token_stream(), impls)
        }
        Injectable::Gateway { item } => (item.to_token_stream(), None),
        Injectable::Impl {
            item,
            root,
            constructor,
        } => {
            let (private, ty) = (root.private(), &item.self_ty);
            let impls = item.generics.params.is_empty().then(|| {
                let injectable = injectable_impl(&private, ty, constructor.as_ref());
                let provided = provided(&private, ty, provide);
                quote!(#injectable #provided)
            });
            (item.to_token_stream(), impls)
        }
    };
    let errors = errors.into_tokens();
    quote!(#item #impls #errors)
}

fn provide(provider: &TokenStream) -> TokenStream {
    quote!(__module.provide(#provider))
}

/// `Injectable` for a struct whose fields are injected.
pub(super) fn injectable_struct(
    private: &TokenStream,
    ident: &Ident,
    fields: &[Field],
) -> TokenStream {
    let dependencies = fields.iter().filter(|field| field.source.is_container());
    let dependencies = dependencies.map(|field| {
        let (cfgs, ty) = (&field.cfgs, &field.ty);
        let dependency = quote_spanned!(at(ty)=> <#ty as #private::FromContainer>::dependency());
        quote!(#(#cfgs)* #dependency)
    });
    let fields = fields.iter().map(|field| {
        let (cfgs, member) = (&field.cfgs, &field.member);
        let value = field.value(private);
        quote!(#(#cfgs)* #member: #value)
    });
    let construct = quote!(::core::result::Result::Ok(Self { #(#fields),* }));
    implementation(private, ident, dependencies, &construct)
}

/// `Injectable` for a type with a constructor.
fn injectable_impl(
    private: &TokenStream,
    ty: impl ToTokens,
    constructor: Option<&Constructor>,
) -> TokenStream {
    let Some(constructor) = constructor else {
        let nothing = quote!(::core::unreachable!("it does not compile"));
        return implementation(private, ty, std::iter::empty(), &nothing);
    };
    let dependencies = constructor.arguments.iter();
    let dependencies = dependencies
        .map(|ty| quote_spanned!(at(ty)=> <#ty as #private::FromContainer>::dependency()));
    let arguments = constructor.arguments.iter();
    let arguments = arguments
        .map(|ty| quote_spanned!(at(ty)=> <#ty as #private::FromContainer>::resolve(__resolver)?));
    let name = &constructor.name;
    let awaited = constructor.is_async.then(|| quote!(.await));
    let construct = quote_spanned! {at(name)=>
        #[allow(unused_imports)]
        use #private::rungs::*;
        let __new = Self::#name(#(#arguments),*) #awaited;
        ::core::result::Result::Ok((&&#private::Tag::of(&__new)).result(__new)?)
    };
    implementation(private, ty, dependencies, &construct)
}

fn implementation(
    private: &TokenStream,
    ty: impl ToTokens,
    dependencies: impl Iterator<Item = TokenStream>,
    construct: &TokenStream,
) -> TokenStream {
    let generated = generated();
    quote! {
        #generated
        impl #private::Injectable for #ty {
            fn dependencies() -> ::std::vec::Vec<#private::Dependency> {
                #private::dependencies([#(#dependencies),*])
            }

            #[allow(unused_variables)]
            async fn construct(
                __resolver: &#private::Resolver<'_>,
            ) -> ::core::result::Result<Self, #private::BoxError> {
                #construct
            }
        }
    }
}

/// `Provided`, with the hooks that the type has.
pub(super) fn provided(
    private: &TokenStream,
    ty: impl ToTokens,
    provide: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    let generated = generated();
    let provide = provide(&quote!(__provider));
    quote! {
        #generated
        impl #private::Provided for #ty {
            fn provide(__module: #private::ModuleDescriptor) -> #private::ModuleDescriptor {
                #[allow(unused_imports)]
                use #private::rungs::*;
                let __tag = #private::Tag::<Self>::new();
                let __provider = #private::Provider::of::<Self>();
                let __provider = (&&__tag).on_module_init(__provider);
                let __provider = (&&__tag).on_shutdown(__provider);
                #provide
            }
        }
    }
}
