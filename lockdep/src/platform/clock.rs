//! The clock of the process: nanoseconds since the first time that it was read.

use std::sync::OnceLock;
use std::time::Instant;

static START: OnceLock<Instant> = OnceLock::new();

/// Nanoseconds since the first call in this process.
pub(crate) fn now() -> u64 {
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
