//! What went wrong, in words for the person at the terminal.

use std::fmt;

/// An error that is printed as it is.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// The result of everything that can fail.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// With this text: what is wrong, and where there is one, the way out.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Adds what was being done to errors of libraries.
pub(crate) trait Context<T> {
    /// Puts `doing` in front of the error.
    fn context(self, doing: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{doing}: {error}")))
    }
}
