//! Writes files so that all of them are changed, or none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context as _, Failure, Outcome};

/// One file to write.
pub(super) struct Write<'a> {
    pub(super) path: &'a Path,
    /// The text that the plan was made from; `None` when there was no file.
    pub(super) before: Option<&'a str>,
    pub(super) after: &'a str,
}

/// What was done, to be undone if a later step fails.
#[derive(Default)]
struct Undo {
    folders: Vec<PathBuf>,
    /// Files next to their targets that hold the new text.
    staged: Vec<PathBuf>,
    /// Files that were replaced, with their former text.
    written: Vec<(PathBuf, Option<String>)>,
}

/// Writes all, or puts back what was there.
pub(super) fn all<'a>(writes: impl Iterator<Item = Write<'a>>) -> Outcome<()> {
    let writes: Vec<_> = writes.collect();
    let mut undo = Undo::default();
    let result = stage(&writes, &mut undo).and_then(|()| replace(&writes, &mut undo));
    result.map_err(|failure| {
        undo.run();
        Failure::new(format!("{failure}\nNothing was changed."))
    })
}

/// Writes every new text to a file beside its target: whatever can go wrong
/// with the disk goes wrong here, where nothing has been replaced yet.
fn stage(writes: &[Write<'_>], undo: &mut Undo) -> Outcome<()> {
    for write in writes {
        if let Some(folder) = write.path.parent() {
            create_folders(folder, undo)?;
        }
        // Somebody may have changed the file since it was read.
        let present = super::read_file(write.path)?;
        if present.as_deref() != write.before {
            return Err(Failure::new(format!(
                "{} was changed meanwhile",
                write.path.display()
            )));
        }
        let staged = beside(write.path);
        undo.staged.push(staged.clone());
        fs::write(&staged, write.after)
            .context(format_args!("cannot write {}", staged.display()))?;
        if write.before.is_some() {
            let permissions = fs::metadata(write.path).map(|file| file.permissions());
            permissions
                .and_then(|permissions| fs::set_permissions(&staged, permissions))
                .context(format_args!(
                    "cannot copy the mode of {}",
                    write.path.display()
                ))?;
        }
    }
    Ok(())
}

fn replace(writes: &[Write<'_>], undo: &mut Undo) -> Outcome<()> {
    for write in writes {
        fs::rename(beside(write.path), write.path)
            .context(format_args!("cannot write {}", write.path.display()))?;
        undo.written
            .push((write.path.to_owned(), write.before.map(str::to_owned)));
    }
    Ok(())
}

fn create_folders(folder: &Path, undo: &mut Undo) -> Outcome<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folders(parent, undo)?;
    }
    fs::create_dir(folder).context(format_args!("cannot create {}", folder.display()))?;
    undo.folders.push(folder.to_owned());
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".nest-gateway-new");
    path.with_file_name(name)
}

impl Undo {
    /// Puts everything back. Failures are of no use to anybody here: the first
    /// error is the one that is reported.
    fn run(self) {
        for (path, before) in self.written.into_iter().rev() {
            let _ = match before {
                Some(text) => fs::write(&path, text),
                None => fs::remove_file(&path),
            };
        }
        for staged in self.staged {
            let _ = fs::remove_file(staged);
        }
        for folder in self.folders.into_iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
