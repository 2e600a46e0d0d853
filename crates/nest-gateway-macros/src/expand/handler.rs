//! One handler.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ReturnType, Type};

use super::documentation::{documentation, generic};
use super::enhancers::{enhancer, enhancers};
use crate::attrs::{Listed, across, at, moved};
use crate::model::{Argument, EventName, Handler, Receiver, Subject, Subscription};

/// Statements that add the handler to `__gateway_builder`.
pub(super) fn handler(private: &TokenStream, handler: &Handler) -> TokenStream {
    let cfgs = &handler.cfgs;
    let messages = handler.subscriptions.iter().map(|subscription| {
        let message = message(private, handler, subscription);
        quote! {
            #(#cfgs)*
            let __builder = __builder.message(#message);
        }
    });
    quote!(#(#messages)*)
}

/// Items that fail to compile where an attribute of an argument would do
/// nothing.
pub(super) fn assertions(private: &TokenStream, handler: &Handler) -> TokenStream {
    let cfgs = &handler.cfgs;
    let assertions = handler.arguments.iter().filter_map(|argument| {
        let (ty, attribute) = (&argument.ty, argument.own_body.as_ref()?);
        // Outside of its impl block, `Self` means nothing.
        let own = quote!(#ty)
            .into_iter()
            .any(|token| token.to_string() == "Self");
        (!own).then(|| {
            quote_spanned! {at(attribute.path())=>
                #(#cfgs)*
                const _: () = ::core::assert!(
                    <#ty as #private::FromMessage>::READS_BODY,
                    "`#[body(..)]` and `#[use_pipes(..)]` are for arguments that are taken out of \
                     the body, such as `MessageBody<..>`",
                );
            }
        })
    });
    quote!(#(#assertions)*)
}

fn message(private: &TokenStream, handler: &Handler, subscription: &Subscription) -> TokenStream {
    let pipes = handler.arguments.iter().enumerate();
    let pipes: Vec<_> = pipes
        .filter(|(_, argument)| !argument.pipes.is_empty())
        .map(|(index, argument)| (pipes_name(index), argument_pipes(private, argument)))
        .collect();
    let pipe_names: Vec<_> = pipes.iter().map(|(name, _)| name).collect();
    let pipe_values = pipes.iter().map(|(_, value)| value);
    let shared_names: Vec<_> = pipe_names
        .iter()
        .map(|name| format_ident!("{name}_shared"))
        .collect();
    let constructor = constructor(private, handler, subscription, &pipe_names);
    let needs = handler.arguments.iter().map(|argument| {
        let (ty, span) = (&argument.ty, at(&argument.ty));
        let private = moved(private, span);
        quote_spanned! {span=>
            let __message = (&&&#private::Tag::<#ty>::new()).needs(__message);
        }
    });
    let concurrent = subscription
        .concurrent
        .then(|| quote!(let __message = __message.concurrent();));
    let enhancers = enhancers(private, &handler.enhancers)
        .map(|enhancers| quote!(let __message = __message.enhancers(#enhancers);));
    let metadata = &handler.enhancers.metadata;
    let documentation = documentation(private, handler);
    quote! {{
        #(let #pipe_names = #pipe_values;)*
        #(let #shared_names = ::core::clone::Clone::clone(&#pipe_names);)*
        let __message = #constructor;
        #(let __message = #shared_names.needs(__message);)*
        #concurrent
        #enhancers
        #(let __message = __message.metadata(#metadata);)*
        #(#needs)*
        __message #documentation
    }}
}

/// The message with its function: extract, call, reply. All of it stands at
/// the method's name, where a future that is not `Send` is reported.
fn constructor(
    private: &TokenStream,
    handler: &Handler,
    subscription: &Subscription,
    pipes: &[&syn::Ident],
) -> TokenStream {
    let span = at(&handler.name);
    let name = handler.name.to_string();
    let (method, event) = match &subscription.subject {
        Subject::Event(EventName::Text(text)) => (quote!(event), Some(quote!(#text,))),
        Subject::Event(EventName::Constant(path)) => (quote!(event), Some(quote!(#path,))),
        Subject::Any => (quote!(any), None),
        Subject::Binary => (quote!(binary), None),
    };
    let arguments = handler.arguments.iter().enumerate();
    let (names, extract): (Vec<_>, Vec<_>) = arguments
        .map(|(index, argument)| {
            let name = format_ident!("__argument_{index}", span = span);
            let value = extract(private, index, argument);
            (name.clone(), quote!(let #name = #value;))
        })
        .unzip();
    let receiver = match handler.receiver {
        Receiver::Reference => quote!(&**__gateway),
        Receiver::Shared => quote!(::std::sync::Arc::clone(__gateway)),
    };
    let handler_name = &handler.name;
    let awaited = handler.is_async.then(|| quote_spanned!(span=> .await));
    let reply = reply(private, &handler.output, span);
    let shared = pipes
        .iter()
        .map(|pipes| quote!(let #pipes = ::core::clone::Clone::clone(&#pipes);));
    quote_spanned! {span=>
        #private::Message::<Self>::#method(#event #name, move |__gateway, __context| {
            #(#shared)*
            ::std::boxed::Box::pin(async move {
                #(#extract)*
                let __out = Self::#handler_name(#receiver, #(#names),*) #awaited;
                #reply
            })
        })
    }
}

/// The argument's value, checked against its rules. All of it stands at the
/// argument's type.
fn extract(private: &TokenStream, index: usize, argument: &Argument) -> TokenStream {
    let ty = &argument.ty;
    let span = at(ty);
    let private = moved(private, span);
    let body = if argument.own_body.is_some() {
        own_body(index, argument, span)
    } else {
        quote_spanned!(span=> ::core::option::Option::None)
    };
    let within = |result: TokenStream| match &argument.field {
        Some(field) => quote_spanned!(span=> #private::within(#field, #result)),
        None => result,
    };
    let tag = across(ty, quote_spanned!(span=> #private::Tag::new()));
    let extracted = within(quote_spanned! {span=>
        (&&&#private::Tag::<#ty>::new()).extract(__context, __body, #tag).await
    });
    let checked = within(quote_spanned! {span=>
        (&&#private::Tag::of(&__argument)).checked(__argument)
    });
    quote_spanned! {span=> {
        let __body = #body;
        let __argument = #extracted?;
        #checked?
    }}
}

/// The body that is the argument's own: a field, or what its pipes leave.
fn own_body(index: usize, argument: &Argument, span: Span) -> TokenStream {
    let field = argument.field.iter();
    let body = quote_spanned!(span=> __context.data() #(.field(#field))*);
    let piped = (!argument.pipes.is_empty()).then(|| {
        let pipes = pipes_name(index);
        quote_spanned!(span=> let __body = #pipes.transform(__body, __context).await?;)
    });
    quote_spanned! {span=> {
        let __body = #body;
        #piped
        ::core::option::Option::Some(__body)
    }}
}

fn pipes_name(index: usize) -> syn::Ident {
    format_ident!("__pipes_{index}", span = Span::call_site())
}

fn argument_pipes(private: &TokenStream, argument: &Argument) -> TokenStream {
    let pipes = argument.pipes.iter();
    let pipes = pipes.map(|pipe: &Listed| enhancer(private, &quote!(DynPipe), pipe));
    quote!(#private::ArgumentPipes::new([#(#pipes),*]))
}

/// The ladders from `__out` to the reply. What fits none of them is reported
/// on its part of the return type.
fn reply(private: &TokenStream, output: &ReturnType, name: Span) -> TokenStream {
    let (value, error) = match output {
        ReturnType::Default => (quote_spanned!(name=> _), quote_spanned!(name=> _)),
        ReturnType::Type(_, ty) => parts(ty),
    };
    let taken_apart = |result: TokenStream| {
        let error = across(&error, quote!(__error));
        quote! {
            match (&&#private::Tag::of(&#result)).result(#result) {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(
                        (&&&#private::Tag::of(&__error)).exception(#error),
                    );
                }
            }
        }
    };
    let from_result = taken_apart(quote!(__out));
    let from_item = taken_apart(quote!(__item));
    let (out, item) = (
        across(&value, quote!(__out)),
        across(&value, quote!(__item)),
    );
    quote! {
        let __out = #from_result;
        let __out = match (&&#private::Tag::of(&__out)).option(__out) {
            ::core::option::Option::Some(__out) => __out,
            ::core::option::Option::None => {
                return ::core::result::Result::Ok(#private::Reply::None);
            }
        };
        let __out = #from_result;
        (&&&#private::Tag::of(&__out)).reply(#out, |__item| {
            let __item = #from_item;
            (&&#private::Tag::of(&__item)).emission(#item)
        })
    }
}

/// Where the value and the error of a return type most likely stand, for
/// messages only: what a type means is left to the compiler.
fn parts(ty: &Type) -> (TokenStream, TokenStream) {
    let whole = || quote!(#ty);
    let Some((name, arguments)) = generic(ty) else {
        return (whole(), whole());
    };
    match (name.to_string().as_str(), arguments.as_slice()) {
        ("Result", [value, error]) => (parts(value).0, quote!(#error)),
        ("Result" | "Option", [value]) => (parts(value).0, whole()),
        _ => (whole(), whole()),
    }
}
