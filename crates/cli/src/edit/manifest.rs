//! `Cargo.toml`: dependencies, with everything else kept as it is written.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use crate::failure::{Context as _, Failure, Outcome};

/// A dependency that generated code needs.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// The crate's name.
    pub(crate) name: &'static str,
    /// Where it comes from.
    pub(crate) source: DependencySource,
    /// Features that have to be on.
    pub(crate) features: Vec<&'static str>,
    /// Whether the crate's default features are wanted, where the dependency
    /// is not there yet.
    pub(crate) default_features: bool,
}

/// Where a dependency comes from.
#[derive(Clone, Debug)]
pub(crate) enum DependencySource {
    /// A registry, by version.
    Version(String),
    /// A folder.
    Path(String),
    /// A repository, by the keys that name it.
    Repository(Vec<(String, String)>),
}

/// Where a dependency that is there comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A folder, relative to that of the manifest.
    Path(String),
    /// The keys that name a repository and what of it: `git`, `branch`, ..
    Repository(Vec<(String, String)>),
    /// `workspace = true`: what the workspace says.
    Workspace,
}

/// A table of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// `[dependencies]`
    Normal,
    /// `[dev-dependencies]`
    Dev,
}

impl Section {
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Normal => "dependencies",
            Self::Dev => "dev-dependencies",
        }
    }
}

/// Parses a manifest.
pub(crate) fn parse(text: &str) -> Outcome<DocumentMut> {
    text.parse::<DocumentMut>().context("it does not parse")
}

/// The crates that a package can name, as Rust writes them.
pub(crate) fn dependency_names(manifest: &DocumentMut) -> Vec<String> {
    [Section::Normal, Section::Dev]
        .into_iter()
        .filter_map(|section| manifest.get(section.key())?.as_table_like())
        .flat_map(|table| table.iter().map(|(name, _)| name.replace('-', "_")))
        .collect()
}

/// Where a dependency in the table `section` (`dependencies`,
/// `workspace.dependencies`) comes from; `None` when it is not there, or comes
/// from a registry.
pub(crate) fn origin(text: &str, section: &str, name: &str) -> Outcome<Option<Origin>> {
    let manifest = parse(text)?;
    let table = section
        .split('.')
        .try_fold(manifest.as_item(), |table, key| table.get(key));
    let Some(dependency) = table
        .and_then(|table| table.get(name))
        .and_then(Item::as_table_like)
    else {
        return Ok(None);
    };
    let text = |key: &str| dependency.get(key)?.as_str().map(str::to_owned);
    if let Some(path) = text("path") {
        return Ok(Some(Origin::Path(path)));
    }
    if dependency.get("workspace").and_then(Item::as_bool) == Some(true) {
        return Ok(Some(Origin::Workspace));
    }
    let keys = ["git", "branch", "tag", "rev"].map(|key| Some((key.to_owned(), text(key)?)));
    let keys: Vec<_> = keys.into_iter().flatten().collect();
    Ok((!keys.is_empty()).then_some(Origin::Repository(keys)))
}

/// Adds a dependency, or the features that it lacks.
pub(crate) fn require(text: &str, section: Section, wanted: &Dependency) -> Outcome<String> {
    let mut manifest = parse(text)?;
    let normal = manifest
        .get(Section::Normal.key())
        .and_then(Item::as_table_like)
        .is_some_and(|table| table.contains_key(wanted.name));
    // What is a dependency need not be a development dependency too.
    let section = if normal { Section::Normal } else { section };
    let table = manifest
        .entry(section.key())
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or_else(|| Failure::new(format!("[{}] is not a table", section.key())))?;
    match table.get_mut(wanted.name) {
        Some(present) => {
            if !add_features(present, wanted)? {
                return Ok(text.to_owned());
            }
        }
        None => {
            table.insert(wanted.name, Item::Value(written(wanted)));
        }
    }
    Ok(manifest.to_string())
}

/// Lists a package in the workspace's members.
pub(crate) fn add_member(text: &str, member: &str) -> Outcome<String> {
    let mut manifest = parse(text)?;
    let workspace = manifest
        .get_mut("workspace")
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| Failure::new("it has no [workspace]"))?;
    let members = workspace
        .entry("members")
        .or_insert(Item::Value(Value::Array(Array::new())))
        .as_array_mut()
        .ok_or_else(|| Failure::new("`workspace.members` is not a list"))?;
    members.push(member);
    // An element of a list with one element a line gets a line of its own.
    let style = members
        .iter()
        .next()
        .and_then(|first| first.decor().prefix()?.as_str())
        .filter(|prefix| prefix.contains('\n'))
        .map(str::to_owned);
    // A comment behind what was the last element stays there.
    let trailing = members.trailing().as_str().unwrap_or_default();
    let comment = trailing.trim_end().to_owned();
    let last = members.len() - 1;
    if let (Some(prefix), Some(element)) = (style, members.get_mut(last)) {
        element.decor_mut().set_prefix(comment.clone() + &prefix);
        if !comment.is_empty() {
            members.set_trailing("\n");
        }
    }
    Ok(manifest.to_string())
}

fn written(wanted: &Dependency) -> Value {
    let mut table = InlineTable::new();
    match &wanted.source {
        DependencySource::Version(version)
            if wanted.features.is_empty() && wanted.default_features =>
        {
            return Value::from(version);
        }
        DependencySource::Version(version) => {
            table.insert("version", Value::from(version));
        }
        DependencySource::Path(path) => {
            table.insert("path", Value::from(path));
        }
        DependencySource::Repository(keys) => {
            table.extend(keys.iter().map(|(key, text)| (key.as_str(), text)));
        }
    }
    if !wanted.default_features {
        table.insert("default-features", Value::from(false));
    }
    if !wanted.features.is_empty() {
        table.insert(
            "features",
            Value::Array(wanted.features.iter().copied().collect()),
        );
    }
    Value::InlineTable(table)
}

/// Adds the features that a dependency lacks; whether there was one.
fn add_features(present: &mut Item, wanted: &Dependency) -> Outcome<bool> {
    if wanted.features.is_empty() {
        return Ok(false);
    }
    if let Some(version) = present.as_str() {
        let mut table = InlineTable::new();
        table.insert("version", Value::from(version));
        table.insert(
            "features",
            Value::Array(wanted.features.iter().copied().collect()),
        );
        *present = Item::Value(Value::InlineTable(table));
        return Ok(true);
    }
    if let Some(table) = present.as_inline_table_mut()
        && !table.contains_key("features")
    {
        // The space before `}` belongs to what is the last value so far.
        for (_, value) in table.iter_mut() {
            let decor = value.decor_mut();
            if decor.suffix().and_then(|suffix| suffix.as_str()) == Some(" ") {
                decor.set_suffix("");
            }
        }
    }
    let features = present
        .as_table_like_mut()
        .ok_or_else(|| Failure::new(format!("the dependency `{}` is no table", wanted.name)))?
        .entry("features")
        .or_insert(Item::Value(Value::Array(Array::new())))
        .as_array_mut()
        .ok_or_else(|| Failure::new(format!("the features of `{}` are no list", wanted.name)))?;
    let mut changed = false;
    for feature in &wanted.features {
        if !features
            .iter()
            .any(|present| present.as_str() == Some(feature))
        {
            features.push(*feature);
            changed = true;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(features: &[&'static str]) -> Dependency {
        Dependency {
            name: "nest-gateway",
            source: DependencySource::Version("0.1.0".to_owned()),
            features: features.to_vec(),
            default_features: true,
        }
    }

    fn required(text: &str, features: &[&'static str]) -> String {
        let once = require(text, Section::Normal, &gateway(features)).expect("it parses");
        let twice = require(&once, Section::Normal, &gateway(features)).expect("it parses");
        assert_eq!(once, twice, "a second time changes nothing");
        once
    }

    #[test]
    fn a_missing_dependency_is_added_and_comments_are_kept() {
        let text =
            "# mine\n[package]\nname = \"x\" # ours\n\n[dependencies]\nserde = \"1\" # data\n";
        assert_eq!(
            required(text, &[]),
            format!("{text}nest-gateway = \"0.1.0\"\n")
        );
        assert_eq!(
            required("[package]\nname = \"x\"\n", &["socketio"]),
            "[package]\nname = \"x\"\n\n[dependencies]\nnest-gateway = { version = \"0.1.0\", features = [\"socketio\"] }\n"
        );
    }

    #[test]
    fn a_missing_feature_is_added_to_every_form_of_a_dependency() {
        for (before, after) in [
            (
                "nest-gateway = \"0.1\" # ours\n",
                "nest-gateway = { version = \"0.1\", features = [\"socketio\"] }",
            ),
            (
                "nest-gateway = { workspace = true }\n",
                "{ workspace = true, features = [\"socketio\"] }",
            ),
            (
                "nest-gateway.workspace = true\n",
                "nest-gateway.features = [\"socketio\"]",
            ),
            (
                "nest-gateway = { path = \"..\", features = [\"msgpack\"] }\n",
                "features = [\"msgpack\", \"socketio\"]",
            ),
        ] {
            let text = required(&format!("[dependencies]\n{before}"), &["socketio"]);
            assert!(text.contains(after), "{text}");
        }
        let table = "[dependencies.nest-gateway]\nversion = \"0.1\"\n";
        assert_eq!(
            required(table, &["socketio"]),
            format!("{table}features = [\"socketio\"]\n")
        );
    }

    #[test]
    fn a_dependency_is_not_repeated_for_tests() {
        let text = "[dependencies]\nnest-gateway = \"0.1\"\n";
        let after = require(text, Section::Dev, &gateway(&[])).expect("it parses");
        assert_eq!(after, text);
    }

    #[test]
    fn a_member_is_listed_in_the_style_of_the_list() {
        let text = "[workspace]\nmembers = [\n    \"a\", # first\n    \"b\",\n]\n";
        let after = add_member(text, "c").expect("it parses");
        assert_eq!(
            after,
            "[workspace]\nmembers = [\n    \"a\", # first\n    \"b\",\n    \"c\",\n]\n"
        );
        let after = add_member("[workspace]\n", "c").expect("it parses");
        assert_eq!(after, "[workspace]\nmembers = [\"c\"]\n");
    }
}
