//! Modules, guards, interceptors, filters and services.

use std::path::Path;

use minijinja::{Value, context};

use super::place::Place;
use super::{declare, parent};
use crate::cli::GenerateOne;
use crate::dependencies::OurCrates;
use crate::edit::manifest::{self, Section};
use crate::edit::module_attribute::{Entry, List};
use crate::failure::Outcome;
use crate::plan::Plan;
use crate::project::Project;
use crate::templates::Templates;

/// What is one file with one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    Guard,
    Interceptor,
    Filter,
    Service,
}

impl Kind {
    /// The ending of the file's name.
    fn file_ending(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Guard => "guard",
            Self::Interceptor => "interceptor",
            Self::Filter => "filter",
            Self::Service => "service",
        }
    }

    /// The ending of the type's name.
    fn type_ending(self) -> &'static str {
        match self {
            Self::Module => "Module",
            Self::Guard => "Guard",
            Self::Interceptor => "Interceptor",
            Self::Filter => "Filter",
            Self::Service => "Service",
        }
    }
}

/// Plans one of them.
pub(crate) fn one(kind: Kind, options: &GenerateOne, from: &Path) -> Outcome<Plan> {
    let project = Project::find(from)?;
    let templates = Templates::new(Some(&project.templates()))?;
    let place = Place::find(&project, options, kind.file_ending())?;
    let mut plan = Plan::new(&project.root);
    let manifest = plan.read(&project.manifest())?;
    let local_path = options.writing.local_path.as_deref();
    let ours = OurCrates::choose(local_path, &project.root, manifest.as_deref())?;
    plan.edit(&project.manifest(), |text| {
        manifest::require(text, Section::Normal, &ours.gateway(&[]))
    })?;
    add(
        &mut plan,
        &project,
        &templates,
        &place,
        kind,
        &values(&place),
    )?;
    register(&mut plan, &project, &place, kind, options.module.as_deref())?;
    Ok(plan)
}

/// Plans the file and its declarations. A module that is there is kept.
pub(crate) fn add(
    plan: &mut Plan,
    project: &Project,
    templates: &Templates,
    place: &Place,
    kind: Kind,
    values: &Value,
) -> Outcome<()> {
    let ending = kind.file_ending();
    let file = format!("{}_{ending}", place.name.snake);
    let path = place.folder.join(format!("{file}.rs"));
    declare::modules(plan, project, templates, place)?;
    let is_kept = kind == Kind::Module && plan.read(&path)?.is_some();
    if !is_kept {
        plan.create(
            path,
            templates.render(&format!("{ending}/{ending}.rs"), values)?,
        )?;
    }
    let name = format!("{}{}", place.name.pascal, kind.type_ending());
    declare::file(plan, project, place, &file, Some(&name))
}

/// Plans that the nearest module lists it.
pub(crate) fn register(
    plan: &mut Plan,
    project: &Project,
    place: &Place,
    kind: Kind,
    wanted: Option<&str>,
) -> Outcome<()> {
    let name = format!("{}{}", place.name.pascal, kind.type_ending());
    let module = type_module(place, kind.file_ending());
    let entry = Entry {
        module: &module,
        name: &name,
    };
    if kind != Kind::Module {
        return parent::register(
            plan,
            project,
            &place.folder,
            List::Providers,
            entry,
            wanted,
            None,
        );
    }
    // A module in a folder of its own belongs to the folder above.
    let outer = if place.flat {
        Some(place.folder.as_path())
    } else {
        place.folder.parent()
    };
    let from = outer.unwrap_or(&project.source);
    parent::register(
        plan,
        project,
        from,
        List::Imports,
        entry,
        wanted,
        Some(&place.folder.join(format!("{}_module.rs", place.name.snake))),
    )
}

/// The module by which a generated type is named: the folder's, which
/// re-exports it, or the file's own.
pub(crate) fn type_module(place: &Place, ending: &str) -> String {
    if place.flat {
        format!("{}::{}_{ending}", place.module(), place.name.snake)
    } else {
        place.module()
    }
}

/// What every template may use.
pub(crate) fn values(place: &Place) -> Value {
    context! {
        snake => &place.name.snake,
        pascal => &place.name.pascal,
        kebab => &place.name.kebab,
        words => place.name.snake.replace('_', " "),
    }
}
