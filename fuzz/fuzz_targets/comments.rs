//! Comments that allow findings: each that is found stands where it says, and text before it moves
//! it and nothing else.

#![no_main]

use cargo_lockcheck::accept::comments::{Allowance, read};
use libfuzzer_sys::fuzz_target;

/// A line of code with such a comment.
const FIRST: &str = "f(); // lockcheck: allow(double-lock) for a reason\n";

fuzz_target!(|text: &str| {
    let found = read(text).allowances;
    let lines: Vec<&str> = text.lines().collect();
    for Allowance { line, lines: code, rules, reason } in &found {
        let written = lines[*line as usize - 1];
        assert!(written.contains("lockcheck"), "{written:?}");
        assert!(written.contains(&**reason), "{written:?} and {reason:?}");
        assert!(rules.iter().all(|rule| written.contains(&**rule)), "{written:?} and {rules:?}");
        assert!(line <= code.start() && code.start() <= code.end());
        assert!(*code.end() as usize <= lines.len());
    }
    // What a file may have at its very beginning alone is something else on its second line.
    if text.starts_with(['\u{feff}', '#', '-']) {
        return;
    }
    let mut after = read(&format!("{FIRST}{text}")).allowances;
    let first = after.remove(0);
    assert_eq!((first.line, first.lines), (1, 1..=1));
    assert_eq!((&*first.rules[0], &*first.reason), ("double-lock", "for a reason"));
    let moved = found.into_iter().map(|found| Allowance {
        line: found.line + 1,
        lines: found.lines.start() + 1..=found.lines.end() + 1,
        ..found
    });
    assert!(moved.eq(after), "moved by one line, other comments are found in {text:?}");
});
