//! Promises of ARCHITECTURE.md that are about what a crate uses of others.

use std::fs;

use lockcheck_tests::workspace;
use syn::Item;

use super::module_tree::{ModuleTree, attributes, is_test, leaves};

/// Where the command may start processes: it asks cargo and the compiler what there is, builds, runs
/// cargo, and is called as a compiler by cargo itself.
const STARTING: &[&str] = &["cli/", "build/", "run/", "lint/compile/"];

/// Where the command may use the engine of the runtime.
const WITH_ENGINE: &[&str] = &["lint/order/declarations.rs", "lint/rules/declared.rs"];

/// The files of the command that take in something whose path begins so, and that are not for tests.
fn takers(path: &[&str]) -> Vec<String> {
    let sources = workspace().join("cargo-lockcheck/src");
    let tree = ModuleTree::read(&sources, "cargo-lockcheck/src", "cargo_lockcheck");
    let takes = |item: &Item| match item {
        Item::Use(item) => leaves(&item.tree).iter().any(|leaf| begins(&leaf.path, path)),
        _ => false,
    };
    let takes = |item: &Item| match item {
        Item::Mod(inner) => inner.content.iter().any(|(_, items)| items.iter().any(takes)),
        item => takes(item),
    };
    let files = tree.files.iter().filter(|file| {
        file.parsed.items.iter().any(|item| !is_test(attributes(item)) && takes(item))
    });
    files.map(|file| file.path.clone()).collect()
}

fn begins(path: &[String], begin: &[&str]) -> bool {
    path.iter().take(begin.len()).eq(begin)
}

#[test]
fn only_some_rooms_start_processes() {
    let found = takers(&["std", "process", "Command"]);
    assert!(found.len() > 3, "{found:?}");
    for file in found {
        assert!(STARTING.iter().any(|room| file.starts_with(room)), "{file} starts a process");
    }
}

#[test]
fn few_files_know_the_engine() {
    assert_eq!(takers(&["lockdep", "declared_order"]), WITH_ENGINE);
}

#[test]
fn the_files_that_the_document_names_are_there() {
    let document = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("it is there");
    let named = document.split('`').skip(1).step_by(2);
    let named: Vec<&str> = named.filter(|word| word.starts_with("lint/")).collect();
    assert!(named.len() > 5, "{named:?}");
    for path in named {
        let path = workspace().join("cargo-lockcheck/src").join(path);
        assert!(path.exists(), "{} is not there", path.display());
    }
}
