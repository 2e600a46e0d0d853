//! `#[gateway_test]`: one async function, a test for each wire.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Ident, ItemFn, Token, bracketed};

/// How to write it, for every error.
const USAGE: &str = "write `#[gateway_test(adapters = all)]` or \
                     `#[gateway_test(adapters = [memory, native, socketio])]` \
                     on an `async fn name(wire: Wire)`";

/// A test's name, the wire it runs on, and the macro that leaves it out when
/// its feature is off.
struct Case {
    name: &'static str,
    wire: TokenStream,
    feature: Option<&'static str>,
}

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let parsed = syn::parse2::<Adapters>(arguments).and_then(|adapters| {
        let function = syn::parse2::<ItemFn>(item.clone())?;
        check(&function)?;
        Ok(tests(&adapters, &function))
    });
    parsed.unwrap_or_else(|error| {
        let error = error.to_compile_error();
        // The function stays, so that what it says wrongly is reported too.
        quote!(#error #[allow(dead_code)] #item)
    })
}

/// The adapters of the argument; `None` for all.
struct Adapters(Option<Vec<Ident>>);

impl Parse for Adapters {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Self(None));
        }
        let key: Ident = input.parse()?;
        if key != "adapters" {
            return Err(syn::Error::new(
                key.span(),
                format!("unknown option; {USAGE}"),
            ));
        }
        input.parse::<Token![=]>()?;
        if input.peek(syn::token::Bracket) {
            let list;
            bracketed!(list in input);
            let names = Punctuated::<Ident, Token![,]>::parse_terminated(&list)?;
            let names: Vec<_> = names.into_iter().collect();
            if let Some(unknown) = names.iter().find(|name| cases(name).is_none()) {
                return Err(unknown_adapter(unknown));
            }
            if names.is_empty() {
                return Err(syn::Error::new(
                    Span::call_site(),
                    format!("no adapter; {USAGE}"),
                ));
            }
            return Ok(Self(Some(names)));
        }
        let name: Ident = input.parse()?;
        match name.to_string().as_str() {
            "all" => Ok(Self(None)),
            _ if cases(&name).is_some() => Ok(Self(Some(vec![name]))),
            _ => Err(unknown_adapter(&name)),
        }
    }
}

fn unknown_adapter(name: &Ident) -> syn::Error {
    let text = format!("`{name}` is none of memory, native, socketio; {USAGE}");
    syn::Error::new(name.span(), text)
}

fn cases(adapter: &Ident) -> Option<Vec<Case>> {
    let kit = kit();
    let socketio = |name, transport: &str| {
        let transport = format_ident!("{transport}");
        Case {
            name,
            wire: quote!(SocketIo(#kit::client::Transport::#transport)),
            feature: Some("__if_socketio"),
        }
    };
    Some(match adapter.to_string().as_str() {
        "memory" => vec![Case {
            name: "memory",
            wire: quote!(Memory),
            feature: None,
        }],
        "native" => vec![Case {
            name: "native",
            wire: quote!(Native),
            feature: Some("__if_native"),
        }],
        "socketio" => vec![
            socketio("socketio_websocket", "WebSocket"),
            socketio("socketio_polling", "Polling"),
            socketio("socketio_upgrade", "Upgrade"),
        ],
        _ => return None,
    })
}

fn check(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        let text = format!("a gateway test is async; {USAGE}");
        return Err(syn::Error::new(signature.fn_token.span, text));
    }
    if signature.inputs.len() != 1 {
        let text = format!("a gateway test takes the wire and nothing else; {USAGE}");
        return Err(syn::Error::new(signature.paren_token.span.join(), text));
    }
    if let Some(parameter) = signature.generics.params.first() {
        let text = format!("a gateway test has no generic parameters; {USAGE}");
        return Err(syn::Error::new(parameter.span(), text));
    }
    Ok(())
}

fn tests(adapters: &Adapters, function: &ItemFn) -> TokenStream {
    let kit = kit();
    let name = &function.sig.ident;
    let output = &function.sig.output;
    let mut run = function.clone();
    run.sig.ident = Ident::new("run", name.span());
    run.vis = syn::Visibility::Inherited;
    let (documentation, attributes): (Vec<_>, Vec<_>) = run
        .attrs
        .drain(..)
        .partition(|attribute| attribute.path().is_ident("doc"));
    let names = match &adapters.0 {
        Some(names) => names.clone(),
        None => ["memory", "native", "socketio"]
            .map(|name| Ident::new(name, Span::call_site()))
            .to_vec(),
    };
    let runtime = format!("{}::__private::tokio", "nest_gateway_testkit");
    let tests = names.iter().filter_map(cases).flatten().map(|case| {
        let Case {
            name,
            wire,
            feature,
        } = case;
        let test = Ident::new(name, function.sig.ident.span());
        let test = quote_spanned! {function.sig.ident.span()=>
            #(#attributes)*
            #[#kit::__private::tokio::test(crate = #runtime)]
            async fn #test() #output {
                run(#kit::Wire::#wire).await
            }
        };
        match feature {
            None => test,
            Some(feature) => {
                let feature = format_ident!("{feature}");
                quote!(#kit::#feature! { #test })
            }
        }
    });
    quote! {
        #(#documentation)*
        #[cfg(test)]
        mod #name {
            #[allow(unused_imports, reason = "a test may need nothing of its module")]
            use super::*;

            #run

            #(#tests)*
        }
    }
}

fn kit() -> TokenStream {
    quote!(::nest_gateway_testkit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(arguments: TokenStream, item: &TokenStream) -> String {
        expand(arguments, item).to_string()
    }

    fn function() -> TokenStream {
        quote!(
            async fn works(wire: Wire) {}
        )
    }

    #[test]
    fn all_wires_make_five_tests() {
        for arguments in [quote!(), quote!(adapters = all)] {
            let text = expanded(arguments, &function());
            for test in [
                "fn memory",
                "fn native",
                "fn socketio_websocket",
                "fn socketio_polling",
                "fn socketio_upgrade",
            ] {
                assert!(text.contains(test), "{test} is not in {text}");
            }
        }
    }

    #[test]
    fn a_list_makes_its_own_tests_only() {
        let text = expanded(quote!(adapters = [memory, native]), &function());
        assert!(
            text.contains("fn memory") && text.contains("fn native"),
            "{text}"
        );
        assert!(!text.contains("socketio"), "{text}");
        let text = expanded(quote!(adapters = native), &function());
        assert!(
            !text.contains("fn memory") && text.contains("fn native"),
            "{text}"
        );
    }

    #[test]
    fn a_mistake_is_an_error_that_says_what_to_write() {
        let cases = [
            (
                quote!(adapters = [ws]),
                function(),
                "`ws` is none of memory",
            ),
            (quote!(adapters = []), function(), "no adapter"),
            (quote!(wires = all), function(), "unknown option"),
            (
                quote!(),
                quote!(
                    fn works(wire: Wire) {}
                ),
                "a gateway test is async",
            ),
            (
                quote!(),
                quote!(
                    async fn works() {}
                ),
                "takes the wire and nothing else",
            ),
            (
                quote!(),
                quote!(
                    async fn works<T>(wire: Wire) {}
                ),
                "no generic parameters",
            ),
        ];
        for (arguments, item, expected) in cases {
            let text = expanded(arguments, &item);
            assert!(text.contains("compile_error"), "{text}");
            assert!(text.contains(expected), "{expected} is not in {text}");
            assert!(text.contains("adapters = all"), "no usage in {text}");
        }
    }
}
