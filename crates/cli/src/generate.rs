//! `nest-gateway generate`.

mod declare;
mod gateway;
mod one;
mod parent;
mod place;

use std::path::Path;

use crate::cli::{Generate, Writing};
use crate::failure::Outcome;
use crate::output;
use crate::plan::Plan;

pub(crate) use self::gateway::gateway;
pub(crate) use self::one::{Kind, one};

/// Plans what was asked for, and carries it out.
pub(crate) fn run(generate: &Generate, from: &Path) -> Outcome<()> {
    let (plan, writing, next) = match generate {
        Generate::Gateway(options) => {
            let (plan, next) = gateway(options, from)?;
            (plan, &options.one.writing, next)
        }
        Generate::Module(options) => (
            one(Kind::Module, options, from)?,
            &options.writing,
            String::new(),
        ),
        Generate::Guard(options) => (
            one(Kind::Guard, options, from)?,
            &options.writing,
            String::new(),
        ),
        Generate::Interceptor(options) => (
            one(Kind::Interceptor, options, from)?,
            &options.writing,
            String::new(),
        ),
        Generate::Filter(options) => (
            one(Kind::Filter, options, from)?,
            &options.writing,
            String::new(),
        ),
        Generate::Service(options) => (
            one(Kind::Service, options, from)?,
            &options.writing,
            String::new(),
        ),
    };
    carry_out(&plan, writing, &next)
}

/// Shows the plan, or checks and applies it and says what was done.
pub(crate) fn carry_out(plan: &Plan, writing: &Writing, next: &str) -> Outcome<()> {
    plan.check()?;
    if plan.is_empty() {
        output::line("Everything is there already; nothing was changed.")?;
    } else if writing.dry_run {
        output::print(&plan.diff())?;
    } else {
        plan.apply()?;
        output::print(&plan.summary())?;
    }
    for note in plan.notes() {
        output::remark(&format!("note: {note}"));
    }
    if !plan.is_empty() && !writing.dry_run && !next.is_empty() {
        output::print(&format!("\nNext:\n{next}"))?;
    }
    Ok(())
}
