//! What is wrong with a body, in words that may go to the client.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::value::{Fault, TOO_DEEP};

/// How many problems of one body are listed; a list of thousands helps nobody.
const MAX_PROBLEMS: usize = 32;

/// How many bytes of a path are kept. Keys of a map are chosen by the client.
const MAX_PATH: usize = 256;

/// A body that is not what the handler asked for.
///
/// It is safe to send by construction: it consists of paths in the client's
/// own message and of fixed words, never of serde's text or of Rust's type
/// names. It serialises as `[{"path": "items[3].name", "problem": "missing"}]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BodyError {
    problems: Vec<FieldProblem>,
}

/// One place in a body, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The place, such as `items[3].name`; empty for the body itself.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// The ways in which a part of a body can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A required field, or the whole body, is not there.
    Missing,
    /// The type refuses fields it does not know, and this is one.
    UnknownField,
    /// Text where a number belongs, and the like.
    WrongType,
    /// The right type, but not a value that the field takes.
    InvalidValue,
    /// None of the names the field can have.
    UnknownVariant,
    /// Not JSON at all.
    Syntax,
    /// More than 127 arrays and objects in one another.
    Depth,
    /// A rule of the application is broken; the text is the rule's own.
    Rule(String),
}

impl BodyError {
    /// A list of problems. Beyond 32, it says only how many more there are.
    pub fn new(problems: impl IntoIterator<Item = FieldProblem>) -> Self {
        let mut rest = problems.into_iter();
        let mut problems: Vec<_> = rest.by_ref().take(MAX_PROBLEMS).collect();
        match rest.count() {
            0 => {}
            more => problems.push(FieldProblem::new(
                "",
                Problem::Rule(format!("{more} more problems")),
            )),
        }
        Self { problems }
    }

    /// What is wrong, and where.
    pub fn problems(&self) -> &[FieldProblem] {
        &self.problems
    }

    /// The same problems, seen from the message in which this body is `field`.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        for problem in &mut self.problems {
            let below = match problem.path.as_str() {
                "" => Cow::Borrowed(field),
                path if path.starts_with('[') => Cow::Owned(format!("{field}{path}")),
                path => Cow::Owned(format!("{field}.{path}")),
            };
            problem.path = truncated(&below);
        }
        self
    }

    pub(crate) fn from_fault(error: serde_path_to_error::Error<Fault>) -> Self {
        let mut path = written(error.path());
        let fault = error.into_inner();
        if let Some(field) = fault.missing {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(field);
        }
        Self::from(FieldProblem::new(&path, fault.problem))
    }

    /// The text could not be read as a [`Value`](crate::value::Value).
    pub(super) fn from_json(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let problem = match error.inner().classify() {
            // `serde_json` has no kind for this, only the text.
            _ if error.inner().to_string().starts_with(TOO_DEEP) => {
                // The path would be as long as the nesting is deep.
                return Problem::Depth.into();
            }
            _ if error.inner().to_string().starts_with("number out of range") => {
                Problem::InvalidValue
            }
            Category::Data => Problem::InvalidValue,
            Category::Syntax | Category::Eof | Category::Io => Problem::Syntax,
        };
        FieldProblem::new(&written(error.path()), problem).into()
    }
}

impl FieldProblem {
    /// A problem at a path such as `items[3].name`; of a path longer than 256
    /// bytes, the beginning is kept.
    pub fn new(path: &str, problem: Problem) -> Self {
        Self {
            path: truncated(path),
            problem,
        }
    }
}

impl From<FieldProblem> for BodyError {
    fn from(problem: FieldProblem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

/// The problem of the body as a whole.
impl From<Problem> for BodyError {
    fn from(problem: Problem) -> Self {
        FieldProblem::new("", problem).into()
    }
}

fn truncated(path: &str) -> String {
    if path.len() <= MAX_PATH {
        return path.to_owned();
    }
    format!("{}…", &path[..path.floor_char_boundary(MAX_PATH)])
}

/// A path as a client writes it in JavaScript: `items[3].name`.
fn written(path: &Path) -> String {
    let mut written = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => {
                written.extend(["[", &index.to_string(), "]"]);
                continue;
            }
            Segment::Map { key } => key,
            Segment::Enum { variant } => variant,
            // The key could not be read; the path ends at its object.
            Segment::Unknown => continue,
        };
        if !written.is_empty() {
            written.push('.');
        }
        written.push_str(name);
    }
    written
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Problem::Missing => "missing",
            Problem::UnknownField => "unknown field",
            Problem::WrongType => "wrong type",
            Problem::InvalidValue => "invalid value",
            Problem::UnknownVariant => "unknown variant",
            Problem::Syntax => "invalid JSON",
            Problem::Depth => "nested too deeply",
            Problem::Rule(text) => text,
        })
    }
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() {
            "body"
        } else {
            &self.path
        };
        write!(f, "{place}: {}", self.problem)
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl Serialize for BodyError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.problems)
    }
}
