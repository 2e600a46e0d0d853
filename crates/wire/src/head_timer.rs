//! The time of a connection's first request head, which begins before hyper does.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// A timer for hyper of which the first sleep runs already.
///
/// hyper asks for the time of the first head when it begins, which is when the first bytes of it are
/// there. The time has run since the connection was accepted.
pub(crate) struct HeadTimer {
    first: Mutex<Option<Pin<Box<dyn Sleep>>>>,
}

impl HeadTimer {
    /// Starts the time of the first head.
    pub(crate) fn start(time: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(time)
    }

    /// Goes on with what [`HeadTimer::start`] began.
    pub(crate) fn go_on(first: Pin<Box<dyn Sleep>>) -> Self {
        Self {
            first: Mutex::new(Some(first)),
        }
    }

    fn take_first(&self) -> Option<Pin<Box<dyn Sleep>>> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.take_first()
            .unwrap_or_else(|| TokioTimer::new().sleep_until(deadline))
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        TokioTimer::new().reset(sleep, deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_first_head_goes_on_and_that_of_the_next_is_whole() {
        let accepted = tokio::time::Instant::now();
        let first = HeadTimer::start(TIME);
        tokio::time::advance(TIME / 2).await;
        let timer = HeadTimer::go_on(first);
        timer.sleep_until(timer.now() + TIME).await;
        assert_eq!(accepted.elapsed(), TIME);
        timer.sleep_until(timer.now() + TIME).await;
        assert_eq!(accepted.elapsed(), TIME * 2);
    }
}
