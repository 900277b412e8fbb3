//! Wakes the watchdog's thread when there is something to watch.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};

use crate::platform;

/// The watchdog sleeps without end.
static IDLE: AtomicBool = AtomicBool::new(false);
/// The system's number of the watchdog's thread.
static SYSTEM: AtomicU32 = AtomicU32::new(0);

/// Whether the watchdog is about to sleep without end. It says so before its last look.
pub(crate) fn set_idle(idle: bool) {
    IDLE.store(idle, SeqCst);
}

/// A wait or a hold has begun.
#[inline]
pub(crate) fn something_to_watch() {
    if IDLE.load(SeqCst) && IDLE.swap(false, SeqCst) {
        platform::ring();
    }
}

/// The calling thread, which has this number in the system, is the watchdog's.
pub(crate) fn set_system_thread(number: u32) {
    SYSTEM.store(number, Relaxed);
}

/// The system's number of the watchdog's thread, which ends no wait; zero where there is none.
pub(crate) fn system_thread() -> u32 {
    SYSTEM.load(Relaxed)
}
