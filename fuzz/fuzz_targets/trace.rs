//! The reader of traces: whatever the bytes, a torn or broken line takes nothing of what stood before
//! it, what was read can be merged with itself, and a report can be made of it.

#![no_main]

use std::path::Path;

use cargo_lockcheck::report::classify::{Levels, classify};
use cargo_lockcheck::report::render::{Format, Look, Show, render};
use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::traces::analyze::analyze;
use cargo_lockcheck::traces::merge::Merged;
use cargo_lockcheck::traces::trace::Trace;
use libfuzzer_sys::fuzz_target;

/// Sources of which nothing is there.
fn no_sources() -> Sources {
    Sources::new(Path::new("/nowhere"), None)
}

fn read(bytes: &[u8]) -> Option<Trace> {
    let (trace, warnings) = Trace::parse(&mut &*bytes, "fuzzed", &no_sources());
    assert!(trace.is_some() || !warnings.is_empty(), "nothing was read, and nothing says why");
    trace
}

/// All that `part` tells is told by `whole`, and but for the classes, which are a set, in the same order.
fn assert_begins_with(whole: &Trace, part: &Trace) {
    assert!(part.classes.iter().all(|class| whole.classes.contains(class)));
    assert!(whole.many.starts_with(&part.many));
    assert!(whole.orders.starts_with(&part.orders));
    assert!(whole.findings.starts_with(&part.findings));
    assert!(whole.blocked.starts_with(&part.blocked));
    assert!(whole.times.starts_with(&part.times));
}

fuzz_target!(|bytes: &[u8]| {
    let Some(whole) = read(bytes) else { return };
    // The first byte decides where the process was killed: in the middle of a line.
    let cut = bytes.len() * usize::from(bytes[bytes.len() / 2]) / 256;
    let lines = bytes[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let before = read(&bytes[..lines]);
    if let Some(before) = &before {
        assert_begins_with(&whole, before);
        let torn = read(&bytes[..cut]).expect("its first line is whole");
        assert_begins_with(&torn, before);
    }

    let mut once = Merged::default();
    once.add(whole.clone(), &no_sources());
    let mut twice = once.clone();
    twice.add(whole, &no_sources());
    assert_eq!(once, twice, "a trace that is read twice counts twice");

    let sources = no_sources();
    let analysis = analyze(&once, &sources, &[]);
    let mut report = classify(analysis.findings, &Levels::default());
    report.coverage = once.coverage();
    report.notes = analysis.notes;
    report.order_graph = analysis.order_graph;
    report.times = analysis.times;
    let mut show = Show::default();
    show.add("all").expect("`all` is known");
    let look = Look { sources: &sources, show: &show, color: false, width: 80, repository: "" };
    for format in Format::ALL {
        let mut out = Vec::new();
        render(&report, *format, &mut out, &look).expect("memory can be written to");
        String::from_utf8(out).expect("reports are UTF-8");
    }
});
