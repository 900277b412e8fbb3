//! Orphaned locks: those that a thread still held when it ended, and the threads that wait for them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use crate::model::finding::Finding;
use crate::model::held::HeldLock;
use crate::process::{know_thread, observe};
use crate::thread_state::current::Busy;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::snapshot::ThreadSnapshot;
use crate::waits::look::{alive, stuck};

/// The pause between looks at whether a thread whose closure has returned has ended.
const LOOK: Duration = Duration::from_millis(1);
/// How long a thread looks for that.
const LONG: Duration = Duration::from_secs(1);
/// How long a thread that waits for an orphaned lock has to report that itself.
const SETTLE: Duration = Duration::from_millis(100);

/// Waits until the holder of the lock that this thread wants has ended, if the holder's closure has
/// returned already: what it then still holds is orphaned.
pub(super) fn until_holders_end(me: OwnRecord) {
    let _busy = Busy::new();
    let Some(lock) = ThreadSnapshot::of(me.shared()).wanted() else { return };
    let lock = lock.lock();
    let begin = Instant::now();
    while begin.elapsed() < LONG
        && alive().any(|r| r.is_leaving.load(Relaxed) && r.held.holds(lock))
    {
        thread::sleep(LOOK);
    }
}

/// Finds a thread that waits for one of these locks, which a thread held when it ended, and reports it if
/// the waiting thread has not done so itself.
pub(crate) fn find_waiter_of(held: &[HeldLock]) -> Option<Arc<Finding>> {
    let waits_for_one =
        |seen: &ThreadSnapshot| seen.wanted().is_some_and(|word| held.iter().any(|h| h.bars(word)));
    let (waiter, target) = {
        let _busy = Busy::new();
        let snapshots = alive().filter(|_| !held.is_empty()).map(ThreadSnapshot::of_waiting);
        let waiter = { snapshots }.find(waits_for_one)?;
        thread::sleep(SETTLE);
        (waiter.still().then(|| stuck(&waiter)).flatten()?, waiter.wanted()?)
    };
    observe(|o| {
        let orphan = o.orphans.iter().find(|orphan| orphan.held.bars(target)).cloned()?;
        Some(o.orphaned(&waiter, &orphan))
    })
}

/// Reports the lock that this thread waits for, if a thread that has ended holds it.
pub(super) fn find_orphan_awaited_by(me: OwnRecord) -> Option<Arc<Finding>> {
    let (mine, target) = {
        let _busy = Busy::new();
        let seen = ThreadSnapshot::of(me.shared());
        (stuck(&seen)?, seen.wanted()?)
    };
    observe(|o| {
        know_thread(o, me, None);
        let orphan = o.orphans.iter().find(|orphan| orphan.held.bars(target)).cloned()?;
        Some(o.orphaned(&mine, &orphan))
    })
}
