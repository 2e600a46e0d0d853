//! The ladder that finds bodies with rules (`garde::Validate`), which are
//! checked when the feature `validate` is on.

use super::Tag;
use crate::error::WsException;

/// An argument with rules.
pub trait RulesRung<A> {
    /// The argument, if it keeps them.
    fn checked(&self, argument: A) -> Result<A, WsException>;
}

/// An argument without.
pub trait NoRulesRung<A> {
    /// The argument.
    fn checked(&self, argument: A) -> Result<A, WsException>;
}

impl<A> NoRulesRung<A> for Tag<A> {
    fn checked(&self, argument: A) -> Result<A, WsException> {
        Ok(argument)
    }
}

#[cfg(feature = "validate")]
mod garde {
    use garde::Validate;

    use super::{RulesRung, Tag, WsException};
    use crate::dispatch::MessageBody;
    use crate::payload::{BodyError, FieldProblem, Problem};

    impl<T: Validate<Context: Default>> RulesRung<MessageBody<T>> for &Tag<MessageBody<T>> {
        fn checked(&self, argument: MessageBody<T>) -> Result<MessageBody<T>, WsException> {
            check(argument)
        }
    }

    type Optional<T> = Option<MessageBody<T>>;

    impl<T: Validate<Context: Default>> RulesRung<Optional<T>> for &Tag<Optional<T>> {
        fn checked(&self, argument: Optional<T>) -> Result<Optional<T>, WsException> {
            Ok(argument.and_then(|argument| check(argument).ok()))
        }
    }

    type Fallible<T> = Result<MessageBody<T>, WsException>;

    impl<T: Validate<Context: Default>> RulesRung<Fallible<T>> for &Tag<Fallible<T>> {
        fn checked(&self, argument: Fallible<T>) -> Result<Fallible<T>, WsException> {
            Ok(argument.and_then(check))
        }
    }

    fn check<T: Validate<Context: Default>>(
        argument: MessageBody<T>,
    ) -> Result<MessageBody<T>, WsException> {
        let Err(report) = argument.0.validate() else {
            return Ok(argument);
        };
        let problems = report.iter().map(|(path, error)| {
            FieldProblem::new(&path.to_string(), Problem::Rule(error.message().to_owned()))
        });
        Err(BodyError::new(problems).into())
    }
}
