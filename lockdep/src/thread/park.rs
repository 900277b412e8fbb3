//! Waits for an `unpark`.

use std::panic::Location;
use std::time::Duration;

use crate::instrument;

/// Blocks until this thread is unparked; see [`std::thread::park`].
#[track_caller]
pub fn park() {
    instrument::park(false, Location::caller(), std::thread::park);
}

/// Blocks until this thread is unparked, for `dur` at most; see [`std::thread::park_timeout`].
#[track_caller]
pub fn park_timeout(dur: Duration) {
    instrument::park(true, Location::caller(), || std::thread::park_timeout(dur));
}

/// Blocks until this thread is unparked, for `ms` milliseconds at most.
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::park_timeout`")]
#[track_caller]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(u64::from(ms)));
}
