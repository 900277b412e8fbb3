//! Comments that allow findings: each that is found stands where it says, and text before it moves
//! it and nothing else.

#![no_main]

use cargo_lockcheck::lint::fuzzing::allowances;
use libfuzzer_sys::fuzz_target;

/// A line of code with such a comment.
const FIRST: &str = "f(); // lockcheck: allow(double-lock) for a reason\n";

fuzz_target!(|text: &str| {
    let found = allowances(text);
    let lines: Vec<&str> = text.lines().collect();
    for (line, applies, rules, reason) in &found {
        let written = lines[*line as usize - 1];
        assert!(written.contains("lockcheck: allow("), "{written:?}");
        assert!(written.contains(&**reason), "{written:?} and {reason:?}");
        assert!(rules.iter().all(|rule| written.contains(&**rule)), "{written:?} and {rules:?}");
        assert!(line <= applies && *applies as usize <= lines.len());
    }
    // What a file may have at its very beginning alone is something else on its second line.
    if text.starts_with(['\u{feff}', '#', '-']) {
        return;
    }
    let mut after = allowances(&format!("{FIRST}{text}"));
    let first = after.remove(0);
    let expected = (1, 1, vec!["double-lock".to_owned()], "for a reason".to_owned());
    assert_eq!(first, expected);
    let moved = found
        .into_iter()
        .map(|(line, applies, rules, reason)| (line + 1, applies + 1, rules, reason));
    assert!(moved.eq(after), "moved by one line, other comments are found in {text:?}");
});
