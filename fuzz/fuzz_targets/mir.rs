//! The reader of the compiler's MIR: whatever the text, each function is read or counted as skipped,
//! what follows does not change what was read before, and what was read can be linted.

#![no_main]

use std::collections::HashSet;

use cargo_lockcheck::cli::user_config;
use cargo_lockcheck::lint::fuzzing::{linted, mir};
use libfuzzer_sys::fuzz_target;

/// A body of which nothing is unusual.
const PLAIN: &str =
    "fn plain_and_last() -> () {\n    let mut _0: ();\n\n    bb0: {\n        return;\n    }\n}\n";

fuzz_target!(|text: &str| {
    let read = mir(text);
    let names: HashSet<&String> = read.bodies.iter().collect();
    // A closing brace at the left edge ends every body, so the next one begins anew.
    let more = mir(&format!("{text}\n}}\n{PLAIN}"));
    assert!(more.bodies.starts_with(&read.bodies), "{:?} and {:?}", read.bodies, more.bodies);
    assert!(more.skipped <= read.skipped, "{} and {}", read.skipped, more.skipped);
    if !names.contains(&"plain_and_last".to_owned()) && !text.contains("// MIR FOR CTFE") {
        assert!(more.bodies.iter().any(|name| name == "plain_and_last"), "{:?}", more.bodies);
    }
    let linted = linted(text, &user_config::Lint::default());
    assert_eq!(linted.coverage.functions_skipped, read.skipped);
});
