//! Where a thread is in the order of spawns, joins, releases and events.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::engine::Moment;
use crate::hash::fold;
use crate::thread_state::current::Busy;
use crate::thread_state::record::{EARLIER, Own, OwnRecord};

/// The thread of this record begins at this moment.
pub(crate) fn start_segments(record: OwnRecord, at: Moment) {
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

/// Where the thread is.
pub(crate) fn moment(record: OwnRecord) -> Moment {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    let Own { at, entered, .. } = &mut *own;
    // Once it has the lock, everything that was done under the hold before is over.
    entered.retain(|(section, acquisitions)| {
        let end = section.end().filter(|_| record.held.pushed() > *acquisitions);
        if let Some(end) = end {
            Arc::make_mut(&mut at.clock).join(end);
        }
        end.is_none()
    });
    at.clone()
}

/// The same as an event's side sees it. What events showed to be over is left out: it is their
/// very order that a wait under a lock is about.
pub(crate) fn moment_of_event(record: OwnRecord) -> Moment {
    Moment { seen: Arc::default(), ..moment(record) }
}

pub(crate) fn next_segment(record: OwnRecord) {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    own.segment += 1;
    let thread = u64::from(record.thread.load(Relaxed));
    record.set_context(fold(
        thread ^ own.segment.rotate_left(32) ^ 0x2545_f491_4f6c_dd1d,
        0x9e37_79b9_7f4a_7c15,
    ));
}
