//! Names: as people write them, and as Rust needs them.

use crate::failure::{Failure, Outcome};

/// Names that a module at the crate's root must not have, because paths that
/// begin with them mean something else.
const TAKEN_AT_ROOT: [&str; 5] = ["std", "core", "alloc", "proc_macro", "nest_gateway"];

/// A name in the spellings that the templates need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// `chat_room`: files, modules, functions.
    pub(crate) snake: String,
    /// `ChatRoom`: types.
    pub(crate) pascal: String,
    /// `chat-room`: namespaces and packages.
    pub(crate) kebab: String,
}

/// A name with the folders in front of it, as in `admin/chat-room`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// The folders, outermost first, as module names.
    pub(crate) folders: Vec<String>,
    /// The last segment.
    pub(crate) name: Name,
}

impl Name {
    /// Reads one name: `chat-room`, `chat_room`, `ChatRoom` and `chatRoom` are
    /// the same.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let words = words(text)?;
        let name = Self {
            snake: words.join("_"),
            pascal: words.iter().map(|word| capitalised(word)).collect(),
            kebab: words.join("-"),
        };
        if syn::parse_str::<syn::Ident>(&name.snake).is_err() {
            return Err(Failure::new(format!(
                "`{text}` cannot be a name: `{}` is a keyword of Rust; try `{0}s` or `my-{0}`",
                name.snake
            )));
        }
        Ok(name)
    }

    /// The name without the ending that the generated type gets anyway:
    /// `ChatGateway` makes the gateway `chat`.
    fn without_ending(self, ending: &str) -> Outcome<Self> {
        match self.snake.strip_suffix(&format!("_{ending}")) {
            Some(rest) => Self::parse(rest),
            None => Ok(self),
        }
    }
}

impl NamedPath {
    /// Reads `a/b/name`. `ending` is what the generated type's name ends with
    /// (`gateway`); a name that has it already does not get it twice.
    pub(crate) fn parse(text: &str, ending: &str) -> Outcome<Self> {
        let mut segments: Vec<&str> = text.split('/').collect();
        let last = segments.pop().unwrap_or_default();
        let folders = segments
            .into_iter()
            .map(|segment| Ok(Name::parse(segment)?.snake))
            .collect::<Outcome<Vec<_>>>()?;
        let name = Name::parse(last)?.without_ending(ending)?;
        Ok(Self { folders, name })
    }

    /// Refuses names that would shadow something at the crate's root.
    /// `dependencies` are the crates that the package can name.
    pub(crate) fn check_root(&self, dependencies: &[String]) -> Outcome<()> {
        let root = self.folders.first().unwrap_or(&self.name.snake);
        if root == "bin" {
            return Err(Failure::new(
                "`bin` cannot be a name here: cargo builds everything in src/bin as a program",
            ));
        }
        if matches!(root.as_str(), "lib" | "main") {
            return Err(Failure::new(format!(
                "`{root}` cannot be a name here: src/{root}.rs is the root of a crate; try `my-{root}`"
            )));
        }
        if TAKEN_AT_ROOT.contains(&root.as_str()) || dependencies.contains(root) {
            return Err(Failure::new(format!(
                "`{root}` cannot be a name here: it is also the name of a crate that this package uses"
            )));
        }
        Ok(())
    }
}

/// The words of a name, in lower case.
fn words(text: &str) -> Outcome<Vec<String>> {
    let refuse = |why: &str| Err(Failure::new(format!("`{text}` cannot be a name: {why}")));
    let Some(first) = text.chars().find(|c| !matches!(c, '-' | '_')) else {
        return refuse("it is empty (a folder in front of it is written `folder/name`)");
    };
    if matches!(text, "." | "..") {
        return refuse("generated files stay inside the package's src");
    }
    if let Some(wrong) = text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
    {
        return refuse(&format!(
            "it contains `{}`; letters, digits, `-` and `_` can be used, and `/` between folders",
            wrong.escape_debug()
        ));
    }
    if first.is_ascii_digit() {
        return refuse("names of Rust begin with a letter");
    }
    Ok(split_words(text))
}

/// Splits at `-`, `_` and where the case changes: `HTTPServer` is `http server`.
fn split_words(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
            });
        if (begins || matches!(letter, '-' | '_')) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !matches!(letter, '-' | '_') {
            word.push(letter.to_ascii_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snake_and_pascal(text: &str) -> (String, String) {
        let name = Name::parse(text).expect("a good name");
        (name.snake, name.pascal)
    }

    #[test]
    fn all_spellings_of_a_name_are_the_same_name() {
        for text in [
            "chat-room",
            "chat_room",
            "ChatRoom",
            "chatRoom",
            "Chat-Room",
        ] {
            assert_eq!(
                snake_and_pascal(text),
                ("chat_room".into(), "ChatRoom".into()),
                "{text}"
            );
        }
    }

    #[test]
    fn abbreviations_and_digits_stay_together() {
        assert_eq!(
            snake_and_pascal("HTTPServer2"),
            ("http_server2".into(), "HttpServer2".into())
        );
        assert_eq!(
            snake_and_pascal("v2Chat"),
            ("v2_chat".into(), "V2Chat".into())
        );
    }

    #[test]
    fn folders_are_names_too() {
        let path = NamedPath::parse("Admin/chat-room", "gateway").expect("a good path");
        assert_eq!(path.folders, ["admin"]);
        assert_eq!(path.name.snake, "chat_room");
    }

    #[test]
    fn an_ending_that_is_there_is_not_added_twice() {
        for text in ["chat-gateway", "ChatGateway", "chat"] {
            let path = NamedPath::parse(text, "gateway").expect("a good path");
            assert_eq!(path.name.pascal, "Chat", "{text}");
        }
        let path = NamedPath::parse("gateway", "gateway").expect("a good path");
        assert_eq!(path.name.pascal, "Gateway");
    }

    #[test]
    fn what_rust_cannot_name_is_refused_with_the_reason() {
        for (text, reason) in [
            ("2fast", "begin with a letter"),
            ("type", "keyword"),
            ("Self", "keyword"),
            ("", "empty"),
            ("--", "empty"),
            ("..", "stay inside"),
            ("a b", "contains ` `"),
            ("a\\b", "contains"),
            ("späti", "contains `ä`"),
        ] {
            let refusal = NamedPath::parse(text, "gateway")
                .expect_err(text)
                .to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
        assert!(NamedPath::parse("/abs", "gateway").is_err());
        assert!(NamedPath::parse("../up", "gateway").is_err());
        assert!(NamedPath::parse("a//b", "gateway").is_err());
    }

    #[test]
    fn names_of_crates_are_refused_at_the_root_only() {
        let refused = |text: &str| {
            let path = NamedPath::parse(text, "gateway").expect("a good path");
            path.check_root(&["serde".to_owned()]).is_err()
        };
        assert!(refused("serde"));
        assert!(refused("core"));
        assert!(refused("bin"));
        assert!(refused("lib"));
        assert!(refused("main/chat"));
        assert!(!refused("admin/serde"));
        assert!(!refused("chat"));
    }
}
