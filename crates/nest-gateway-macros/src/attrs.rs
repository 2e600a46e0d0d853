//! What stands in the parentheses of an attribute.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, Ident, LitStr, Meta, Path, Token, Type, parenthesized};

use crate::errors::{Errors, unknown_option};

/// One option: `concurrent`, `port = 3000`, `emits(A, B)`, or something
/// without a name.
pub(crate) struct Opt {
    pub(crate) name: Ident,
    pub(crate) value: OptValue,
}

pub(crate) enum OptValue {
    None,
    Assigned(Box<Expr>),
    List(TokenStream),
}

impl Parse for Opt {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            OptValue::Assigned(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let list;
            parenthesized!(list in input);
            OptValue::List(list.parse()?)
        } else {
            OptValue::None
        };
        Ok(Self { name, value })
    }
}

impl Opt {
    /// `name = value`.
    pub(crate) fn assigned(self, errors: &mut Errors, example: &str) -> Option<Expr> {
        if let OptValue::Assigned(value) = self.value {
            return Some(*value);
        }
        errors.push(&self.name, format!("write `{} = {example}`", self.name));
        None
    }

    /// `name = "text"`.
    pub(crate) fn text(self, errors: &mut Errors, example: &str) -> Option<LitStr> {
        let name = self.name.clone();
        let value = self.assigned(errors, example)?;
        let text = text(&value).cloned();
        if text.is_none() {
            errors.push(value, format!("a string is expected: `{name} = {example}`"));
        }
        text
    }

    /// `name(a, b, c)`.
    pub(crate) fn list<T: Parse>(self, errors: &mut Errors, example: &str) -> Vec<T> {
        if let OptValue::List(tokens) = self.value {
            return errors.check(parse_list(tokens)).unwrap_or_default();
        }
        errors.push(&self.name, format!("write `{}({example})`", self.name));
        Vec::new()
    }

    /// Just `name`.
    pub(crate) fn flag(self, errors: &mut Errors) -> bool {
        if !matches!(self.value, OptValue::None) {
            errors.push(
                &self.name,
                format!("`{}` stands alone: it takes no value", self.name),
            );
        }
        true
    }
}

/// The string that an expression is.
pub(crate) fn text(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Things separated by commas.
pub(crate) fn parse_list<T: Parse>(tokens: TokenStream) -> syn::Result<Vec<T>> {
    let list = Punctuated::<T, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(list.into_iter().collect())
}

/// The options of an attribute, each at most once.
pub(crate) struct Options {
    attribute: &'static str,
    known: &'static [&'static str],
    seen: Vec<String>,
}

impl Options {
    pub(crate) fn of(attribute: &'static str, known: &'static [&'static str]) -> Self {
        Self {
            attribute,
            known,
            seen: Vec::new(),
        }
    }

    /// Whether the option is known and new; reports it if not.
    pub(crate) fn admit(&mut self, option: &Opt, repeatable: &[&str], errors: &mut Errors) -> bool {
        let name = option.name.to_string();
        if !self.known.contains(&name.as_str()) {
            let text = unknown_option(self.attribute, &option.name, self.known);
            errors.push(&option.name, text);
            return false;
        }
        if self.seen.contains(&name) && !repeatable.contains(&name.as_str()) {
            errors.push(
                &option.name,
                format!("`{name}` is given twice: keep one of them"),
            );
            return false;
        }
        self.seen.push(name);
        true
    }
}

/// The path to the façade crate, `::nest_gateway` unless `crate = path` says
/// otherwise.
#[derive(Clone)]
pub(crate) struct Root(Path);

impl Default for Root {
    fn default() -> Self {
        Self(syn::parse_quote!(::nest_gateway))
    }
}

impl Root {
    /// The value of `crate = path`.
    pub(crate) fn from_option(option: Opt, errors: &mut Errors) -> Option<Self> {
        match option.assigned(errors, "::my_prelude::nest_gateway")? {
            Expr::Path(path) if path.qself.is_none() => Some(Self(path.path)),
            other => {
                errors.push(
                    other,
                    "a path is expected: `crate = ::my_prelude::nest_gateway`",
                );
                None
            }
        }
    }

    /// The options of an attribute that has just this one.
    pub(crate) fn alone(attribute: &'static str, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut root = None;
        let mut options = Options::of(attribute, &["crate"]);
        for option in errors.check(parse_list::<Opt>(tokens)).unwrap_or_default() {
            if options.admit(&option, &[], errors) {
                root = Self::from_option(option, errors);
            }
        }
        root.unwrap_or_default()
    }

    /// What generated code calls.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.0;
        quote::quote!(#root::__private)
    }
}

/// One thing in `use_guards(..)` and its like: the type of a provider, or a
/// value.
pub(crate) enum Listed {
    Provider(Box<Type>),
    Value(Box<Expr>),
}

impl Parse for Listed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `Roles<Admin>` is a type, and `Roles::of("admin")` a value: what is
        // a path up to the comma, read as a type, names a provider.
        let ahead = input.fork();
        if let Ok(Type::Path(_)) = ahead.parse::<Type>()
            && (ahead.is_empty() || ahead.peek(Token![,]))
        {
            return input.parse().map(Self::Provider);
        }
        input.parse().map(Self::Value)
    }
}

/// Guards, interceptors, pipes, filters and metadata of one place.
#[derive(Default)]
pub(crate) struct Enhancers {
    pub(crate) guards: Vec<Listed>,
    pub(crate) interceptors: Vec<Listed>,
    pub(crate) pipes: Vec<Listed>,
    pub(crate) filters: Vec<Listed>,
    pub(crate) metadata: Vec<Expr>,
    /// The first attribute, to complain about.
    pub(crate) first: Option<Attribute>,
}

/// The attributes that fill [`Enhancers`].
const ENHANCERS: [&str; 5] = [
    "use_guards",
    "use_interceptors",
    "use_pipes",
    "use_filters",
    "set_metadata",
];

impl Enhancers {
    /// Takes them out of the attributes of an item.
    pub(crate) fn take(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut enhancers = Self::default();
        for (name, attribute) in take(attributes, &ENHANCERS) {
            enhancers.add(name, &attribute, errors);
            enhancers.first.get_or_insert(attribute);
        }
        enhancers
    }

    fn add(&mut self, name: &str, attribute: &Attribute, errors: &mut Errors) {
        let Some(tokens) = arguments(attribute, errors) else {
            return;
        };
        if tokens.is_empty() {
            errors.push(attribute, format!("write what to use: `#[{name}(..)]`"));
        }
        if name == "set_metadata" {
            self.metadata
                .extend(errors.check(parse_list(tokens)).unwrap_or_default());
            return;
        }
        let listed = errors.check(parse_list(tokens)).unwrap_or_default();
        match name {
            "use_guards" => self.guards.extend(listed),
            "use_interceptors" => self.interceptors.extend(listed),
            "use_pipes" => self.pipes.extend(listed),
            _ => self.filters.extend(listed),
        }
    }
}

/// Takes the attributes of these names, in written order.
pub(crate) fn take<'n>(
    attributes: &mut Vec<Attribute>,
    names: &[&'n str],
) -> Vec<(&'n str, Attribute)> {
    let mut taken = Vec::new();
    attributes.retain(|attribute| {
        let Some(name) = names.iter().find(|name| is_named(attribute, name)) else {
            return true;
        };
        taken.push((*name, attribute.clone()));
        false
    });
    taken
}

/// Whether an attribute has this name, with or without a path before it.
pub(crate) fn is_named(attribute: &Attribute, name: &str) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|last| last.ident == name)
}

/// The `#[cfg(..)]` attributes, which what is generated has to repeat.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    let cfgs = attributes.iter().filter(|it| it.path().is_ident("cfg"));
    cfgs.cloned().collect()
}

/// What stands in the parentheses of an attribute; empty without any.
pub(crate) fn arguments(attribute: &Attribute, errors: &mut Errors) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::NameValue(_) => {
            let path = &attribute.path().segments.last()?.ident;
            errors.push(attribute, format!("write `#[{path}(..)]`, without `=`"));
            None
        }
    }
}

/// Where a token stands, for generated code that should be reported there. It
/// keeps the hygiene of the macro, so that lints know that nobody wrote it.
pub(crate) fn at(tokens: impl quote::ToTokens) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// Tokens that are made to stand elsewhere.
pub(crate) fn moved(tokens: &TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter();
    let moved = tokens.map(|mut token| {
        token.set_span(span);
        token
    });
    moved.collect()
}

/// An expression that the compiler takes to stand where the tokens do, all of
/// them: a token has one place, but an expression reaches from its first token
/// to its last.
pub(crate) fn across(tokens: impl quote::ToTokens, value: TokenStream) -> TokenStream {
    let tokens = tokens.into_token_stream();
    let last = tokens.clone().into_iter().last();
    let last = last.map_or_else(Span::call_site, at);
    let mut arguments = Group::new(Delimiter::Parenthesis, value);
    arguments.set_span(last);
    let identity = quote::quote_spanned!(at(&tokens)=> ::core::convert::identity);
    quote::quote!(#identity #arguments)
}
