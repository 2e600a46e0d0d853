//! `nest-gateway new`.

use std::path::Path;

use minijinja::context;

use crate::cli::New;
use crate::dependencies::{self, OurCrates};
use crate::edit::manifest::{self, Section};
use crate::failure::{Failure, Outcome};
use crate::generate::carry_out;
use crate::name::Name;
use crate::plan::Plan;
use crate::project::{workspace_around, workspace_knows};
use crate::templates::Templates;

/// Where each template of an application goes.
const FILES: [(&str, &str); 5] = [
    ("app/README.md", "README.md"),
    ("app/app_module.rs", "src/app_module.rs"),
    ("app/gitignore", ".gitignore"),
    ("app/lib.rs", "src/lib.rs"),
    ("app/main.rs", "src/main.rs"),
];

/// Plans an application, and carries it out.
pub(crate) fn run(options: &New, from: &Path) -> Outcome<()> {
    let plan = plan(options, from)?;
    let next = format!(
        "  cd {}\n  nest-gateway generate gateway chat\n  cargo test\n  cargo run\n",
        options.app.display()
    );
    carry_out(&plan, options.writing.dry_run, &next)
}

fn plan(options: &New, from: &Path) -> Outcome<Plan> {
    let root = from.join(&options.app);
    let name = name_of(&options.app)?;
    let ours = OurCrates::choose(options.writing.local_path.as_deref(), &root, None)?;
    // A workspace may have templates for the applications in it.
    let workspace = workspace_around(&root)?;
    let own = workspace.as_ref().and_then(|(path, _)| path.parent());
    let own = own.map(|folder| folder.join(".nest-gateway").join("templates"));
    let templates = Templates::new(own.as_deref())?;

    let values = context! { package => &name.kebab, library => &name.snake };
    let mut plan = Plan::new(from);
    for (template, file) in FILES {
        plan.create(root.join(file), templates.render(template, &values)?)?;
    }
    let wanted = [
        ours.gateway(&["asyncapi"]),
        dependencies::tokio(),
        dependencies::tracing_subscriber(),
    ];
    let text = templates.render("app/Cargo.toml", &values)?;
    let text = wanted.iter().try_fold(text, |text, dependency| {
        manifest::require(&text, Section::Normal, dependency)
    })?;
    plan.create(root.join("Cargo.toml"), text)?;
    if let Some((path, text)) = workspace {
        join_workspace(&mut plan, &path, &text, &root)?;
    }
    Ok(plan)
}

/// The package's name, from the last part of its folder.
fn name_of(app: &Path) -> Outcome<Name> {
    let Some(last) = app.file_name() else {
        return Err(Failure::new(format!(
            "`{}` has no name; try `nest-gateway new chat`",
            app.display()
        )));
    };
    let name = Name::parse(&last.to_string_lossy())?;
    let taken = [
        "std",
        "core",
        "alloc",
        "proc_macro",
        "test",
        "nest_gateway",
        "tokio",
        "tracing_subscriber",
        "serde",
    ];
    if taken.contains(&name.snake.as_str()) {
        return Err(Failure::new(format!(
            "`{}` cannot be the name of an application: it is also the name of a crate that it uses",
            name.snake
        )));
    }
    Ok(name)
}

/// Lists the package in the workspace around it, as `cargo new` does.
fn join_workspace(plan: &mut Plan, path: &Path, text: &str, root: &Path) -> Outcome<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let Ok(package) = root.strip_prefix(folder) else {
        return Ok(());
    };
    let package = package.display().to_string().replace('\\', "/");
    if workspace_knows(text, &package)? {
        return Ok(());
    }
    plan.edit(path, |text| manifest::add_member(text, &package))
}
