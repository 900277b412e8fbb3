//! Where a thread is in the order of spawns, joins, releases and events.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::engine::ThreadPoint;
use crate::hash::fold;
use crate::thread_state::current::Busy;
use crate::thread_state::record::{EARLIER, Own, OwnRecord};

/// The thread of this record begins here.
pub(crate) fn start_at(record: OwnRecord, at: ThreadPoint) {
    let thread = at.thread;
    let mut own = record.mine().own.borrow_mut();
    // The room of the record's last thread is this one's.
    let mut asked = std::mem::take(&mut own.asked);
    asked.clear();
    asked.reserve_exact(EARLIER);
    *own = Own { at, asked, ..Own::default() };
    drop(own);
    record.set_context(fold(u64::from(thread) ^ 0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15));
}

/// Where the thread is now.
pub(crate) fn thread_point(record: OwnRecord) -> ThreadPoint {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    let Own { at, entered, .. } = &mut *own;
    // Once it has the lock, everything that was done under the hold before is completed.
    entered.retain(|(section, acquisitions)| {
        let end = section.end().filter(|_| record.held.pushed() > *acquisitions);
        if let Some(end) = end {
            Arc::make_mut(&mut at.clock).join(end);
        }
        end.is_none()
    });
    at.clone()
}

/// Like [`thread_point`], without the order that events showed: an event cannot order the wait for
/// itself.
pub(crate) fn event_point(record: OwnRecord) -> ThreadPoint {
    ThreadPoint { observed: Arc::default(), ..thread_point(record) }
}

/// The thread's clock has changed. Orders were judged at the earlier one, so every situation counts as
/// new from here.
pub(crate) fn clock_changed(record: OwnRecord) {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    own.clock_changes += 1;
    let thread = u64::from(record.thread.load(Relaxed));
    record.set_context(fold(
        thread ^ own.clock_changes.rotate_left(32) ^ 0x2545_f491_4f6c_dd1d,
        0x9e37_79b9_7f4a_7c15,
    ));
}
