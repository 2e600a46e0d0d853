//! Makes the compiler see generated files: `mod` lines and re-exports.

use std::path::PathBuf;

use minijinja::context;

use super::place::Place;
use crate::edit::{module_line, use_line};
use crate::failure::Outcome;
use crate::plan::Plan;
use crate::project::Project;
use crate::templates::Templates;

/// Declares every module on the way from the crate's root to the place.
pub(crate) fn modules(
    plan: &mut Plan,
    project: &Project,
    templates: &Templates,
    place: &Place,
) -> Outcome<()> {
    for depth in 0..place.modules.len() {
        let name = &place.modules[depth];
        let outer = file_of(plan, project, &place.modules[..depth])?;
        plan.edit(&outer, |text| {
            module_line::add(text, visibility(project), name)
        })?;
        let inner = file_of(plan, project, &place.modules[..=depth])?;
        if plan.read(&inner)?.is_none() {
            let title = format!("Everything about {}", name.replace('_', " "));
            plan.create(
                inner,
                templates.render("mod.rs", &context! { title => title })?,
            )?;
        }
    }
    Ok(())
}

/// Declares a file of the place, and re-exports the type in it when the place
/// is a folder of its own. Without a type, the file itself is public.
pub(crate) fn file(
    plan: &mut Plan,
    project: &Project,
    place: &Place,
    file: &str,
    name: Option<&str>,
) -> Outcome<()> {
    let outer = file_of(plan, project, &place.modules)?;
    let reexport = name.filter(|_| !place.flat);
    let visibility = if reexport.is_some() {
        ""
    } else {
        visibility(project)
    };
    plan.edit(&outer, |text| {
        let text = module_line::add(text, visibility, file)?;
        match reexport {
            Some(name) => use_line::add_reexport(&text, file, name),
            None => Ok(text),
        }
    })
}

/// The file of a module: the crate's root, `a.rs` where there is one, else
/// `a/mod.rs`.
pub(crate) fn file_of(plan: &Plan, project: &Project, modules: &[String]) -> Outcome<PathBuf> {
    if modules.is_empty() {
        return Ok(project.crate_root.clone());
    }
    let folder = modules
        .iter()
        .fold(project.source.clone(), |folder, name| folder.join(name));
    let beside = folder.with_extension("rs");
    let is_there = plan.read(&beside)?.is_some();
    Ok(if is_there {
        beside
    } else {
        folder.join("mod.rs")
    })
}

/// Modules of a library are public, those of a program need not be.
fn visibility(project: &Project) -> &'static str {
    if project.library.is_some() {
        "pub "
    } else {
        ""
    }
}
