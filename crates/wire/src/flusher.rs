//! The task that writes for many connections at once.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::runtime::RuntimeFlavor;

use crate::dirty::DirtyList;
use crate::outbox::Outbox;
use crate::run;

/// From this many connections on, a look at the network before the flush, which tokio takes when a task
/// yields, costs little beside the writes; and what arrives by then joins the batch. For a few
/// connections it would be one more system call for each of them.
const CROWD: usize = 16;

/// Connections written before readers get their turn again.
const TURN: usize = 128;

/// Writes the outboxes that have something queued.
///
/// Pushing to an outbox puts it on a list and wakes one task, not one per connection. The task runs
/// behind the readers that are ready, so that everything they cause leaves in one write per
/// connection, without a timer.
#[derive(Debug)]
pub struct Flusher;

impl Flusher {
    /// Starts a flusher on the current tokio runtime. It ends when the last handle and the last outbox
    /// that has one are gone.
    pub fn spawn() -> FlusherHandle {
        let alone = is_alone();
        let (handle, list) = FlusherHandle::new(alone);
        tokio::spawn(write_all(list, alone));
        handle
    }
}

/// Whether there is no other thread that could write meanwhile.
fn is_alone() -> bool {
    let runtime = tokio::runtime::Handle::current();
    matches!(runtime.runtime_flavor(), RuntimeFlavor::CurrentThread)
}

/// A flusher, as connections know it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FlusherHandle {
    guard: Arc<Guard>,
}

impl FlusherHandle {
    /// A handle and the list that somebody has to take from.
    pub(crate) fn new(alone: bool) -> (Self, Arc<DirtyList<Arc<Outbox>>>) {
        let list = Arc::new(DirtyList::new());
        let guard = Arc::new(Guard {
            list: Arc::clone(&list),
            alone,
        });
        (Self { guard }, list)
    }

    /// Whether the flusher should write what connections cause for themselves too.
    ///
    /// On a single thread it does, behind all readers that are ready: a peer that is woken by the first
    /// of these writes is awake for the others, where writes between reads would wake it again and
    /// again. On several threads the connections write side by side instead.
    pub(crate) fn writes_replies(&self) -> bool {
        self.guard.alone
    }

    pub(crate) fn mark(&self, outbox: Arc<Outbox>) {
        self.guard.list.push(outbox);
    }
}

#[derive(Debug)]
struct Guard {
    list: Arc<DirtyList<Arc<Outbox>>>,
    /// The flusher's runtime has a single thread.
    alone: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.list.close();
    }
}

async fn write_all(list: Arc<DirtyList<Arc<Outbox>>>, alone: bool) {
    let mut batch = Vec::new();
    while poll_fn(|cx| list.poll_take(cx, &mut batch)).await {
        if batch.len() >= CROWD {
            tokio::task::yield_now().await;
        } else if !alone {
            // On a single thread, tasks run in the order in which they were woken; on several, tokio
            // runs a task that a running one has woken before all others.
            behind_ready_tasks().await;
        }
        list.take_more(&mut batch);
        for (index, outbox) in batch.drain(..).enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            crate::writer::flush(&outbox);
        }
        run::reclaim_chunk();
    }
}

/// Lets the tasks that are ready now go first: what they send joins the batch.
///
/// A task that wakes itself while it runs is put at the end of the queue, even where tokio runs a task
/// woken by another one next.
async fn behind_ready_tasks() {
    let mut queued = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut queued, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
