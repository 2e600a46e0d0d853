//! The nearest module: the `#[module]` that gets what is generated.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::edit::module_attribute::{self, Entry, List};
use crate::failure::{Context as _, Failure, Outcome};
use crate::name::Name;
use crate::plan::Plan;
use crate::project::Project;

/// A struct with `#[module]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    file: PathBuf,
    name: String,
}

/// Lists a type in the nearest module, beginning with this folder. `wanted` is
/// the name of another module to use; `own` is the file of the one that is
/// listed, which cannot be meant.
pub(crate) fn register(
    plan: &mut Plan,
    project: &Project,
    from: &Path,
    list: List,
    entry: Entry<'_>,
    wanted: Option<&str>,
    own: Option<&Path>,
) -> Outcome<()> {
    let owner = match wanted {
        Some(name) => Some(find_by_name(plan, project, name)?),
        None => find_nearest(plan, project, from, own)?,
    };
    let Some(Owner { file, name }) = owner else {
        plan.note(format!(
            "there is no #[module] above it; add `{}::{}` to the {} of the one that should have it",
            entry.module,
            entry.name,
            if list == List::Imports {
                "imports"
            } else {
                "providers"
            },
        ));
        return Ok(());
    };
    let here = project.module_of(&file);
    plan.edit(&file, |text| {
        module_attribute::add(text, &here, &name, list, entry)
    })
}

fn find_nearest(
    plan: &Plan,
    project: &Project,
    from: &Path,
    own: Option<&Path>,
) -> Outcome<Option<Owner>> {
    for folder in from.ancestors() {
        if !folder.starts_with(&project.source) {
            break;
        }
        let mut owners = modules_of(plan, project, folder)?;
        owners.retain(|owner| Some(owner.file.as_path()) != own);
        if let Some(owner) = choose(project, folder, owners)? {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}

/// The folder's main module: the only one, the one named after the folder, or
/// the one in the crate's root file.
fn choose(project: &Project, folder: &Path, owners: Vec<Owner>) -> Outcome<Option<Owner>> {
    if owners.len() < 2 {
        return Ok(owners.into_iter().next());
    }
    let is_root = folder == project.source;
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy();
    let name = if is_root { "app".into() } else { folder_name };
    let by_name = Name::parse(&name)
        .map(|name| format!("{}Module", name.pascal))
        .unwrap_or_default();
    let named = |owner: &&Owner| owner.name == by_name;
    let at_root = |owner: &&Owner| owner.file == project.crate_root;
    if let Some(owner) = owners
        .iter()
        .find(named)
        .or_else(|| owners.iter().find(at_root))
    {
        return Ok(Some(owner.clone()));
    }
    let all: Vec<_> = owners.iter().map(|owner| owner.name.as_str()).collect();
    Err(Failure::new(format!(
        "{} has several modules ({}); say which one with --module",
        folder.display(),
        all.join(", ")
    )))
}

fn find_by_name(plan: &Plan, project: &Project, name: &str) -> Outcome<Owner> {
    let mut found = Vec::new();
    let mut folders = vec![project.source.clone()];
    while let Some(folder) = folders.pop() {
        found.extend(modules_of(plan, project, &folder)?);
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.is_dir() && !path.is_symlink()),
        );
    }
    let known: BTreeSet<_> = found.iter().map(|owner| owner.name.clone()).collect();
    let mut named = found.into_iter().filter(|owner| owner.name == name);
    match (named.next(), named.next()) {
        (Some(owner), None) => Ok(owner),
        (Some(_), Some(_)) => Err(Failure::new(format!("there are several modules `{name}`"))),
        (None, _) => Err(Failure::new(format!(
            "there is no module `{name}`; there is {}",
            known.into_iter().collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// All modules in the files of a folder, as they will be, and in the file
/// beside it that has its name.
fn modules_of(plan: &Plan, project: &Project, folder: &Path) -> Outcome<Vec<Owner>> {
    let mut files: BTreeSet<PathBuf> = plan.files_in(folder);
    if folder.is_dir() {
        let entries = std::fs::read_dir(folder).context(folder.display())?;
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    if folder != project.source {
        files.insert(folder.with_extension("rs"));
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    // With a library, src/main.rs is another crate, in which our paths mean nothing.
    let program = project.source.join("main.rs");
    files.retain(|file| project.library.is_none() || *file != program);
    let mut owners = Vec::new();
    for file in files {
        let text = plan.read(&file)?.unwrap_or_default();
        let names = module_attribute::modules_in(&text).into_iter();
        owners.extend(names.map(|name| Owner {
            file: file.clone(),
            name,
        }));
    }
    Ok(owners)
}
