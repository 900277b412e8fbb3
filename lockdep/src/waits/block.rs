//! A thread that is about to block makes its wait visible to all threads, then checks whether the wait
//! can end.
//!
//! The last thread to block completes a deadlock. So each thread that blocks looks for a cycle of threads
//! that wait for each other ([`cycle`]), for a lock that an ended thread holds ([`orphan`]), and whether
//! any thread still runs ([`hang`]). No thread has to poll.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::model::finding::Finding;
use crate::model::lock::Site;
use crate::platform::clock::now;
use crate::process::{ends_by_panic, halt, introduce};
use crate::thread_state::counters::{JOINING, LEAVING, ORPHANED};
use crate::thread_state::current::Busy;
use crate::thread_state::record::OwnRecord;
use crate::thread_state::wait::Awaited;
use crate::thread_state::{bell, counters};
use crate::waits::{cycle, hang, orphan, times};

/// A wait that other threads can see, until dropped.
pub(crate) struct Wait {
    record: OwnRecord,
    awaited: Awaited,
}

impl Wait {
    /// The wait goes on, for others to see, when the thread does something else: its task rests.
    pub(crate) fn go_on(self) {
        mem::forget(self);
    }

    /// The wait that the task of this record rests in, if it does.
    pub(crate) fn of_resting(record: OwnRecord) -> Option<Wait> {
        record.wait.seen().map(|wait| Wait { record, awaited: wait.awaited })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        times::waited(self.record, self.awaited);
        self.record.wait.end();
        if self.record.joins.load(Relaxed) {
            self.record.joins.store(false, Relaxed);
            JOINING.fetch_sub(1, SeqCst);
        }
        match self.awaited {
            Awaited::Event(event) | Awaited::Permits(event) => counters::end_wait(event),
            Awaited::Lock(_)
            | Awaited::End(_)
            | Awaited::TaskEnd(_)
            | Awaited::Unpark { .. }
            | Awaited::Timed(_) => {}
        }
    }
}

/// The thread is about to block. Reports a deadlock if that completes one.
///
/// # Panics
/// Where the thread would wait for ever, as configured.
#[cold]
#[track_caller]
pub(crate) fn wait(record: OwnRecord, awaited: Awaited, site: Site) -> Wait {
    wait_unless(record, awaited, site, || false)
}

/// As [`wait`]. `came` looks for the event once more, after the wait is visible to others: a signal sent
/// before that was not counted.
///
/// # Panics
/// Where the thread would wait for ever, as configured.
#[track_caller]
pub(crate) fn wait_unless(
    record: OwnRecord,
    awaited: Awaited,
    site: Site,
    came: impl FnMut() -> bool,
) -> Wait {
    let wait = show(record, awaited, site);
    if let Some(finding) = stuck(record, awaited, came) {
        if record.is_idle.load(Relaxed) && ends_by_panic() {
            hang::end_task(&finding);
        } else {
            record.wait.end();
            halt(&finding);
            begin(record, awaited, site);
        }
    }
    // What ran meanwhile may have been a callback that keeps a guard.
    let _busy = Busy::new();
    record.reserve();
    wait
}

/// Makes the wait of the thread, which is about to block, visible, without a look at whether that is for
/// ever.
pub(crate) fn show(record: OwnRecord, awaited: Awaited, site: Site) -> Wait {
    introduce(record);
    show_unnamed(record, awaited, site, true)
}

/// Makes the wait of a task, which rests and blocks no thread, visible. It is in no list of what all threads
/// wait for, so the trace need not name it, which would grow with every task that ever waited. `holds` where
/// others may wait for something of the task meanwhile.
pub(crate) fn show_rest(record: OwnRecord, awaited: Awaited, site: Site, holds: bool) -> Wait {
    show_unnamed(record, awaited, site, holds)
}

fn show_unnamed(record: OwnRecord, awaited: Awaited, site: Site, holds: bool) -> Wait {
    if holds && awaited.end().is_some() {
        record.joins.store(true, Relaxed);
        JOINING.fetch_add(1, SeqCst);
    }
    match awaited {
        Awaited::Event(event) | Awaited::Permits(event) => counters::begin_wait(event),
        Awaited::Lock(_)
        | Awaited::End(_)
        | Awaited::TaskEnd(_)
        | Awaited::Unpark { .. }
        | Awaited::Timed(_) => {}
    }
    record.was_active.store(true, Relaxed);
    begin(record, awaited, site);
    if matches!(awaited, Awaited::Lock(_)) {
        bell::something_to_watch();
    }
    Wait { record, awaited }
}

fn begin(record: OwnRecord, awaited: Awaited, site: Site) {
    let ended = match awaited {
        Awaited::Lock(lock) => times::ended(lock),
        _ => 0,
    };
    record.mine().waits_from.set(record.detector_time.load(Relaxed));
    record.wait.begin(awaited, ended, now(), site);
}

/// Whether this thread, which is about to block, can never go on.
fn stuck(me: OwnRecord, awaited: Awaited, came: impl FnMut() -> bool) -> Option<Arc<Finding>> {
    // A cycle leads through what this thread holds, or through a thread that waits for its end.
    let has_something =
        || !me.held.is_empty() || !me.permits.is_empty() || JOINING.load(SeqCst) > 0;
    let on_cycle = match awaited {
        Awaited::Lock(_) | Awaited::End(_) | Awaited::Permits(_) => has_something(),
        Awaited::TaskEnd(_) | Awaited::Event(_) | Awaited::Unpark { .. } | Awaited::Timed(_) => {
            false
        }
    };
    let is_lock = matches!(awaited, Awaited::Lock(_));
    if is_lock && LEAVING.load(SeqCst) > 0 {
        orphan::until_holders_end(me);
    }
    let on_orphan = is_lock && ORPHANED.load(SeqCst) > 0;
    let in_cycle = on_cycle.then(|| cycle::closed_by(me)).flatten();
    let for_lock =
        in_cycle.or_else(|| on_orphan.then(|| orphan::find_orphan_awaited_by(me)).flatten());
    if for_lock.is_some() {
        return for_lock;
    }
    let alone = !awaited.is_timed() && hang::all_threads_wait();
    if alone { hang::confirm_global_deadlock(me, came) } else { None }
}
