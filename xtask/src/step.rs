//! One command that is shown, run and timed.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use crate::counts::Counts;
use crate::workspace;

/// A command of the workspace's root, printed before it runs.
#[derive(Debug)]
pub(crate) struct Step {
    command: Command,
}

/// How a [`Step`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The program ran and exited with 0.
    pub(crate) success: bool,
    /// The tests that its output reported.
    pub(crate) counts: Counts,
}

impl Step {
    /// A step that runs `program` at the root of the workspace.
    pub(crate) fn new(program: &str) -> Self {
        let mut command = Command::new(program);
        command.current_dir(workspace::root());
        Self { command }
    }

    /// `cargo`, the same one that runs this program.
    pub(crate) fn cargo(line: &str) -> Self {
        Self::new("cargo").args(line.split_whitespace())
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it on this terminal, so that `sudo` may ask for a password.
    pub(crate) fn run(mut self) -> bool {
        println!("$ {self}");
        match self.command.status() {
            Ok(status) => status.success(),
            Err(error) => {
                eprintln!("cannot run {}: {error}", self.program());
                false
            }
        }
    }

    /// Runs it without an input, copies its output and counts the tests in it.
    pub(crate) fn run_counted(mut self) -> Ended {
        println!("$ {self}");
        if std::io::stdout().is_terminal() {
            // The pipe in between must not cost the colours.
            self.command
                .env("CARGO_TERM_COLOR", "always")
                .env("FORCE_COLOR", "1");
        }
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => {
                eprintln!("cannot run {}: {error}", self.program());
                return Ended {
                    success: false,
                    counts: Counts::default(),
                };
            }
        };
        let errors = child.stderr.take().expect("the error output is piped");
        let errors = thread::spawn(|| copy_counting(errors, std::io::stderr()));
        let output = child.stdout.take().expect("the output is piped");
        let mut counts = copy_counting(output, std::io::stdout());
        counts += errors.join().expect("copying lines does not panic");
        let success = child.wait().is_ok_and(|status| status.success());
        Ended { success, counts }
    }

    fn program(&self) -> String {
        self.command.get_program().to_string_lossy().into_owned()
    }
}

/// Prints the command as a person would type it at the root of the workspace.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program())?;
        for argument in self.command.get_args() {
            let argument = argument.to_string_lossy();
            if argument.contains(char::is_whitespace) {
                write!(f, " '{argument}'")?;
            } else {
                write!(f, " {argument}")?;
            }
        }
        Ok(())
    }
}

/// Copies lines as they come and adds up the test reports among them.
fn copy_counting(from: impl Read, mut to: impl Write) -> Counts {
    let mut counts = Counts::default();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from
        .read_until(b'\n', &mut line)
        .is_ok_and(|bytes| bytes > 0)
    {
        // Nobody reading the output any more is no reason to stop the tests.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        counts += Counts::of_line(&String::from_utf8_lossy(&line));
        line.clear();
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_as_it_would_be_typed() {
        let step = Step::cargo("test --workspace").arg("two words");
        assert_eq!(step.to_string(), "cargo test --workspace 'two words'");
    }

    #[test]
    fn copied_lines_are_unchanged_and_counted() {
        let mut copy = Vec::new();
        let text = "hello\ntest result: ok. 2 passed; 0 failed; 1 ignored\nlast";
        let counts = copy_counting(text.as_bytes(), &mut copy);
        assert_eq!(copy, text.as_bytes());
        assert_eq!(
            counts,
            Counts {
                passed: 2,
                failed: 0,
                skipped: 1
            }
        );
    }
}
