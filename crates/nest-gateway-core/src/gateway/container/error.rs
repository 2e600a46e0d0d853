//! What keeps a container from being built, in words for the developer.

use std::fmt;

use crate::error::BoxError;
use crate::gateway::provider::Key;

/// Why the container could not be built or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The providers do not fit together; nothing was constructed. All
    /// problems are listed.
    #[error("{}", Listed(.0))]
    Wiring(Vec<WiringProblem>),

    /// A provider could not be constructed.
    #[error("{chain}: constructing {provider} failed: {cause}")]
    Construct {
        /// What was to be constructed.
        provider: Key,
        /// Who needs it: `ChatGateway (ChatModule) needs Store`.
        chain: String,
        /// The error of its constructor or factory.
        cause: BoxError,
    },

    /// An init hook returned an error.
    #[error("the init hook of {provider} failed: {cause}")]
    Init {
        /// The provider, with its module.
        provider: String,
        /// The error of the hook.
        cause: BoxError,
    },
}

/// One way in which providers do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WiringProblem {
    /// A provider needs something that is not there, or that it cannot see.
    #[error("{chain}: {advice}")]
    Missing {
        /// Who needs it.
        consumer: Key,
        /// What is needed.
        needed: Key,
        /// How one gets there: `ChatGateway (ChatModule) needs ChatService,
        /// which needs Arc<dyn Store>`.
        chain: String,
        /// What to do about it.
        advice: String,
    },

    /// Providers need each other.
    #[error("{chain}: a cycle; move what they share into a provider that needs none of them")]
    Cycle {
        /// The providers in it, each of which needs the next, and the last the
        /// first.
        providers: Vec<Key>,
        /// The same in words.
        chain: String,
    },

    /// There are two values, factories or bindings for one type.
    #[error(
        "{provider} is provided in {first} and again in {second}: \
         keep one of them, and export it to whoever needs it"
    )]
    Duplicate {
        /// The type.
        provider: Key,
        /// The module that has the first.
        first: String,
        /// The module that has the second, which can be the same.
        second: String,
    },

    /// A module exports what it does not have.
    #[error(
        "{module} exports {exported}, but neither provides nor imports it: \
         add it to providers(..) of {module}, or import a module that exports it"
    )]
    Export {
        /// The module.
        module: String,
        /// What it exports.
        exported: Key,
    },

    /// A hook takes another type than its provider provides.
    #[error("the hook attached to the provider of {provider} takes {hook}: let it take {provider}")]
    Hook {
        /// The type that is provided.
        provider: Key,
        /// The type that the hook takes.
        hook: Key,
    },
}

/// One problem as it is; several as a list.
struct Listed<'a>(&'a [WiringProblem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.0 {
            return problem.fmt(f);
        }
        write!(f, "{} problems with the providers", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

/// A consumer cannot have what it asked a resolver for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{consumer} needs {needed}: {advice}")]
pub struct ResolveError {
    pub(super) consumer: Key,
    pub(super) needed: Key,
    pub(super) advice: String,
}

impl ResolveError {
    /// An error for an own
    /// [`FromContainer`](crate::gateway::provider::FromContainer), with what to
    /// do about it.
    pub fn new(consumer: Key, needed: Key, advice: impl Into<String>) -> Self {
        Self {
            consumer,
            needed,
            advice: advice.into(),
        }
    }

    /// Who asked.
    pub fn consumer(&self) -> Key {
        self.consumer
    }

    /// What for.
    pub fn needed(&self) -> Key {
        self.needed
    }
}
