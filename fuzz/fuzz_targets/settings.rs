//! `lockcheck.toml` and `lockcheck-baseline.toml`: a text that is taken says what a plain reader of TOML
//! reads there, the lint can be told any of it, and a baseline that is written anew is the same.

#![no_main]

use cargo_lockcheck::accept::baseline::Baseline;
use cargo_lockcheck::cli::user_config::Read;
use cargo_lockcheck::lint::fuzzing::linted;
use libfuzzer_sys::fuzz_target;

/// What the compiler writes for a small program with locks.
const GOLDEN: &str = include_str!("../../cargo-lockcheck/src/lint/mir/golden/rustc-1.95.mir");

fuzz_target!(|text: &str| {
    if let Ok(baseline) = Baseline::parse(text) {
        let again = Baseline::parse(&baseline.text()).expect("what was written can be read");
        let what = |baseline: &Baseline| -> Vec<(String, String, Option<String>)> {
            let entries = baseline.entries.iter();
            entries.map(|e| (e.id.clone(), e.reason.clone(), e.about.clone())).collect()
        };
        assert_eq!(what(&again), what(&baseline));
    }
    let Ok(read) = Read::parse(text) else { return };
    let plain: toml::Table = toml::from_str(text).expect("what is taken is TOML");
    let count = |keys: &[&str]| {
        let mut at = Some(&plain);
        for key in &keys[..keys.len() - 1] {
            at = at.and_then(|table| table.get(*key)).and_then(|value| value.as_table());
        }
        let last = at.and_then(|table| table.get(keys[keys.len() - 1]));
        last.and_then(|value| value.as_array()).map_or(0, Vec::len)
    };
    assert_eq!(read.levels.parts.len(), count(&["override"]));
    assert_eq!(read.lint.order.len(), count(&["lint", "order"]));
    assert_eq!(read.lint.locks.len(), count(&["lint", "locks"]));
    assert_eq!(read.accepted.len(), count(&["allow"]));
    for key in plain.keys() {
        let known = ["allow", "levels", "lint", "override"];
        assert!(known.contains(&&**key), "`{key}` is not known and was taken");
    }
    linted(GOLDEN, &read.lint);
});
