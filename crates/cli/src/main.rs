//! The nest-gateway command line.
//!
//! - [`new`] and [`generate`] write files, through a [`plan`] that is shown,
//!   checked and applied all or nothing; [`edit`] inserts text into files that
//!   people wrote;
//! - [`list`] asks an application to [`describe`] itself, and makes documents of
//!   that ([`nest_gateway_contract`]);
//! - [`call`] is a client for both protocols.

mod call;
mod cli;
mod dependencies;
mod describe;
mod edit;
mod failure;
mod generate;
mod list;
mod name;
mod new;
mod output;
mod plan;
mod project;
mod templates;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::failure::{Context as _, Outcome};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::remark(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Outcome<()> {
    let here = std::env::current_dir().context("the current folder")?;
    match cli.command {
        Command::New(options) => new::run(&options, &here),
        Command::Generate(options) => generate::run(&options, &here),
        Command::Call(options) => call::run(&options),
        Command::List(options) => list::list(&options),
        Command::Contract(options) => list::contract(&options),
    }
}
