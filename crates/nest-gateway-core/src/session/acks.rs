//! Questions of the server to a client, and the answers it waits for.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::payload::{BodyError, EncodeError, Payload};

/// Why there is no answer to a question.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// The client did not answer in time.
    #[error("the client did not answer in time")]
    Timeout,
    /// The client is gone.
    #[error("the client is gone")]
    Gone,
    /// As many questions as allowed are open to this client.
    #[error("too many questions are open to this client")]
    TooMany,
    /// The question could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The answer is not what was expected.
    #[error("the client's answer does not fit: {0}")]
    Answer(#[from] BodyError),
}

impl AckError {
    pub(crate) fn into_answer(self) -> Answer {
        Answer(State::Failed(Some(self)))
    }
}

/// The open questions to one client; empty, it costs a pointer.
#[derive(Default)]
pub(crate) struct Questions(Mutex<Option<Arc<Open>>>);

#[derive(Default)]
struct Open(Mutex<OpenState>);

#[derive(Default)]
struct OpenState {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<Payload>>,
    ended: bool,
}

impl Questions {
    /// Registers a question, lets `send` put it on the wire and returns the
    /// answer to wait for.
    pub(crate) fn ask(
        &self,
        max: usize,
        timeout: Duration,
        send: impl FnOnce(u64) -> Result<(), AckError>,
    ) -> Answer {
        let open = Arc::clone(self.lock().get_or_insert_default());
        let (sender, receiver) = oneshot::channel();
        let id = {
            let mut state = open.lock();
            if state.ended {
                return AckError::Gone.into_answer();
            }
            if state.waiting.len() >= max {
                return AckError::TooMany.into_answer();
            }
            let id = state.next;
            state.next += 1;
            state.waiting.insert(id, sender);
            id
        };
        let ticket = Ticket {
            open: Arc::downgrade(&open),
            id,
        };
        match send(id) {
            Ok(()) => Answer(State::Waiting {
                receiver,
                timer: Box::pin(tokio::time::sleep(timeout)),
                _ticket: ticket,
            }),
            Err(error) => error.into_answer(),
        }
    }

    /// The client answered; `false` when nobody waits for that number.
    pub(crate) fn answer(&self, id: u64, payload: Payload) -> bool {
        let Some(open) = self.lock().clone() else {
            return false;
        };
        let waiting = open.lock().waiting.remove(&id);
        waiting.is_some_and(|sender| sender.send(payload).is_ok())
    }

    /// Whether an answer of the client is being waited for.
    pub(crate) fn any_open(&self) -> bool {
        let open = self.lock().clone();
        open.is_some_and(|open| !open.lock().waiting.is_empty())
    }

    /// The client is gone: nobody waits any longer, and nobody may begin to.
    pub(crate) fn abandon(&self) {
        let open = Arc::clone(self.lock().get_or_insert_default());
        let mut state = open.lock();
        state.ended = true;
        state.waiting.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Open>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn lock(&self) -> std::sync::MutexGuard<'_, OpenState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the question back when nobody waits any more.
struct Ticket {
    open: Weak<Open>,
    id: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(open) = self.open.upgrade() {
            open.lock().waiting.remove(&self.id);
        }
    }
}

/// The answer to a question, still to come.
pub(crate) struct Answer(State);

enum State {
    Failed(Option<AckError>),
    Waiting {
        receiver: oneshot::Receiver<Payload>,
        timer: Pin<Box<tokio::time::Sleep>>,
        _ticket: Ticket,
    },
}

impl Future for Answer {
    type Output = Result<Payload, AckError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Failed(error) => Poll::Ready(Err(error.take().unwrap_or(AckError::Gone))),
            State::Waiting {
                receiver, timer, ..
            } => {
                if let Poll::Ready(answer) = Pin::new(receiver).poll(context) {
                    return Poll::Ready(answer.map_err(|_| AckError::Gone));
                }
                timer
                    .as_mut()
                    .poll(context)
                    .map(|()| Err(AckError::Timeout))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn an_answer_reaches_the_one_who_asked() {
        let questions = Questions::default();
        let answer = questions.ask(8, LONG, |id| {
            assert_eq!(id, 0);
            Ok(())
        });
        assert!(questions.any_open());
        assert!(questions.answer(0, Payload::from_serialize(&7).unwrap()));
        assert_eq!(answer.await.unwrap().decode::<i32>().unwrap(), 7);
        assert!(!questions.answer(0, Payload::empty()), "answered once");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_timeout_and_frees_the_place() {
        let questions = Questions::default();
        let answer = questions.ask(1, LONG, |_| Ok(()));
        assert!(matches!(answer.await, Err(AckError::Timeout)));
        assert!(!questions.any_open());
    }

    #[tokio::test]
    async fn more_questions_than_allowed_are_refused() {
        let questions = Questions::default();
        let _open = questions.ask(1, LONG, |_| Ok(()));
        let refused = questions.ask(1, LONG, |_| panic!("not sent"));
        assert!(matches!(refused.await, Err(AckError::TooMany)));
    }

    #[tokio::test]
    async fn a_client_that_goes_ends_the_waiting() {
        let questions = Questions::default();
        let answer = questions.ask(8, LONG, |_| Ok(()));
        questions.abandon();
        assert!(matches!(answer.await, Err(AckError::Gone)));
        assert!(matches!(
            questions.ask(8, LONG, |_| Ok(())).await,
            Err(AckError::Gone)
        ));
    }
}
