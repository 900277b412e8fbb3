//! Where a thread is in the order of spawns, joins, releases and events: its current
//! [`ThreadPoint`].

use std::sync::atomic::Ordering::Relaxed;

use crate::engine::{SharedClock, ThreadPoint};
use crate::hash::fold;
use crate::model::ids::ThreadId;
use crate::thread_state::captured::CapturedStacks;
use crate::thread_state::current::Busy;
use crate::thread_state::record::{EARLIER, Own, OwnRecord};

/// The thread of this record begins here.
pub(crate) fn start_at(record: OwnRecord, at: ThreadPoint) {
    give_own(record, Own { at, ..Own::default() });
}

/// The context hash of holding nothing, of a thread whose clock has changed so often.
fn seed(thread: ThreadId, clock_changes: u64) -> u64 {
    let seed = u64::from(thread) ^ clock_changes.rotate_left(32) ^ 0x2545_f491_4f6c_dd1d;
    fold(seed, 0x9e37_79b9_7f4a_7c15)
}

/// What the thread or task of this record keeps when the record is taken from it.
pub(crate) fn take_own(record: OwnRecord) -> Own {
    record.close_window();
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    let mut room = std::mem::take(&mut own.asked);
    let mut kept = std::mem::take(&mut *own);
    // It counts what is acquired with this record.
    kept.captured = CapturedStacks::default();
    kept.asked = room.clone();
    room.clear();
    own.asked = room;
    kept
}

/// Gives back to a thread or task what it has kept, with this record.
pub(crate) fn give_own(record: OwnRecord, kept: Own) {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    // The room of the record's last thread is this one's.
    let mut asked = std::mem::take(&mut own.asked);
    asked.clear();
    asked.reserve_exact(EARLIER);
    asked.extend_from_slice(&kept.asked);
    record.set_context(seed(kept.at.thread, kept.clock_changes));
    *own = Own { asked, ..kept };
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
            at.clock.make_mut().join(end);
        }
        end.is_none()
    });
    at.clone()
}

/// Like [`thread_point`], without the order that events showed: an event cannot order the wait for
/// itself.
pub(crate) fn event_point(record: OwnRecord) -> ThreadPoint {
    ThreadPoint { observed: SharedClock::default(), ..thread_point(record) }
}

/// The thread's clock has changed. Orders were judged at the earlier one, so every situation counts as
/// new from here.
pub(crate) fn clock_changed(record: OwnRecord) {
    let _busy = Busy::new();
    let mut own = record.mine().own.borrow_mut();
    own.clock_changes += 1;
    (own.brood, own.kin) = (0, 0);
    record.set_context(seed(record.thread.load(Relaxed), own.clock_changes));
}
