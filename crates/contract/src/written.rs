//! Types as they are written in an application.

use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

/// What is known of a type from the way it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Nothing,
    Anything,
    Boolean,
    Integer,
    Number,
    Text,
    List(Box<Shape>),
    Map(Box<Shape>),
    Nullable(Box<Shape>),
    Tuple(Vec<Shape>),
    Named(String),
}

/// A written type, without what is not data: `Result`, `WsResponse`, streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// As it is written, without what was taken off.
    text: String,
    shape: Shape,
    stream: bool,
    rerouted: bool,
    optional: bool,
}

impl Written {
    /// Reads a type. What is not understood can be anything.
    pub fn parse(text: &str) -> Self {
        let mut written = Self {
            text: text.to_owned(),
            shape: Shape::Anything,
            stream: false,
            rerouted: false,
            optional: false,
        };
        if let Ok(parsed) = syn::parse_str::<Type>(text) {
            written.peel(&parsed, true);
        }
        written
    }

    /// The type as data.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether it is `()`.
    pub fn is_nothing(&self) -> bool {
        self.shape == Shape::Nothing
    }

    /// Whether it is a stream of the shape.
    pub fn is_stream(&self) -> bool {
        self.stream
    }

    /// Whether it is a `WsResponse`.
    pub fn is_rerouted(&self) -> bool {
        self.rerouted
    }

    /// Whether it was an `Option` of the whole.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The name of the type, if it has one of its own.
    pub(crate) fn name(&self) -> Option<String> {
        match &self.shape {
            Shape::Named(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// For lists: the type without what was taken off.
    pub fn text(&self) -> String {
        let stream = if self.stream { "stream of " } else { "" };
        let end = if self.optional { "?" } else { "" };
        format!("{stream}{}{end}", self.text)
    }

    /// Takes off one layer after the other.
    fn peel(&mut self, parsed: &Type, outermost: bool) {
        if let Some(item) = stream_item(parsed) {
            self.stream = true;
            return match item {
                Item::Known(item) => self.peel(item, false),
                Item::Unknown => "?".clone_into(&mut self.text),
            };
        }
        match (last_name(parsed).as_deref(), arguments(parsed).first()) {
            (Some("Result" | "HandlerResult"), Some(inner)) => self.peel(inner, outermost),
            (Some("WsResponse"), Some(inner)) => {
                self.rerouted = true;
                self.peel(inner, false);
            }
            (Some("Option"), Some(inner)) if outermost && !self.optional => {
                self.optional = true;
                self.peel(inner, false);
            }
            _ => {
                self.text = type_text(parsed);
                self.shape = shape(parsed);
            }
        }
    }
}

/// What a stream yields.
enum Item<'a> {
    Known(&'a Type),
    Unknown,
}

impl<'a> Item<'a> {
    fn of(known: Option<&'a Type>) -> Self {
        known.map_or(Self::Unknown, Self::Known)
    }
}

/// The item of `impl Stream<Item = T>`, of a box of it, or of
/// `BoxStream<'_, T>`; `None` when it is no stream.
fn stream_item(parsed: &Type) -> Option<Item<'_>> {
    let bounds = match parsed {
        Type::ImplTrait(parsed) => &parsed.bounds,
        Type::TraitObject(parsed) => &parsed.bounds,
        _ => {
            let name = last_name(parsed)?;
            let inner = arguments(parsed).into_iter().next();
            return match name.as_str() {
                "Pin" | "Box" => stream_item(inner?),
                "BoxStream" | "LocalBoxStream" => Some(Item::of(inner)),
                "ReplyStream" => Some(Item::Unknown),
                _ => None,
            };
        }
    };
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        if last.ident != "Stream" {
            return None;
        }
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return Some(Item::Unknown);
        };
        let item = arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
            _ => None,
        });
        Some(Item::of(item))
    })
}

fn shape(parsed: &Type) -> Shape {
    let boxed = |parsed: &Type| Box::new(shape(parsed));
    match parsed {
        Type::Reference(parsed) => return shape(&parsed.elem),
        Type::Paren(parsed) => return shape(&parsed.elem),
        Type::Group(parsed) => return shape(&parsed.elem),
        Type::Slice(parsed) => return Shape::List(boxed(&parsed.elem)),
        Type::Array(parsed) => return Shape::List(boxed(&parsed.elem)),
        Type::Tuple(parsed) if parsed.elems.is_empty() => return Shape::Nothing,
        Type::Tuple(parsed) => return Shape::Tuple(parsed.elems.iter().map(shape).collect()),
        _ => {}
    }
    let Some(name) = last_name(parsed) else {
        return Shape::Anything;
    };
    let arguments = arguments(parsed);
    match (name.as_str(), arguments.as_slice()) {
        ("bool", _) => Shape::Boolean,
        ("String" | "str" | "char", _) => Shape::Text,
        ("f32" | "f64", _) => Shape::Number,
        (
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128"
            | "isize",
            _,
        ) => Shape::Integer,
        ("Value" | "Payload" | "RawValue" | "Reply", []) => Shape::Anything,
        ("Vec" | "VecDeque" | "HashSet" | "BTreeSet", [item, ..]) => Shape::List(boxed(item)),
        ("HashMap" | "BTreeMap" | "IndexMap", [_, value, ..]) => Shape::Map(boxed(value)),
        ("Option", [inner]) => Shape::Nullable(boxed(inner)),
        ("Box" | "Arc" | "Rc" | "Json" | "Cow", [.., inner]) => shape(inner),
        (name, []) => Shape::Named(name.to_owned()),
        // `Page<User>` is another type than `Page<Order>`.
        (name, arguments) => {
            let inner = arguments.iter().filter_map(|argument| last_name(argument));
            Shape::Named(inner.fold(name.to_owned(), |name, inner| name + &inner))
        }
    }
}

fn last_name(parsed: &Type) -> Option<String> {
    match parsed {
        Type::Path(parsed) => Some(parsed.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

fn arguments(parsed: &Type) -> Vec<&Type> {
    let Type::Path(parsed) = parsed else {
        return Vec::new();
    };
    let Some(last) = parsed.path.segments.last() else {
        return Vec::new();
    };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(argument) => Some(argument),
                _ => None,
            })
            .collect(),
        PathArguments::Parenthesized(arguments) => match &arguments.output {
            ReturnType::Type(_, output) => vec![output],
            ReturnType::Default => Vec::new(),
        },
        PathArguments::None => Vec::new(),
    }
}

/// A type as people write it, and not with a space around each token.
fn type_text(parsed: &Type) -> String {
    match parsed {
        Type::Reference(parsed) => return type_text(&parsed.elem),
        Type::Tuple(parsed) => {
            let parts: Vec<_> = parsed.elems.iter().map(type_text).collect();
            return format!("({})", parts.join(", "));
        }
        _ => {}
    }
    let inner: Vec<_> = arguments(parsed).into_iter().map(type_text).collect();
    match last_name(parsed) {
        Some(name) if inner.is_empty() => name,
        Some(name) => format!("{name}<{}>", inner.join(", ")),
        None => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_data_is_taken_off() {
        for (text, listed) in [
            ("MessageSent", "MessageSent"),
            ("Result < MessageSent , ChatError >", "MessageSent"),
            (
                "Result<impl Stream<Item = Token> + use<>, LlmError>",
                "stream of Token",
            ),
            (
                "impl futures::Stream<Item = Result<WsResponse<Token>, E>>",
                "stream of Token",
            ),
            ("Pin<Box<dyn Stream<Item = u8> + Send>>", "stream of u8"),
            ("BoxStream<'_, Token>", "stream of Token"),
            ("ReplyStream<'_>", "stream of ?"),
            ("Option<WsResponse<u8>>", "u8?"),
            ("Vec < Option < & 'static str > >", "Vec<Option<str>>"),
            ("()", "()"),
            ("Result<()>", "()"),
        ] {
            assert_eq!(Written::parse(text).text(), listed, "{text}");
        }
    }

    #[test]
    fn plain_types_are_known_from_their_names() {
        let shape = |text: &str| Written::parse(text).shape;
        assert_eq!(shape("Vec<u8>"), Shape::List(Box::new(Shape::Integer)));
        assert_eq!(
            shape("HashMap<String, bool>"),
            Shape::Map(Box::new(Shape::Boolean))
        );
        assert_eq!(
            shape("(f64, &str)"),
            Shape::Tuple(vec![Shape::Number, Shape::Text])
        );
        assert_eq!(
            shape("Vec<Option<X>>"),
            Shape::List(Box::new(Shape::Nullable(Box::new(Shape::Named(
                "X".into()
            )))))
        );
        assert_eq!(shape("Page<User>"), Shape::Named("PageUser".into()));
        assert_eq!(shape("fn(u8)"), Shape::Anything);
        assert_eq!(shape("not a type at all"), Shape::Anything);
        assert!(Written::parse("WsResponse<u8>").is_rerouted());
    }
}
