//! Fields that are injected.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Expr, Fields, Member, Type};

use crate::attrs::{Opt, Options, arguments, at, cfgs, parse_list, take};
use crate::errors::Errors;

/// A field of an injectable struct.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) source: Source,
    pub(crate) cfgs: Vec<Attribute>,
}

/// Where its value comes from.
pub(crate) enum Source {
    Container,
    Default,
    Value(Box<Expr>),
    /// A mistake, which has been reported.
    Broken,
}

impl Field {
    /// Reads the fields and takes their `#[inject(..)]` away.
    pub(crate) fn all(fields: &mut Fields, errors: &mut Errors) -> Vec<Self> {
        let members: Vec<Member> = fields.members().collect();
        let fields = fields.iter_mut().zip(members);
        fields
            .map(|(field, member)| Self {
                member,
                ty: field.ty.clone(),
                source: Source::take(&mut field.attrs, errors),
                cfgs: cfgs(&field.attrs),
            })
            .collect()
    }
}

impl Field {
    /// The expression that it is set to.
    pub(crate) fn value(&self, private: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        match &self.source {
            Source::Container => quote_spanned! {at(ty)=>
                <#ty as #private::FromContainer>::resolve(__resolver)?
            },
            Source::Default => quote_spanned! {at(ty)=>
                <#ty as ::core::default::Default>::default()
            },
            Source::Value(value) => quote!(#value),
            Source::Broken => quote!(::core::unreachable!()),
        }
    }
}

impl Source {
    fn take(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut source = Self::Container;
        for (_, attribute) in take(attributes, &["inject"]) {
            let tokens = arguments(&attribute, errors).unwrap_or_default();
            if tokens.is_empty() {
                errors.push(
                    attribute,
                    "a field is injected anyway; write `#[inject(default)]` or \
                     `#[inject(value = ..)]` for one that is not",
                );
                source = Self::Broken;
                continue;
            }
            source = Self::parse(tokens, errors).unwrap_or(Self::Broken);
        }
        source
    }

    fn parse(tokens: TokenStream, errors: &mut Errors) -> Option<Self> {
        let mut source = None;
        let mut options = Options::of("inject", &["default", "value"]);
        for option in errors.check(parse_list::<Opt>(tokens))? {
            if !options.admit(&option, &[], errors) {
                continue;
            }
            if source.is_some() {
                errors.push(
                    &option.name,
                    "a field has one value: keep one of the options",
                );
            } else if option.name == "default" {
                option.flag(errors);
                source = Some(Self::Default);
            } else {
                let value = option.assigned(errors, "expression")?;
                source = Some(Self::Value(Box::new(value)));
            }
        }
        source
    }

    /// The type, if the container has to have it.
    pub(crate) fn is_container(&self) -> bool {
        matches!(self, Self::Container)
    }
}
