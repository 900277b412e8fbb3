//! Parking: a wait that whoever has a handle of the thread can end.
//!
//! Anybody may have a handle, so a parked thread counts as stuck only when no thread of the process is
//! left that runs, and something else than parked threads waits: a process of which nothing is left
//! but parked threads may be meant to stay like that until it is killed.
//!
//! A thread that was unparked before it parks does not block. Which of the unparks a return of `park`
//! answers is not known, but a thread that was not unparked since it returned has no reason to
//! return; any other one is taken for one that goes on, until it is seen to sleep. Before anything is
//! said the thread looks for itself whether it was unparked.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use crate::model::lock::Site;
use crate::thread_state::counters::{number, unparks};
use crate::thread_state::record::Record;
use crate::thread_state::wait::WaitKind;
use crate::waits::block;

/// A thread that has not been unparked for so long was not unparked.
const LOOK: Duration = Duration::from_millis(50);

/// The thread parks: `block` must be the primitive's park.
///
/// # Panics
/// Where the thread would wait for ever, as configured.
pub(crate) fn park(record: &'static Record, timed: bool, site: Site, block: impl FnOnce()) {
    let number = number(thread::current().id());
    let unparks = || unparks(number).load(SeqCst);
    let (known, begin) = (record.unparks.get(), unparks());
    let wait = match (timed, begin == known) {
        (true, _) => block::show(record, WaitKind::Timed, (number, begin), site),
        (false, false) => block::show(record, WaitKind::Park, (number, begin), site),
        (false, true) => block::wait(record, WaitKind::Park, (number, begin), site),
    };
    block();
    drop(wait);
    let end = unparks();
    // It was one of them that ended this wait. Of several that came meanwhile the last may still end
    // the next one.
    let answered = end == begin || end.wrapping_sub(known) <= 1;
    record.unparks.set(if answered { end } else { end.wrapping_sub(1) });
}

/// Whether this thread was unparked and has not parked since; that remains so.
pub(crate) fn is_unparked() -> bool {
    let begin = Instant::now();
    thread::park_timeout(LOOK);
    let unparked = begin.elapsed() < LOOK;
    if unparked {
        thread::current().unpark();
    }
    unparked
}
