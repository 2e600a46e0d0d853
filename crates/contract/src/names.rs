//! Names for namespaces where paths cannot stand.

use crate::description::Gateway;

/// A namespace as a key and as part of a type's name.
#[derive(Clone, Debug)]
pub(crate) struct Namespace<'a> {
    /// `/room/{id}`
    pub(crate) path: &'a str,
    /// `room-id`; `root` for `/`.
    pub(crate) key: String,
    /// `RoomId`; `Root` for `/`.
    pub(crate) pascal: String,
    /// All gateways that share it.
    pub(crate) gateways: Vec<&'a Gateway>,
}

/// All namespaces, in the order in which they are first used, with keys that
/// are different from each other.
pub(crate) fn namespaces(gateways: &[Gateway]) -> Vec<Namespace<'_>> {
    let mut all: Vec<Namespace<'_>> = Vec::new();
    for gateway in gateways {
        if let Some(known) = all.iter_mut().find(|known| known.path == gateway.namespace) {
            known.gateways.push(gateway);
            continue;
        }
        let words = words(&gateway.namespace);
        let mut key = words.join("-");
        let mut pascal: String = words.iter().map(|word| capitalised(word)).collect();
        let same = all
            .iter()
            .filter(|known| known.pascal == pascal || known.key == key)
            .count();
        if same > 0 {
            key = format!("{key}-{}", same + 1);
            pascal = format!("{pascal}{}", same + 1);
        }
        all.push(Namespace {
            path: &gateway.namespace,
            key,
            pascal,
            gateways: vec![gateway],
        });
    }
    all
}

fn words(path: &str) -> Vec<String> {
    let words: Vec<String> = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    match words.first() {
        None => vec!["root".to_owned()],
        Some(first) if first.starts_with(|c: char| c.is_ascii_digit()) => {
            std::iter::once("n".to_owned()).chain(words).collect()
        }
        Some(_) => words,
    }
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1.min(word.len()));
    first.to_ascii_uppercase() + rest
}
