//! `#[subscriptions]` and what stands on its methods.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Expr, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, LitStr, PatType, ReceiverKind,
    ReturnType, Token, Type,
};

use crate::attrs::{
    Enhancers, Listed, Opt, Options, Root, arguments, cfgs, parse_list, take, text,
};
use crate::errors::Errors;

/// An impl block with handlers. The item is the user's own, without the
/// attributes that were read.
pub(crate) struct Subscriptions {
    pub(crate) item: ItemImpl,
    pub(crate) root: Root,
    pub(crate) handlers: Vec<Handler>,
}

/// A method that handles messages.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) enhancers: Enhancers,
    pub(crate) receiver: Receiver,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) is_async: bool,
    pub(crate) output: ReturnType,
}

/// One `#[subscribe_message(..)]`, `#[subscribe_any]` or `#[subscribe_binary]`.
pub(crate) struct Subscription {
    pub(crate) subject: Subject,
    pub(crate) concurrent: bool,
    pub(crate) attribute: Attribute,
}

/// What a handler subscribes to.
pub(crate) enum Subject {
    Event(EventName),
    /// All events that nobody else subscribes to.
    Any,
    /// Binary messages without an envelope.
    Binary,
}

/// The name of an event: text, or the path of a constant.
pub(crate) enum EventName {
    Text(LitStr),
    Constant(Expr),
}

/// How a handler takes its gateway.
pub(crate) enum Receiver {
    /// `&self`
    Reference,
    /// `self: Arc<Self>`
    Shared,
}

/// An argument of a handler.
pub(crate) struct Argument {
    pub(crate) ty: Type,
    pub(crate) field: Option<LitStr>,
    pub(crate) pipes: Vec<Listed>,
    /// The first attribute, which needs an argument that reads the body.
    pub(crate) own_body: Option<Attribute>,
}

const SUBSCRIBE: [&str; 3] = ["subscribe_message", "subscribe_any", "subscribe_binary"];

impl Subscriptions {
    pub(crate) fn parse(options: TokenStream, mut item: ItemImpl, errors: &mut Errors) -> Self {
        let root = Root::alone("subscriptions", options, errors);
        if let Some(attribute) = Enhancers::take(&mut item.attrs, errors).first {
            errors.push(
                attribute,
                "what holds for the whole gateway stands on its struct, below \
                 `#[websocket_gateway(..)]`",
            );
        }
        let mut handlers = Vec::new();
        for item in &mut item.items {
            if let ImplItem::Fn(method) = item {
                handlers.extend(Handler::take(method, errors));
            }
        }
        Self {
            item,
            root,
            handlers,
        }
    }
}

impl Handler {
    /// Reads a method and takes our attributes away; nothing if it is no
    /// handler, or not one that could be called.
    fn take(method: &mut ImplItemFn, errors: &mut Errors) -> Option<Self> {
        let subscriptions = take(&mut method.attrs, &SUBSCRIBE);
        let enhancers = Enhancers::take(&mut method.attrs, errors);
        if subscriptions.is_empty() {
            Self::refuse_leftovers(method, &enhancers, errors);
            return None;
        }
        // The signature of a handler is not free: what a lint would have changed
        // about it cannot be changed.
        method.attrs.push(syn::parse_quote! {
            #[allow(
                clippy::unused_self,
                clippy::unused_async,
                clippy::needless_pass_by_value
            )]
        });
        let subscriptions = subscriptions
            .into_iter()
            .filter_map(|(name, attribute)| Subscription::parse(name, attribute, errors))
            .collect();
        let receiver = receiver(method, errors);
        let arguments = method
            .sig
            .inputs
            .iter_mut()
            .filter_map(|input| match input {
                FnArg::Receiver(_) => None,
                FnArg::Typed(argument) => Some(Argument::take(argument, errors)),
            });
        // All of them, so that all mistakes are found.
        let arguments: Vec<Option<_>> = arguments.collect();
        if let Some(generic) = method.sig.generics.params.first() {
            errors.push(
                generic,
                "a handler is called with types that are known when the program is compiled: \
                 write the type itself",
            );
            return None;
        }
        Some(Self {
            name: method.sig.ident.clone(),
            cfgs: cfgs(&method.attrs),
            subscriptions,
            enhancers,
            receiver: receiver?,
            arguments: arguments.into_iter().collect::<Option<_>>()?,
            is_async: method.sig.asyncness.is_some(),
            output: method.sig.output.clone(),
        })
    }

    /// On a method that is no handler our attributes would do nothing.
    fn refuse_leftovers(method: &mut ImplItemFn, enhancers: &Enhancers, errors: &mut Errors) {
        if let Some(attribute) = &enhancers.first {
            errors.push(
                attribute,
                "this does nothing on a method that handles no message: add \
                 `#[subscribe_message(\"event\")]`",
            );
        }
        for input in &mut method.sig.inputs {
            if let FnArg::Typed(argument) = input {
                for (_, attribute) in take(&mut argument.attrs, &["body", "use_pipes"]) {
                    errors.push(
                        attribute,
                        "this does nothing in a method that handles no message: add \
                         `#[subscribe_message(\"event\")]` to the method",
                    );
                }
            }
        }
    }
}

fn receiver(method: &ImplItemFn, errors: &mut Errors) -> Option<Receiver> {
    const BY_REFERENCE: &str = "clients share the gateway: write `&self`, and keep what changes \
                                in a `Mutex` or an atomic";
    let Some(receiver) = method.sig.receiver() else {
        errors.push(
            &method.sig.ident,
            "a handler is a method of the gateway: give it `&self` as its first argument",
        );
        return None;
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Some(Receiver::Reference),
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) if reference.mutability.is_none() => {
                Some(Receiver::Reference)
            }
            Type::Path(path)
                if path
                    .path
                    .segments
                    .last()
                    .is_some_and(|it| it.ident == "Arc") =>
            {
                Some(Receiver::Shared)
            }
            _ => {
                errors.push(receiver, "write `&self`, or `self: Arc<Self>`");
                None
            }
        },
        _ => {
            errors.push(receiver, BY_REFERENCE);
            None
        }
    }
}

impl Subscription {
    fn parse(name: &str, attribute: Attribute, errors: &mut Errors) -> Option<Self> {
        let tokens = arguments(&attribute, errors)?;
        let nameless = match name {
            "subscribe_any" => Some(("subscribe_any", Subject::Any)),
            "subscribe_binary" => Some(("subscribe_binary", Subject::Binary)),
            _ => None,
        };
        if let Some((name, subject)) = nameless {
            return Some(Self {
                subject,
                concurrent: concurrent(name, errors.check(parse_list(tokens))?, errors),
                attribute,
            });
        }
        if tokens.is_empty() {
            errors.push(
                &attribute,
                "the name of the event is missing: write `#[subscribe_message(\"event\")]`",
            );
            return None;
        }
        let EventAndOptions { event, options } = errors.check(syn::parse2(tokens))?;
        Some(Self {
            subject: Subject::Event(event),
            concurrent: concurrent("subscribe_message", options, errors),
            attribute,
        })
    }
}

struct EventAndOptions {
    event: EventName,
    options: Vec<Opt>,
}

impl Parse for EventAndOptions {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let value: Expr = input.parse()?;
        let event = match (&value, text(&value)) {
            (_, Some(text)) => EventName::Text(text.clone()),
            (Expr::Path(_), _) => EventName::Constant(value),
            _ => {
                return Err(syn::Error::new_spanned(
                    value,
                    "the first argument is the name of the event: a string, or the path of a \
                     constant",
                ));
            }
        };
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self {
            event,
            options: parse_list(input.parse()?)?,
        })
    }
}

fn concurrent(attribute: &'static str, options: Vec<Opt>, errors: &mut Errors) -> bool {
    let mut admitted = Options::of(attribute, &["concurrent"]);
    let mut concurrent = false;
    for option in options {
        if admitted.admit(&option, &[], errors) {
            concurrent = option.flag(errors);
        }
    }
    concurrent
}

impl Argument {
    fn take(argument: &mut PatType, errors: &mut Errors) -> Option<Self> {
        let mut field = None;
        let mut pipes = Vec::new();
        let mut own_body = None;
        for (name, attribute) in take(&mut argument.attrs, &["body", "use_pipes"]) {
            let Some(tokens) = arguments(&attribute, errors) else {
                continue;
            };
            if name == "use_pipes" {
                pipes.extend(errors.check(parse_list(tokens)).unwrap_or_default());
            } else if let Ok(name) = syn::parse2::<LitStr>(tokens) {
                field = Some(name);
            } else {
                errors.push(&attribute, "write the field's name: `#[body(\"field\")]`");
            }
            own_body.get_or_insert(attribute);
        }
        for cfg in cfgs(&argument.attrs) {
            errors.push(
                cfg,
                "`cfg` on an argument cannot be followed: put it on two versions of the method",
            );
        }
        if let Type::ImplTrait(_) = &*argument.ty {
            errors.push(
                &argument.ty,
                "write the type itself, such as `MessageBody<..>`",
            );
            return None;
        }
        Some(Self {
            ty: (*argument.ty).clone(),
            field,
            pipes,
            own_body,
        })
    }
}
