//! One handler.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericArgument, PathArguments, ReturnType, Type};

use super::enhancers::{enhancer, enhancers};
use crate::attrs::{Listed, at};
use crate::model::{Argument, EventName, Handler, Receiver, Subscription};

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

fn message(private: &TokenStream, handler: &Handler, subscription: &Subscription) -> TokenStream {
    let pipes = handler.arguments.iter().enumerate();
    let pipes: Vec<_> = pipes
        .filter(|(_, argument)| !argument.pipes.is_empty())
        .map(|(index, argument)| (pipes_name(index), argument_pipes(private, argument)))
        .collect();
    let pipe_names: Vec<_> = pipes.iter().map(|(name, _)| name).collect();
    let pipe_values = pipes.iter().map(|(_, value)| value);
    let pipe_needs: Vec<_> = pipe_names
        .iter()
        .map(|name| format_ident!("{name}_needs"))
        .collect();
    let constructor = constructor(private, handler, subscription, &pipe_names);
    let types = handler.arguments.iter().map(|argument| &argument.ty);
    let concurrent = subscription
        .concurrent
        .then(|| quote!(let __message = __message.concurrent();));
    let enhancers = enhancers(private, &handler.enhancers)
        .map(|enhancers| quote!(let __message = __message.enhancers(#enhancers);));
    let metadata = &handler.enhancers.metadata;
    let (body, reply) = (body_type(&handler.arguments), reply_type(&handler.output));
    quote! {{
        #(let #pipe_names = #pipe_values;)*
        #(let #pipe_needs = #pipe_names.dependencies();)*
        let __message = #constructor;
        #(let __message = #private::needs(__message, #pipe_needs);)*
        #concurrent
        #enhancers
        #(let __message = __message.metadata(#metadata);)*
        #(let __message = #private::needs(
            __message,
            <#types as #private::FromMessage>::dependencies(),
        );)*
        __message.types(#body, #reply)
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
    let (method, event) = match &subscription.event {
        Some(EventName::Text(text)) => (quote!(event), Some(quote!(#text,))),
        Some(EventName::Constant(path)) => (quote!(event), Some(quote!(#path,))),
        None => (quote!(binary), None),
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
    let reply = reply(private, output_span(&handler.output, span));
    let shared = pipes
        .iter()
        .map(|pipes| quote!(let #pipes = ::core::clone::Clone::clone(&#pipes);));
    quote_spanned! {span=>
        #private::Message::<Self>::#method(#event #name, move |__gateway, __context| {
            #(#shared)*
            ::std::boxed::Box::pin(async move {
                #[allow(unused_imports)]
                use #private::rungs::*;
                #(#extract)*
                let __out = Self::#handler_name(#receiver, #(#names),*) #awaited;
                #reply
            })
        })
    }
}

/// The argument's value, checked against its rules.
fn extract(private: &TokenStream, index: usize, argument: &Argument) -> TokenStream {
    let ty = &argument.ty;
    let span = at(ty);
    let trait_ = quote_spanned!(span=> <#ty as #private::FromMessage>);
    let checked = |extracted: TokenStream| {
        quote_spanned! {span=> {
            let __argument = #extracted;
            (&&#private::Tag::of(&__argument)).checked(__argument)
        }}
    };
    if argument.field.is_none() && argument.pipes.is_empty() {
        let value = checked(quote_spanned!(span=> #trait_::from_message(__context).await?));
        return quote_spanned!(span=> #value?);
    }
    let body = match &argument.field {
        Some(field) => quote_spanned!(span=> #private::field(__context, #field)),
        None => quote_spanned!(span=> __context.data()),
    };
    let piped = (!argument.pipes.is_empty()).then(|| {
        let pipes = pipes_name(index);
        quote_spanned!(span=> let __body = #pipes.transform(__body, __context).await?;)
    });
    let extracted = quote_spanned! {span=>
        #trait_::from_body(__context, ::core::option::Option::Some(__body)).await
    };
    let within = |result: TokenStream| match &argument.field {
        Some(field) => quote_spanned!(span=> #private::within(#field, #result)),
        None => result,
    };
    let extracted = within(extracted);
    let value = within(checked(quote_spanned!(span=> #extracted?)));
    quote_spanned! {span=> {
        let __body = #body;
        #piped
        #value?
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

/// The ladders from `__out` to the reply. They stand at the return type, where
/// one that fits none of them is reported.
fn reply(private: &TokenStream, span: Span) -> TokenStream {
    let result = |value: &TokenStream| {
        quote_spanned! {span=>
            match (&&#private::Tag::of(&#value)).result(#value) {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(
                        (&&&#private::Tag::of(&__error)).exception(__error),
                    );
                }
            }
        }
    };
    let out = quote_spanned!(span=> __out);
    let item = quote_spanned!(span=> __item);
    let (from_result, from_item) = (result(&out), result(&item));
    quote_spanned! {span=>
        let __out = #from_result;
        let __out = match (&&#private::Tag::of(&__out)).option(__out) {
            ::core::option::Option::Some(__out) => __out,
            ::core::option::Option::None => {
                return ::core::result::Result::Ok(#private::Reply::None);
            }
        };
        let __out = #from_result;
        (&&&#private::Tag::of(&__out)).reply(__out, |__item| {
            let __item = #from_item;
            (&&#private::Tag::of(&__item)).emission(__item)
        })
    }
}

fn output_span(output: &ReturnType, name: Span) -> Span {
    match output {
        ReturnType::Default => name,
        ReturnType::Type(_, ty) => at(ty),
    }
}

/// The body's type as it is written, for lists and documents.
fn body_type(arguments: &[Argument]) -> TokenStream {
    let body = arguments.iter().find_map(|argument| inside(&argument.ty));
    option(body.map(|ty| written(&ty)))
}

/// The `T` of `MessageBody<T>`, which may stand in an `Option` or a `Result`.
fn inside(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(generic) = &last.arguments else {
        return None;
    };
    let GenericArgument::Type(first) = generic.args.first()? else {
        return None;
    };
    if last.ident == "MessageBody" {
        return Some(first.clone());
    }
    inside(first)
}

fn reply_type(output: &ReturnType) -> TokenStream {
    option(match output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(written(ty)),
    })
}

fn option(text: Option<String>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// A type as one writes it: tokens are printed with a space between all of
/// them.
pub(super) fn written(ty: &Type) -> String {
    let mut text = quote!(#ty).to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}
