//! How a property looks behind the scene: the application's log, and gates
//! that hold handlers without a sleep.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// Longest wait for a line of the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shared between the suite's application and the property that runs.
#[derive(Default)]
pub struct Backstage {
    log: Log,
    gates: Gates,
    produced: AtomicUsize,
    constructed: Mutex<HashMap<&'static str, usize>>,
    flags: HashSet<&'static str>,
}

impl Backstage {
    /// Back stage of an application that was asked for these misbehaviours.
    pub(super) fn with_flags(flags: &[&'static str]) -> Self {
        Self {
            flags: flags.iter().copied().collect(),
            ..Self::default()
        }
    }

    /// What hooks and handlers wrote.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What handlers wait for.
    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(super) fn has_flag(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// Counts an item that a stream gave out.
    pub(super) fn produce(&self) -> usize {
        self.produced.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn produced(&self) -> usize {
        self.produced.load(Ordering::Relaxed)
    }

    pub(super) fn count_construction(&self, of: &'static str) {
        *lock(&self.constructed).entry(of).or_default() += 1;
    }

    pub(super) fn constructed(&self, what: &str) -> usize {
        lock(&self.constructed).get(what).copied().unwrap_or(0)
    }
}

impl fmt::Debug for Backstage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Backstage({:?})", self.log.all())
    }
}

/// Lines that the application wrote, each waited for at most once.
#[derive(Default)]
pub struct Log {
    lines: Mutex<Vec<Line>>,
    written: Notify,
}

struct Line {
    text: String,
    awaited: bool,
}

impl Log {
    /// Writes a line.
    pub(super) fn write(&self, text: impl Into<String>) {
        lock(&self.lines).push(Line {
            text: text.into(),
            awaited: false,
        });
        self.written.notify_waiters();
    }

    /// Waits for this line: the first that nobody has waited for yet.
    pub async fn until(&self, line: &str) {
        self.find(line, |text| text == line).await;
    }

    /// Waits for a line that begins so, and gives it.
    pub async fn until_prefix(&self, start: &str) -> String {
        self.find(start, |text| text.starts_with(start)).await
    }

    /// All lines since the last call, awaited or not; the log is empty then.
    pub fn take(&self) -> Vec<String> {
        lock(&self.lines).drain(..).map(|line| line.text).collect()
    }

    /// All lines, which stay.
    pub fn all(&self) -> Vec<String> {
        lock(&self.lines)
            .iter()
            .map(|line| line.text.clone())
            .collect()
    }

    /// How many lines begin so and were not waited for.
    pub fn count(&self, start: &str) -> usize {
        lock(&self.lines)
            .iter()
            .filter(|line| !line.awaited && line.text.starts_with(start))
            .count()
    }

    async fn find(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            // Registered before the look, so that no line falls between.
            let written = self.written.notified();
            tokio::pin!(written);
            written.as_mut().enable();
            if let Some(line) = self.take_awaited(&wanted) {
                return line;
            }
            assert!(
                tokio::time::timeout_at(deadline, written).await.is_ok(),
                "the application did not log {what:?} within {PATIENCE:?}; its log: {:#?}",
                self.all()
            );
        }
    }

    fn take_awaited(&self, wanted: &impl Fn(&str) -> bool) -> Option<String> {
        let mut lines = lock(&self.lines);
        let line = lines
            .iter_mut()
            .find(|line| !line.awaited && wanted(&line.text))?;
        line.awaited = true;
        Some(line.text.clone())
    }
}

/// Named gates; all are shut at first, and stay open once opened.
#[derive(Default)]
pub struct Gates {
    open: Mutex<HashSet<String>>,
    opened: Notify,
}

impl Gates {
    /// Opens a gate for all who wait at it, and all who come later.
    pub fn open(&self, name: &str) {
        lock(&self.open).insert(name.to_owned());
        self.opened.notify_waiters();
    }

    pub(super) async fn pass(&self, name: &str) {
        loop {
            let opened = self.opened.notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            if lock(&self.open).contains(name) {
                return;
            }
            opened.await;
        }
    }
}

/// Writes a line when it is dropped: how the log learns of a cancellation.
pub(super) struct LogOnDrop(pub(super) Arc<Backstage>, pub(super) &'static str);

impl Drop for LogOnDrop {
    fn drop(&mut self) {
        self.0.log().write(self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
