//! `#[module(..)]`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, ItemStruct, Token, Type, parenthesized};

use crate::attrs::{Listed, Opt, Options, Root, parse_list};
use crate::errors::Errors;

/// A module's struct, and what it declares.
pub(crate) struct Module {
    pub(crate) item: ItemStruct,
    pub(crate) root: Root,
    pub(crate) providers: Vec<Provider>,
    pub(crate) imports: Vec<Listed>,
    pub(crate) exports: Vec<Type>,
    pub(crate) global: bool,
}

/// One of `providers(..)`.
pub(crate) struct Provider {
    pub(crate) source: ProviderSource,
    /// `.. as dyn Trait`
    pub(crate) binding: Option<Type>,
}

pub(crate) enum ProviderSource {
    /// `ChatService`
    Type(Type),
    /// `value(Config::default())`
    Value(Expr),
    /// `factory(Store::connect)`
    Factory(Expr),
}

const OPTIONS: [&str; 5] = ["providers", "imports", "exports", "global", "crate"];

impl Module {
    pub(crate) fn parse(options: TokenStream, item: ItemStruct, errors: &mut Errors) -> Self {
        let mut module = Self {
            item,
            root: Root::default(),
            providers: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            global: false,
        };
        let mut admitted = Options::of("module", &OPTIONS);
        for option in errors.check(parse_list(options)).unwrap_or_default() {
            if admitted.admit(&option, &[], errors) {
                module.set(option, errors);
            }
        }
        if !module.item.fields.is_empty() || !module.item.generics.params.is_empty() {
            errors.push(
                &module.item.ident,
                format!(
                    "a module is never constructed: write `struct {};`",
                    module.item.ident
                ),
            );
        }
        module
    }

    fn set(&mut self, option: Opt, errors: &mut Errors) {
        match option.name.to_string().as_str() {
            "providers" => self.providers = option.list(errors, "ChatService, ChatGateway, .."),
            "imports" => self.imports = option.list(errors, "AuthModule, .."),
            "exports" => self.exports = option.list(errors, "ChatService, .."),
            "global" => self.global = option.flag(errors),
            _ => self.root = Root::from_option(option, errors).unwrap_or_default(),
        }
    }
}

impl Parse for Provider {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let source = ProviderSource::parse(input)?;
        let binding = match input.parse::<Option<Token![as]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { source, binding })
    }
}

impl Parse for ProviderSource {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `Fn(..)` is the only type with parentheses, and no provider.
        if !(input.peek(Ident) && input.peek2(syn::token::Paren)) {
            return Ok(Self::Type(input.parse()?));
        }
        let how: Ident = input.parse()?;
        let what;
        parenthesized!(what in input);
        let expr = what.parse()?;
        what.parse::<Option<Token![,]>>()?;
        if !what.is_empty() {
            return Err(what.error("one expression is expected"));
        }
        match how.to_string().as_str() {
            "value" => Ok(Self::Value(expr)),
            "factory" => Ok(Self::Factory(expr)),
            _ => Err(syn::Error::new(
                how.span(),
                "a provider is a type, `value(..)`, `factory(..)`, or one of these `as dyn Trait`",
            )),
        }
    }
}
