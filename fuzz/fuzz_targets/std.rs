//! Runs in the STD format: what is read is written and read as the same, and what is predicted of it has
//! threads and locks of it.

#![no_main]

use cargo_lockcheck::predict::{Limits, predict};
use cargo_lockcheck::traces::std_format::{StdTrace, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (trace, warnings) = StdTrace::parse(&mut &*bytes, "a.std");
    let Some(trace) = trace else {
        assert!(!warnings.is_empty(), "what is not used is said");
        return;
    };
    let mut text = Vec::new();
    write(&trace.recording, &mut text).expect("memory takes it");
    let (again, _) = StdTrace::parse(&mut &*text, "a.std");
    let again = again.expect("what was written can be read");
    assert_eq!(again.recording.events.len(), trace.recording.events.len());
    let limits = Limits { work: 100_000, work_per_step: 0, steps: 10_000, ..Limits::default() };
    for circle in predict(&trace.recording, limits).circles {
        for link in &circle.links {
            assert_eq!(trace.recording.event(link.request).thread, link.thread);
        }
    }
});
