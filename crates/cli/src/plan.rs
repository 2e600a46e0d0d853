//! Changes of files: planned, shown, checked, and applied all or none.

mod apply;
mod diff;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::failure::{Context as _, Failure, Outcome};

/// What is going to be written, by the path of the file.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Paths are shown relative to this folder.
    base: PathBuf,
    changes: BTreeMap<PathBuf, Change>,
    /// Files that should be made, are there, and are different.
    occupied: Vec<PathBuf>,
    /// What the user should know beyond the files.
    notes: Vec<String>,
}

/// One file before and after.
#[derive(Debug)]
struct Change {
    /// `None` when the file does not exist.
    before: Option<String>,
    after: String,
    /// Whether it has to be what its name says: Rust or TOML.
    has_to_parse: bool,
}

impl Change {
    fn changes_something(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }
}

impl Plan {
    /// An empty plan.
    pub(crate) fn new(base: impl Into<PathBuf>) -> Self {
        Self {
            base: base.into(),
            changes: BTreeMap::new(),
            occupied: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The text of a file as it will be; `None` if there is none.
    pub(crate) fn read(&self, path: &Path) -> Outcome<Option<String>> {
        match self.changes.get(path) {
            Some(change) => Ok(Some(change.after.clone())),
            None => read_file(path),
        }
    }

    /// The files directly in a folder that are going to be made.
    pub(crate) fn files_in(&self, folder: &Path) -> BTreeSet<PathBuf> {
        let planned = self
            .changes
            .keys()
            .filter(|path| path.parent() == Some(folder));
        planned.cloned().collect()
    }

    /// Plans a new file. One that is there with the same text is left alone;
    /// one with another text makes [`Plan::check`] fail.
    pub(crate) fn create(&mut self, path: PathBuf, text: String) -> Outcome<()> {
        match self.read(&path)? {
            Some(present) if present != text => self.occupied.push(path),
            Some(_) => {}
            None => {
                let change = Change {
                    before: None,
                    after: text,
                    has_to_parse: true,
                };
                self.changes.insert(path, change);
            }
        }
        Ok(())
    }

    /// Plans a new file whose name promises more than it is, such as a template.
    pub(crate) fn create_as_it_is(&mut self, path: PathBuf, text: &str) {
        let change = Change {
            before: None,
            after: text.to_owned(),
            has_to_parse: false,
        };
        self.changes.insert(path, change);
    }

    /// Plans a change of a file that is there, or was planned before.
    pub(crate) fn edit(
        &mut self,
        path: &Path,
        edit: impl FnOnce(&str) -> Outcome<String>,
    ) -> Outcome<()> {
        let Some(present) = self.read(path)? else {
            return Err(Failure::new(format!("{} does not exist", self.shown(path))));
        };
        let after = edit(&present).context(format_args!("cannot change {}", self.shown(path)))?;
        if after == present {
            return Ok(());
        }
        let change = self.changes.entry(path.to_owned()).or_insert(Change {
            before: Some(present),
            after: String::new(),
            has_to_parse: true,
        });
        change.after = after;
        Ok(())
    }

    /// Adds something that the user should know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// What the user should know.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        !self.changes.values().any(Change::changes_something)
    }

    /// Refuses a plan that would overwrite a file, or write one that does not
    /// parse.
    pub(crate) fn check(&self) -> Outcome<()> {
        if !self.occupied.is_empty() {
            let list: Vec<_> = self.occupied.iter().map(|path| self.shown(path)).collect();
            return Err(Failure::new(format!(
                "existing files are never overwritten, and these exist with another content:\n  {}\n\
                 Nothing was written. Rename or remove them, or choose another name.",
                list.join("\n  ")
            )));
        }
        for (path, change) in &self.changes {
            if change.has_to_parse {
                self.check_syntax(path, &change.after)?;
            }
        }
        Ok(())
    }

    fn check_syntax(&self, path: &Path, text: &str) -> Outcome<()> {
        let doing = || {
            format!(
                "{} would not parse, so nothing was written",
                self.shown(path)
            )
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => syn::parse_file(text).map(drop).context(doing()),
            Some("toml") => text
                .parse::<toml_edit::DocumentMut>()
                .map(drop)
                .context(doing()),
            _ => Ok(()),
        }
    }

    /// The plan as a unified diff.
    pub(crate) fn diff(&self) -> String {
        let mut text = String::new();
        for (path, change) in &self.changes {
            if change.changes_something() {
                diff::write(
                    &mut text,
                    &self.shown(path),
                    change.before.as_deref(),
                    &change.after,
                );
            }
        }
        text
    }

    /// One line for each file.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        for (path, change) in &self.changes {
            if change.changes_something() {
                let verb = if change.before.is_none() {
                    "create"
                } else {
                    "edit"
                };
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{verb:>8} {}", self.shown(path));
            }
        }
        text
    }

    /// Writes everything, or nothing.
    pub(crate) fn apply(&self) -> Outcome<()> {
        self.check()?;
        let changes = self
            .changes
            .iter()
            .filter(|(_, change)| change.changes_something());
        apply::all(changes.map(|(path, change)| apply::Write {
            path,
            before: change.before.as_deref(),
            after: &change.after,
        }))
    }

    fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.base).unwrap_or(path);
        relative.display().to_string().replace('\\', "/")
    }
}

/// The text of a file; `None` if there is none.
pub(crate) fn read_file(path: &Path) -> Outcome<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}
