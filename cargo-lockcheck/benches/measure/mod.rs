//! What a stretch of work takes.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Does the work, and says how long it took.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = black_box(work());
    (result, begin.elapsed())
}

/// The most memory that the process has had, in words.
pub(crate) fn peak() -> String {
    let bytes = || {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    // Only Linux tells.
    bytes().map_or("–".to_owned(), |kib| format!("{} MiB", kib / 1024))
}
