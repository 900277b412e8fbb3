//! `lockcheck.toml`: a text that is taken says what a plain reader of TOML reads there, and the lint
//! can be told any of it.

#![no_main]

use cargo_lockcheck::cli::user_config::Config;
use cargo_lockcheck::lint::fuzzing::linted;
use cargo_lockcheck::report::classify::Levels;
use libfuzzer_sys::fuzz_target;

/// What the compiler writes for a small program with locks.
const GOLDEN: &str = include_str!("../../cargo-lockcheck/src/lint/mir/golden/rustc-1.95.mir");

fuzz_target!(|text: &str| {
    let Ok(config) = toml::from_str::<Config>(text) else { return };
    let plain: toml::Table = toml::from_str(text).expect("what is taken is TOML");
    let count = |keys: &[&str]| {
        let mut at = Some(&plain);
        for key in &keys[..keys.len() - 1] {
            at = at.and_then(|table| table.get(*key)).and_then(|value| value.as_table());
        }
        let last = at.and_then(|table| table.get(keys[keys.len() - 1]));
        last.map_or(0, |value| match value {
            toml::Value::Table(table) => table.len(),
            toml::Value::Array(array) => array.len(),
            _ => 0,
        })
    };
    assert_eq!(config.levels.len(), count(&["levels"]));
    assert_eq!(config.lint.order.len(), count(&["lint", "order"]));
    assert_eq!(config.lint.locks.len(), count(&["lint", "locks"]));
    assert_eq!(config.allow.len(), count(&["allow"]));
    for key in plain.keys() {
        assert!(["allow", "levels", "lint"].contains(&&**key), "`{key}` is not known and was taken");
    }
    let mut levels = Levels::default();
    for (code, level) in &config.levels {
        if let Err(sentence) = levels.set(code, *level) {
            assert!(sentence.contains(&**code), "{sentence}");
        }
    }
    linted(GOLDEN, &config.lint);
});
