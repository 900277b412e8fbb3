//! The reader of merged traces: whatever the bytes, what was read is the same when it is written and read
//! again, and when it is merged with itself, and a report can be made of it.

#![no_main]

use std::path::Path;

use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::traces::analyze::analyze;
use cargo_lockcheck::traces::merge::Merged;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(merged) = Merged::parse(&mut &*bytes) else { return };
    let mut written = Vec::new();
    merged.write_to(&mut written, None).expect("memory can be written to");
    let again = Merged::parse(&mut &*written).expect("what was written can be read");
    assert_eq!(again, merged, "it is not the same when it is read again");
    let mut twice = merged.clone();
    twice.merge(again);
    assert_eq!(twice, merged, "what is merged twice counts twice");
    analyze(&merged, &Sources::new(Path::new("/nowhere"), None), &[]);
});
