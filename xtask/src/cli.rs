//! The command line: words in, a [`Command`] out.

use crate::tier::Tier;

/// What `cargo xtask` prints for `--help` and after a mistake.
pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  test     install what is missing, then run the tests
  doctor   print what the tests need and whether it is here
  ci       everything CI checks: format, lints, docs, features, then `test`
  bench    run the benchmarks in release mode; arguments are passed on

options of test and ci:
  --only TIER      run one tier: rust, clients or browser (may be repeated)
  --yes            install without asking
  --skip-missing   leave out a tier that cannot run here, instead of failing";

/// One parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Doctor,
    Test(TestOptions),
    Ci(TestOptions),
    Bench(Vec<String>),
}

/// The options of `test`, which `ci` passes on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// The tiers that were asked for; empty means all.
    pub(crate) only: Vec<Tier>,
    /// Install without asking.
    pub(crate) yes: bool,
    /// A tier that cannot run is left out and does not fail the command.
    pub(crate) skip_missing: bool,
}

impl TestOptions {
    /// The tiers to run, in the order they run.
    pub(crate) fn tiers(&self) -> Vec<Tier> {
        Tier::ALL
            .into_iter()
            .filter(|tier| self.only.is_empty() || self.only.contains(tier))
            .collect()
    }
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let Some(command) = arguments.next() else {
        return Err("a command is missing".to_owned());
    };
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "bench" => Ok(Command::Bench(arguments.collect())),
        "test" => options(arguments).map(|options| options.map_or(Command::Help, Command::Test)),
        "ci" => options(arguments).map(|options| options.map_or(Command::Help, Command::Ci)),
        "doctor" => match arguments.next() {
            None => Ok(Command::Doctor),
            Some(extra) => Err(format!("doctor takes no argument, but got `{extra}`")),
        },
        other => Err(format!("there is no command `{other}`")),
    }
}

/// Reads the options of `test` and `ci`; `None` when help was asked for.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<TestOptions>, String> {
    let mut options = TestOptions::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--yes" | "-y" => options.yes = true,
            "--skip-missing" => options.skip_missing = true,
            "--only" => {
                let name = arguments.next().ok_or("--only needs the name of a tier")?;
                options.only.push(Tier::named(&name)?);
            }
            other => match other.strip_prefix("--only=") {
                Some(name) => options.only.push(Tier::named(name)?),
                None => return Err(format!("there is no option `{other}`")),
            },
        }
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn test_without_options_runs_every_tier() {
        let Ok(Command::Test(options)) = parsed("test") else {
            panic!("`test` is a command")
        };
        assert_eq!(options.tiers(), Tier::ALL);
        assert!(!options.yes && !options.skip_missing);
    }

    #[test]
    fn only_may_be_repeated_and_keeps_the_running_order() {
        let Ok(Command::Test(options)) = parsed("test --only browser --only=rust --yes") else {
            panic!("these are options of `test`")
        };
        assert_eq!(options.tiers(), [Tier::Rust, Tier::Browser]);
        assert!(options.yes);
    }

    #[test]
    fn an_unknown_tier_is_refused_with_the_names_that_exist() {
        let mistake = parsed("test --only mars").unwrap_err();
        assert!(mistake.contains("mars") && mistake.contains("rust, clients, browser"));
    }

    #[test]
    fn an_unknown_word_is_refused_by_name() {
        assert!(parsed("tset").unwrap_err().contains("`tset`"));
        assert!(parsed("test --quick").unwrap_err().contains("`--quick`"));
        assert!(parsed("test --only").is_err());
        assert!(parsed("doctor now").is_err());
        assert!(parsed("").is_err());
    }

    #[test]
    fn bench_passes_its_arguments_on() {
        let arguments = vec!["broadcast".to_owned(), "--quick".to_owned()];
        assert_eq!(
            parsed("bench broadcast --quick"),
            Ok(Command::Bench(arguments))
        );
    }
}
