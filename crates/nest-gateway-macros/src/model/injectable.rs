//! `#[injectable]` on a struct or on its constructor.

use proc_macro2::TokenStream;
use syn::{FnArg, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, Type};

use super::Field;
use crate::attrs::{Root, is_named};
use crate::errors::Errors;

const GATEWAY: &str = "websocket_gateway";

/// What the container is told how to construct.
pub(crate) enum Injectable {
    /// A struct whose fields are injected.
    Struct {
        item: ItemStruct,
        root: Root,
        fields: Vec<Field>,
    },
    /// A gateway, which needs no `#[injectable]`.
    Gateway { item: ItemStruct },
    /// An impl block with `new`.
    Impl {
        item: ItemImpl,
        root: Root,
        constructor: Option<Constructor>,
    },
}

/// `fn new(..)`, whose arguments are injected.
pub(crate) struct Constructor {
    pub(crate) arguments: Vec<Type>,
    pub(crate) is_async: bool,
    pub(crate) name: syn::Ident,
}

impl Injectable {
    pub(crate) fn parse(options: TokenStream, item: Item, errors: &mut Errors) -> Option<Self> {
        match item {
            Item::Struct(mut item) => {
                if let Some(gateway) = item.attrs.iter().find(|it| is_named(it, GATEWAY)) {
                    errors.push(
                        gateway,
                        "a gateway is injectable already: remove the `#[injectable]` above it",
                    );
                    return Some(Self::Gateway { item });
                }
                let fields = Field::all(&mut item.fields, errors);
                refuse_generics(&item.generics, errors);
                Some(Self::Struct {
                    root: Root::alone("injectable", options, errors),
                    item,
                    fields,
                })
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let constructor = Constructor::find(&item, errors);
                refuse_generics(&item.generics, errors);
                Some(Self::Impl {
                    root: Root::alone("injectable", options, errors),
                    constructor,
                    item,
                })
            }
            _ => None,
        }
    }
}

fn refuse_generics(generics: &syn::Generics, errors: &mut Errors) {
    if let Some(generic) = generics.params.first() {
        errors.push(
            generic,
            "an injectable cannot be generic, since its hooks are looked up on a concrete type: \
             list it with `factory(..)`, or implement `Injectable` and `Provided` by hand",
        );
    }
}

impl Constructor {
    fn find(item: &ItemImpl, errors: &mut Errors) -> Option<Self> {
        let new = item.items.iter().find_map(|item| match item {
            ImplItem::Fn(method) if method.sig.ident == "new" => Some(method),
            _ => None,
        });
        let Some(new) = new else {
            errors.push(
                &item.self_ty,
                "there is no constructor in this block: add `fn new(..) -> Self`, async and with \
                 a `Result` if it has to be",
            );
            return None;
        };
        Self::of(new, errors)
    }

    fn of(new: &ImplItemFn, errors: &mut Errors) -> Option<Self> {
        let mut arguments = Vec::new();
        for input in &new.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    errors.push(
                        receiver,
                        "a constructor has no `self`: its arguments are injected",
                    );
                    return None;
                }
                FnArg::Typed(argument) => arguments.push((*argument.ty).clone()),
            }
        }
        if let Some(generic) = new.sig.generics.params.first() {
            errors.push(
                generic,
                "the container has to know the types of the arguments: write the types themselves",
            );
            return None;
        }
        Some(Self {
            arguments,
            is_async: new.sig.asyncness.is_some(),
            name: new.sig.ident.clone(),
        })
    }
}
