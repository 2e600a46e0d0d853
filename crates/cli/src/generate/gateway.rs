//! A gateway, with everything that belongs to it.

use std::path::Path;

use minijinja::context;

use super::declare;
use super::one::{self, Kind, type_module};
use super::place::Place;
use crate::cli::GenerateGateway;
use crate::dependencies::{self, OurCrates};
use crate::edit::manifest::{self, Dependency, Section};
use crate::edit::module_attribute::{self, Entry, List};
use crate::failure::Outcome;
use crate::plan::Plan;
use crate::project::Project;
use crate::templates::Templates;

/// Plans it; with what to do next.
pub(crate) fn gateway(options: &GenerateGateway, from: &Path) -> Outcome<(Plan, String)> {
    let project = Project::find(from)?;
    let templates = Templates::new(Some(&project.templates()))?;
    let place = Place::find(&project, &options.one, "gateway")?;
    let mut plan = Plan::new(&project.root);
    let manifest = plan.read(&project.manifest())?;
    let local_path = options.one.writing.local_path.as_deref();
    let ours = OurCrates::choose(local_path, &project.root, manifest.as_deref())?;

    let gateway = Gateway::new(options, &project, &place);
    gateway.files(&mut plan, &templates)?;
    gateway.declarations(&mut plan, &templates)?;
    gateway.registration(&mut plan)?;
    gateway.dependencies(&mut plan, &ours)?;
    let next = gateway.next();
    Ok((plan, next))
}

struct Gateway<'a> {
    options: &'a GenerateGateway,
    project: &'a Project,
    place: &'a Place,
    /// `/chat`
    namespace: String,
    /// The file of the bodies, without its extension.
    dto: String,
    /// The library that the test is for; `None` when there is no test.
    tested: Option<&'a str>,
}

impl<'a> Gateway<'a> {
    fn new(options: &'a GenerateGateway, project: &'a Project, place: &'a Place) -> Self {
        let snake = &place.name.snake;
        let kebab: Vec<_> = place
            .full
            .iter()
            .map(|part| part.replace('_', "-"))
            .collect();
        Self {
            options,
            project,
            place,
            namespace: format!("/{}", kebab.join("/")),
            // Beside other files, `dto` alone would not say whose.
            dto: if place.flat {
                format!("{snake}_dto")
            } else {
                "dto".to_owned()
            },
            tested: project.library.as_deref().filter(|_| !options.no_test),
        }
    }

    fn name(&self) -> String {
        format!("{}Gateway", self.place.name.pascal)
    }

    fn values(&self) -> minijinja::Value {
        let module = type_module(self.place, "module");
        let module = module.strip_prefix("crate").unwrap_or(&module);
        context! {
            namespace => &self.namespace,
            dto => format!("super::{}", self.dto),
            stream => self.options.stream,
            schema => self.options.schema,
            socketio => self.options.socketio,
            module_path => format!("{}{module}", self.tested.unwrap_or("crate")),
            ..one::values(self.place)
        }
    }

    fn files(&self, plan: &mut Plan, templates: &Templates) -> Outcome<()> {
        let values = self.values();
        let Place { folder, name, .. } = self.place;
        let mut write =
            |path, template: &str| plan.create(path, templates.render(template, &values)?);
        write(
            folder.join(format!("{}_gateway.rs", name.snake)),
            "gateway/gateway.rs",
        )?;
        write(folder.join(format!("{}.rs", self.dto)), "gateway/dto.rs")?;
        if self.tested.is_some() {
            let file = format!("{}_gateway.rs", self.place.full.join("_"));
            write(
                self.project.root.join("tests").join(file),
                "gateway/test.rs",
            )?;
        } else if !self.options.no_test {
            plan.note(
                "there is no test: the package has no src/lib.rs, and tests can only use a library",
            );
        }
        Ok(())
    }

    fn declarations(&self, plan: &mut Plan, templates: &Templates) -> Outcome<()> {
        let (project, place) = (self.project, self.place);
        one::add(
            plan,
            project,
            templates,
            place,
            Kind::Module,
            &self.values(),
        )?;
        let file = format!("{}_gateway", place.name.snake);
        declare::file(plan, project, place, &file, Some(&self.name()))?;
        declare::file(plan, project, place, &self.dto, None)
    }

    /// The module provides the gateway, and the nearest one imports the module.
    fn registration(&self, plan: &mut Plan) -> Outcome<()> {
        let (project, place) = (self.project, self.place);
        let wanted = self.options.one.module.as_deref();
        let file = place.folder.join(format!("{}_module.rs", place.name.snake));
        let owner = format!("{}Module", place.name.pascal);
        let module = type_module(place, "gateway");
        let name = self.name();
        let entry = Entry {
            module: &module,
            name: &name,
        };
        let here = project.module_of(&file);
        plan.edit(&file, |text| {
            module_attribute::add(text, &here, &owner, List::Providers, entry)
        })?;
        one::register(plan, project, place, Kind::Module, wanted)
    }

    fn dependencies(&self, plan: &mut Plan, ours: &OurCrates) -> Outcome<()> {
        let socketio: &[_] = if self.options.socketio {
            &["socketio"]
        } else {
            &[]
        };
        let schema: &[_] = if self.options.schema {
            &["schema"]
        } else {
            &[]
        };
        let mut wanted: Vec<(Section, Dependency)> = vec![
            (Section::Normal, ours.gateway(&[socketio, schema].concat())),
            (Section::Normal, dependencies::serde()),
        ];
        if self.options.schema {
            wanted.push((Section::Normal, dependencies::schemars()));
        }
        if self.options.stream {
            wanted.push((Section::Normal, dependencies::futures_util()));
        }
        if self.tested.is_some() {
            wanted.push((Section::Dev, ours.testkit(socketio)));
            wanted.push((Section::Dev, dependencies::tokio()));
        }
        plan.edit(&self.project.manifest(), |text| {
            wanted
                .iter()
                .try_fold(text.to_owned(), |text, (section, dependency)| {
                    manifest::require(&text, *section, dependency)
                })
        })
    }

    fn next(&self) -> String {
        let test = if self.tested.is_some() {
            "  cargo test\n"
        } else {
            ""
        };
        format!(
            "{test}  cargo run\n  nest-gateway call ws://127.0.0.1:3000{} send_message '{{\"text\":\"hello\"}}'\n",
            self.namespace
        )
    }
}
