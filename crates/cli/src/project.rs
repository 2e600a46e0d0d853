//! The package that is worked on.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use crate::edit::manifest;
use crate::failure::{Context as _, Failure, Outcome};
use crate::plan::read_file;

/// A cargo package, found from a folder in it.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of its `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where its modules are, usually `src`.
    pub(crate) source: PathBuf,
    /// The file at the crate's root: that of the library, else of the program.
    pub(crate) crate_root: PathBuf,
    /// The library's name as Rust writes it; `None` for a program alone.
    pub(crate) library: Option<String>,
    /// The crates that it can name.
    pub(crate) dependencies: Vec<String>,
}

impl Project {
    /// The package around a folder.
    pub(crate) fn find(from: &Path) -> Outcome<Self> {
        for folder in from.ancestors() {
            if let Some(text) = read_file(&folder.join("Cargo.toml"))? {
                let parsed = manifest::parse(&text).context(folder.join("Cargo.toml").display())?;
                if parsed.contains_key("package") {
                    return Self::at(folder, &parsed);
                }
                return Err(Failure::new(format!(
                    "{} is a workspace without a package of its own; change into one of its packages",
                    folder.display()
                )));
            }
        }
        Err(Failure::new(
            "there is no Cargo.toml here or above; \
             change into a package, or make one with `nest-gateway new <app>`",
        ))
    }

    fn at(root: &Path, manifest: &DocumentMut) -> Outcome<Self> {
        let text = |table: &str, key: &str| {
            let value = manifest.get(table)?.get(key)?;
            value.as_str().map(str::to_owned)
        };
        let package = text("package", "name").unwrap_or_default();
        let library = root.join(text("lib", "path").unwrap_or_else(|| "src/lib.rs".to_owned()));
        let program = root.join("src/main.rs");
        let has_library = library.is_file();
        let crate_root = if has_library { library } else { program };
        if !crate_root.is_file() {
            return Err(Failure::new(format!(
                "{} has neither a src/lib.rs nor a src/main.rs to put modules into",
                root.display()
            )));
        }
        Ok(Self {
            root: root.to_owned(),
            source: crate_root.parent().unwrap_or(root).to_owned(),
            crate_root,
            library: has_library
                .then(|| text("lib", "name").unwrap_or_else(|| package.replace('-', "_"))),
            dependencies: manifest::dependency_names(manifest),
        })
    }

    /// Its manifest.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }

    /// Where a project keeps templates of its own.
    pub(crate) fn templates(&self) -> PathBuf {
        self.root.join(".nest-gateway").join("templates")
    }

    /// The module that a file of the package is: `crate::chat::dto`.
    pub(crate) fn module_of(&self, file: &Path) -> String {
        if file == self.crate_root {
            return "crate".to_owned();
        }
        let relative = file
            .strip_prefix(&self.source)
            .unwrap_or(file)
            .with_extension("");
        let mut parts: Vec<String> = relative
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if parts
            .last()
            .is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main"))
        {
            parts.pop();
        }
        std::iter::once("crate".to_owned())
            .chain(parts)
            .collect::<Vec<_>>()
            .join("::")
    }
}

/// The workspace around a folder, if there is one: its manifest and text.
pub(crate) fn workspace_around(folder: &Path) -> Outcome<Option<(PathBuf, String)>> {
    for above in folder.ancestors().skip(1) {
        let path = above.join("Cargo.toml");
        if let Some(text) = read_file(&path)? {
            let parsed = manifest::parse(&text).context(path.display())?;
            if parsed.contains_key("workspace") {
                return Ok(Some((path, text)));
            }
        }
    }
    Ok(None)
}

/// Whether a workspace takes or leaves out a package in this folder (relative
/// to the workspace, with `/`) already.
pub(crate) fn workspace_knows(text: &str, package: &str) -> Outcome<bool> {
    let parsed = manifest::parse(text)?;
    let listed = |key: &str| -> Vec<String> {
        let list = parsed
            .get("workspace")
            .and_then(|workspace| workspace.get(key));
        let list = list.and_then(Item::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|entry| entry.as_str().map(str::to_owned))
            .collect()
    };
    let is_member = listed("members")
        .iter()
        .any(|pattern| matches_glob(pattern, package));
    let is_excluded = listed("exclude")
        .iter()
        .any(|excluded| Path::new(package).starts_with(excluded));
    Ok(is_member || is_excluded)
}

/// Globs as cargo's members use them: `*` for one part of a path.
fn matches_glob(pattern: &str, path: &str) -> bool {
    let pattern: Vec<_> = pattern
        .trim_start_matches("./")
        .trim_end_matches('/')
        .split('/')
        .collect();
    let path: Vec<_> = path.split('/').collect();
    let part_matches = |pattern: &str, part: &str| match pattern.split_once('*') {
        Some((begin, end)) => {
            part.len() >= begin.len() + end.len() && part.starts_with(begin) && part.ends_with(end)
        }
        None => pattern == part,
    };
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(pattern, part)| part_matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_excluded_folders_are_known() {
        let text = "[workspace]\nmembers = [\"apps/*\", \"./tools\"]\nexclude = [\"target\"]\n";
        for (package, known) in [
            ("apps/chat", true),
            ("apps/chat/inner", false),
            ("tools", true),
            ("target/tmp/x", true),
            ("other", false),
        ] {
            assert_eq!(
                workspace_knows(text, package).expect("it parses"),
                known,
                "{package}"
            );
        }
    }
}
