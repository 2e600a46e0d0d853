//! `#[websocket_gateway(..)]`.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Expr, ExprLit, ItemStruct, Lit, LitStr, Type};

use super::Field;
use crate::attrs::{Enhancers, Opt, OptValue, Options, Root, parse_list, take, text};
use crate::errors::Errors;

/// A gateway's struct, and what stands on it.
pub(crate) struct Gateway {
    pub(crate) item: ItemStruct,
    pub(crate) root: Root,
    pub(crate) namespace: Option<Expr>,
    pub(crate) port: Option<Expr>,
    pub(crate) adapters: Vec<LitStr>,
    pub(crate) emits: Vec<Type>,
    pub(crate) enhancers: Enhancers,
    pub(crate) fields: Vec<Field>,
}

const OPTIONS: [&str; 5] = ["namespace", "port", "adapter", "emits", "crate"];

impl Gateway {
    pub(crate) fn parse(options: TokenStream, mut item: ItemStruct, errors: &mut Errors) -> Self {
        for (_, attribute) in take(&mut item.attrs, &["injectable"]) {
            errors.push(attribute, "a gateway is injectable already: remove this");
        }
        let enhancers = Enhancers::take(&mut item.attrs, errors);
        let fields = Field::all(&mut item.fields, errors);
        let mut gateway = Self {
            item,
            root: Root::default(),
            namespace: None,
            port: None,
            adapters: Vec::new(),
            emits: Vec::new(),
            enhancers,
            fields,
        };
        gateway.read(options, errors);
        gateway
    }

    fn read(&mut self, options: TokenStream, errors: &mut Errors) {
        let mut admitted = Options::of("websocket_gateway", &OPTIONS);
        let options = errors.check(parse_list::<OptOrLiteral>(options));
        for option in options.unwrap_or_default() {
            let option = match option {
                OptOrLiteral::Option(option) => option,
                OptOrLiteral::Literal(literal) => {
                    unnamed(&literal, errors);
                    continue;
                }
            };
            if admitted.admit(&option, &["adapter"], errors) {
                self.set(option, errors);
            }
        }
    }

    fn set(&mut self, option: Opt, errors: &mut Errors) {
        match option.name.to_string().as_str() {
            "namespace" => self.namespace = option.assigned(errors, "\"/chat\""),
            "port" => self.port = option.assigned(errors, "3001"),
            "adapter" => self.adapters.extend(adapters(option, errors)),
            "emits" => self.emits = option.list(errors, "MessageSent, .."),
            _ => self.root = Root::from_option(option, errors).unwrap_or_default(),
        }
    }
}

enum OptOrLiteral {
    Option(Opt),
    Literal(ExprLit),
}

impl syn::parse::Parse for OptOrLiteral {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Lit) {
            input.parse().map(Self::Literal)
        } else {
            input.parse().map(Self::Option)
        }
    }
}

/// `#[websocket_gateway(3001, "/chat")]`, as one writes it in NestJS.
fn unnamed(literal: &ExprLit, errors: &mut Errors) {
    let name = match literal.lit {
        Lit::Int(_) => "port",
        _ => "namespace",
    };
    let literal = literal.to_token_stream();
    errors.push(
        &literal,
        format!("options have names: write `{name} = {literal}`"),
    );
}

/// `adapter = Native`, `adapter = "sse"`, `adapter = [Native, SocketIo]` or
/// `adapter = Native | SocketIo`.
fn adapters(option: Opt, errors: &mut Errors) -> Vec<LitStr> {
    let values = match option.value {
        OptValue::List(tokens) => errors.check(parse_list(tokens)).unwrap_or_default(),
        _ => match option.assigned(errors, "Native") {
            Some(Expr::Array(array)) => array.elems.into_iter().collect(),
            Some(value) => vec![value],
            None => Vec::new(),
        },
    };
    let mut names = Vec::new();
    for value in values {
        collect_adapters(&value, &mut names, errors);
    }
    names
}

fn collect_adapters(value: &Expr, names: &mut Vec<LitStr>, errors: &mut Errors) {
    if let Some(name) = text(value) {
        names.push(name.clone());
        return;
    }
    match value {
        Expr::Path(path) if !path.path.segments.is_empty() => {
            // An adapter's name is its type's, in lower case: `socketio`.
            let last = &path.path.segments[path.path.segments.len() - 1].ident;
            let name = last.to_string().to_lowercase();
            names.push(LitStr::new(&name, last.span()));
        }
        Expr::Binary(both) if matches!(both.op, syn::BinOp::BitOr(_)) => {
            collect_adapters(&both.left, names, errors);
            collect_adapters(&both.right, names, errors);
        }
        other => errors.push(
            other,
            "an adapter is expected: `adapter = Native`, or several: `adapter = [Native, SocketIo]`",
        ),
    }
}
