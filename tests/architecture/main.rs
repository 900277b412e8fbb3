//! The layers of ARCHITECTURE.md hold: a room uses only those in rows before its own.
//!
//! Every path that the sources write is followed to the file that it means: in `use`, in signatures and
//! bodies, and in the arguments of macros. Code that is for tests alone is left out. What no path names
//! is not seen: a method of a value that another room has handed over, say.
//!
//! A table stands under a heading `Layers of NAME`. Its rows go from the lowest layer to the highest, the
//! first cell has the names of rooms (files or folders beside each other) in code quotes; several in one
//! row do not use each other. The file that declares the rooms (`lib.rs`, `mod.rs`) is above them all.

mod circles;
mod invented;
mod layers;
mod module_tree;
mod promises;
mod references;
mod table;
mod trace_format;

use std::fs;
use std::path::Path;

use lockcheck_tests::workspace;

use module_tree::ModuleTree;
use table::Table;

/// The tables, by the names in their headings, with the crate and the folder in it that each is about.
const TABLES: &[(&str, &str, &str)] = &[
    ("lockdep", "lockdep", ""),
    ("cargo-lockcheck", "cargo-lockcheck", ""),
    ("the lint", "cargo-lockcheck", "lint"),
];

#[test]
fn every_room_uses_only_those_below_it() {
    let document = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("it is there");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (name, package, folder) in TABLES {
        let Some(table) = Table::find(&document, name) else { continue };
        checked += 1;
        wrong.extend(judge(&workspace(), package, folder, &table));
    }
    assert!(checked > 0, "ARCHITECTURE.md has no table of layers");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What speaks against a table, in sentences.
fn judge(workspace: &Path, package: &str, folder: &str, table: &Table) -> Vec<String> {
    let sources = workspace.join(package).join("src");
    let tree = ModuleTree::read(&sources, &format!("{package}/src"), &package.replace('-', "_"));
    let references = references::all(&tree);
    let mut wrong = layers::check(&tree, folder, &references, table);
    wrong.extend(circles::check(&tree, folder, &references));
    wrong
}
