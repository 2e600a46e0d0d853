//! `nest-gateway generate`.

mod declare;
mod gateway;
mod one;
mod parent;
mod place;

use std::path::Path;

use crate::cli::Generate;
use crate::failure::Outcome;
use crate::output;
use crate::plan::Plan;
use crate::project::Project;

pub(crate) use self::gateway::gateway;
pub(crate) use self::one::{Kind, one};

/// Plans what was asked for, and carries it out.
pub(crate) fn run(generate: &Generate, from: &Path) -> Outcome<()> {
    let (kind, options) = match generate {
        Generate::Gateway(options) => {
            let (plan, next) = gateway(options, from)?;
            return carry_out(&plan, options.one.writing.dry_run, &next);
        }
        Generate::Templates(options) => {
            return carry_out(&templates(from)?, options.dry_run, "");
        }
        Generate::Module(options) => (Kind::Module, options),
        Generate::Guard(options) => (Kind::Guard, options),
        Generate::Interceptor(options) => (Kind::Interceptor, options),
        Generate::Filter(options) => (Kind::Filter, options),
        Generate::Service(options) => (Kind::Service, options),
    };
    carry_out(&one(kind, options, from)?, options.writing.dry_run, "")
}

/// Plans copies of the templates. Those that are there already are kept.
fn templates(from: &Path) -> Outcome<Plan> {
    let project = Project::find(from)?;
    let mut plan = Plan::new(&project.root);
    for (name, text) in crate::templates::of_packages() {
        let path = project.templates().join(name);
        if plan.read(&path)?.is_none() {
            plan.create_as_it_is(path, text);
        }
    }
    Ok(plan)
}

/// Shows the plan, or checks and applies it and says what was done.
pub(crate) fn carry_out(plan: &Plan, dry_run: bool, next: &str) -> Outcome<()> {
    plan.check()?;
    if plan.is_empty() {
        output::line("Everything is there already; nothing was changed.")?;
    } else if dry_run {
        output::print(&plan.diff())?;
    } else {
        plan.apply()?;
        output::print(&plan.summary())?;
    }
    for note in plan.notes() {
        output::remark(&format!("note: {note}"));
    }
    if !plan.is_empty() && !dry_run && !next.is_empty() {
        output::print(&format!("\nNext:\n{next}"))?;
    }
    Ok(())
}
