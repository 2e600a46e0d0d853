//! What lists and documents say of a handler: its types, as they are written
//! and as schemas.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::attrs::at;
use crate::model::{Argument, Handler};

/// Golden expansions are without, whatever features the tests are built with.
const WITH_SCHEMAS: bool = cfg!(all(feature = "schema", not(test)));

/// Calls that complete a message.
pub(super) fn documentation(private: &TokenStream, handler: &Handler) -> TokenStream {
    let body = body(private, &handler.arguments);
    let written = option(body.as_ref().map(|body| &body.written));
    let reply = match &handler.output {
        ReturnType::Default => option(None::<&String>),
        ReturnType::Type(_, ty) => option(Some(written_type(ty))),
    };
    let schemas = WITH_SCHEMAS.then(|| {
        let read = body.map_or_else(|| option(None::<&String>), |body| body.schema);
        let reply = reply_schema(private, handler);
        quote!(.schemas(#read, #reply))
    });
    quote!(.types(#written, #reply) #schemas)
}

/// A typed event that a gateway emits.
pub(super) fn emits(private: &TokenStream, event: &Type) -> TokenStream {
    let written = written_type(event);
    let span = at(event);
    let name = quote_spanned!(span=> <#event as #private::Event>::NAME);
    if WITH_SCHEMAS {
        let schema = quote!((&&#private::Tag::<#event>::new()).written_schema());
        quote_spanned!(span=> .emits_with_schema(#name, #written, #schema))
    } else {
        quote_spanned!(span=> .emits(#name, #written))
    }
}

/// What a handler reads.
struct Body {
    written: String,
    /// An `Option` of the function that makes the schema.
    schema: TokenStream,
}

/// The type in `MessageBody<..>`, or an object of the fields that are taken.
fn body(private: &TokenStream, arguments: &[Argument]) -> Option<Body> {
    let bodies = || {
        arguments
            .iter()
            .filter_map(|it| Some((it, inside(&it.ty)?)))
    };
    let schema = |argument: &Argument| {
        let ty = &argument.ty;
        quote!((&&(&&&#private::Tag::<#ty>::new()).body()))
    };
    if let Some((whole, ty)) = bodies().find(|(argument, _)| argument.field.is_none()) {
        let schema = schema(whole);
        return Some(Body {
            written: written_type(ty),
            schema: quote!(#schema.read_schema()),
        });
    }
    let fields = bodies().map(|(argument, ty)| {
        let name = argument.field.as_ref().map(syn::LitStr::value);
        format!("{}: {}", name.unwrap_or_default(), written_type(ty))
    });
    let fields: Vec<_> = fields.collect();
    let schemas = bodies().map(|(argument, _)| {
        let (field, tag) = (&argument.field, schema(argument));
        quote!((#field, #tag.is_required(), #tag.read_schema()))
    });
    (!fields.is_empty()).then(|| Body {
        written: format!("{{ {} }}", fields.join(", ")),
        schema: quote!(::core::option::Option::Some(|| #private::object([#(#schemas),*]))),
    })
}

/// The `T` of `MessageBody<T>`, which may stand in an `Option` or a `Result`.
fn inside(ty: &Type) -> Option<&Type> {
    let (name, arguments) = generic(ty)?;
    let first = *arguments.first()?;
    if name == "MessageBody" {
        return Some(first);
    }
    inside(first)
}

/// The schema of the value that a handler returns, or of the items of its
/// stream: found on its types, since the value's own can have no name.
fn reply_schema(private: &TokenStream, handler: &Handler) -> TokenStream {
    let name = &handler.name;
    let arguments = handler.arguments.iter().map(|_| quote!(_));
    let output = if handler.is_async {
        quote!(output_of_future)
    } else {
        quote!(output)
    };
    let steps = [
        quote!(ok),
        quote!(some),
        quote!(ok),
        quote!(item),
        quote!(ok),
        quote!(response),
    ];
    quote! {{
        let __handler: fn(_, #(#arguments),*) -> _ = Self::#name;
        let __tag = #private::#output(__handler);
        #(let __tag = (&&__tag).#steps();)*
        (&&__tag).written_schema()
    }}
}

fn option(text: Option<impl quote::ToTokens>) -> TokenStream {
    if let Some(text) = text {
        quote!(::core::option::Option::Some(#text))
    } else {
        quote!(::core::option::Option::None)
    }
}

/// `Name<A, B>` as its last name and its types.
pub(super) fn generic(ty: &Type) -> Option<(&syn::Ident, Vec<&Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(generic) = &last.arguments else {
        return None;
    };
    let types = generic.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((&last.ident, types.collect::<Option<_>>()?))
}

/// A type as one writes it: tokens are printed with a space between all of
/// them.
fn written_type(ty: &Type) -> String {
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
