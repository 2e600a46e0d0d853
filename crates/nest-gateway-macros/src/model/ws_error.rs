//! `#[derive(WsError)]`.

use proc_macro2::TokenStream;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Ident, LitStr};

use crate::attrs::{Opt, Options, Root, arguments, parse_list, take};
use crate::errors::Errors;

/// An error type, and what clients see of each of its variants.
pub(crate) struct WsError {
    pub(crate) input: DeriveInput,
    pub(crate) root: Root,
    pub(crate) variants: Vec<Variant>,
}

/// A variant, or a struct as a whole (which has no name).
pub(crate) struct Variant {
    pub(crate) name: Option<Ident>,
    pub(crate) fields: Fields,
    pub(crate) code: Code,
}

/// What clients see.
#[derive(Clone)]
pub(crate) enum Code {
    /// "Internal server error".
    Internal,
    /// What the wrapped error says.
    Transparent,
    /// A message, by default what `Display` writes, with a code and a status.
    Public(Box<Public>),
}

/// What may be shown.
#[derive(Clone)]
pub(crate) struct Public {
    pub(crate) code: Option<Expr>,
    pub(crate) message: Option<LitStr>,
    pub(crate) status: Option<Expr>,
}

const OPTIONS: [&str; 6] = [
    "code",
    "message",
    "status",
    "internal",
    "transparent",
    "crate",
];

impl WsError {
    pub(crate) fn parse(mut input: DeriveInput, errors: &mut Errors) -> Self {
        let mut root = None;
        let whole = Code::take(&mut input.attrs, &mut root, errors);
        let mut variants = match &mut input.data {
            Data::Struct(data) => {
                let code = whole.unwrap_or_else(|| missing(&input.ident, errors));
                vec![Variant {
                    name: None,
                    fields: data.fields.clone(),
                    code,
                }]
            }
            Data::Enum(data) => data
                .variants
                .iter_mut()
                .map(|variant| {
                    let own = Code::take(&mut variant.attrs, &mut None, errors);
                    let code = own.or_else(|| whole.clone());
                    Variant {
                        code: code.unwrap_or_else(|| missing(&variant.ident, errors)),
                        name: Some(variant.ident.clone()),
                        fields: variant.fields.clone(),
                    }
                })
                .collect(),
            Data::Union(data) => {
                errors.push(data.union_token, "an error is an enum or a struct");
                Vec::new()
            }
        };
        for variant in &mut variants {
            if matches!(variant.code, Code::Transparent) && variant.fields.len() != 1 {
                let name = variant.name.as_ref().unwrap_or(&input.ident);
                errors.push(
                    name,
                    "`transparent` is for variants with just the wrapped error",
                );
                variant.code = Code::Internal;
            }
        }
        Self {
            input,
            root: root.unwrap_or_default(),
            variants,
        }
    }
}

/// What `Display` writes may be a database's text, so that showing it has to
/// be said.
fn missing(name: &Ident, errors: &mut Errors) -> Code {
    errors.push(
        name,
        "say what clients see: `#[ws_error(code = \"not_found\")]` shows them what `Display` \
         writes, `#[ws_error(internal)]` only \"Internal server error\"",
    );
    Code::Internal
}

impl Code {
    fn take(
        attributes: &mut Vec<Attribute>,
        root: &mut Option<Root>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut found = None;
        for (_, attribute) in take(attributes, &["ws_error"]) {
            let tokens = arguments(&attribute, errors)?;
            let code = Self::parse(tokens, root, errors);
            if found.is_some() {
                errors.push(attribute, "keep one `#[ws_error(..)]`, with all options");
            }
            found = code.or(found);
        }
        found
    }

    /// Nothing for `crate = ..` alone.
    fn parse(tokens: TokenStream, root: &mut Option<Root>, errors: &mut Errors) -> Option<Self> {
        let (mut code, mut message, mut status) = (None, None, None);
        let mut special = None;
        let mut only_root = false;
        let mut admitted = Options::of("ws_error", &OPTIONS);
        let options: Vec<Opt> = errors.check(parse_list(tokens)).unwrap_or_default();
        for option in options {
            if !admitted.admit(&option, &[], errors) {
                continue;
            }
            only_root = false;
            match option.name.to_string().as_str() {
                "code" => code = option.assigned(errors, "\"not_found\""),
                "message" => message = option.text(errors, "\"no such room\""),
                "status" => status = option.assigned(errors, "404"),
                "internal" => special = Some((option.name.clone(), Self::Internal)),
                "transparent" => special = Some((option.name.clone(), Self::Transparent)),
                _ => {
                    only_root = code.is_none() && message.is_none() && status.is_none();
                    *root = Root::from_option(option, errors);
                }
            }
        }
        let public = code.is_some() || message.is_some() || status.is_some();
        match special {
            Some((name, _)) if public => {
                errors.push(&name, format!("with `{name}` there are no other options"));
                Some(Self::Internal)
            }
            Some((_, special)) => Some(special),
            None if only_root => None,
            None => Some(Self::Public(Box::new(Public {
                code,
                message,
                status,
            }))),
        }
    }
}
