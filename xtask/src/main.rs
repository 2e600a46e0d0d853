//! The project's chores: tests with their set-up, the checks of CI, benchmarks.
//!
//! This program is built before anything else on a fresh machine, so it
//! depends on the standard library alone.

// A command line tool talks through its standard output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod ci;
mod cli;
mod counts;
mod doctor;
mod platform;
mod requirement;
mod step;
mod summary;
mod test;
mod tier;
mod workspace;

use std::process::ExitCode;

use cli::Command;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(mistake) => {
            eprintln!("xtask: {mistake}\n\n{}", cli::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            println!("{}", cli::USAGE);
            true
        }
        Command::Doctor => doctor::run(),
        Command::Test(options) => test::run(&options),
        Command::Ci(options) => ci::run(&options),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
