//! `lockdep::sync` and `lockdep::thread` are `std::sync` and `std::thread` to whoever uses them.

mod api;

#[path = "parity"]
mod of_std {
    use std::{sync, thread};

    #[path = "facts.rs"]
    pub(super) mod facts;
}

#[path = "parity"]
mod of_lockdep {
    use lockdep::{sync, thread};

    #[path = "facts.rs"]
    pub(super) mod facts;
}

#[test]
fn auto_traits_are_the_same() {
    assert_same(of_std::facts::auto_traits(), of_lockdep::facts::auto_traits());
}

#[test]
fn debug_and_display_texts_are_the_same() {
    assert_same(of_std::facts::texts(), of_lockdep::facts::texts());
}

#[test]
fn panic_messages_are_the_same() {
    assert_same(of_std::facts::panics(), of_lockdep::facts::panics());
}

#[test]
fn what_compiles_is_the_same() {
    assert_same(of_std::facts::coercions(), of_lockdep::facts::coercions());
}

fn assert_same(std: Vec<String>, lockdep: Vec<String>) {
    let differences: String = std
        .iter()
        .zip(&lockdep)
        .filter(|(std, lockdep)| std != lockdep)
        .map(|(std, lockdep)| format!("std: {std}\nlockdep: {lockdep}\n"))
        .collect();
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(std.len(), lockdep.len());
}
