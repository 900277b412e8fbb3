//! Whether references go down the table of layers, and every room is in it.

use std::collections::BTreeSet;
use std::fs;

use super::module_tree::{FileId, ModuleTree};
use super::references::Reference;
use super::table::{Standing, Table};

/// The files that declare rooms and are none.
const ROOTS: &[&str] = &["lib.rs", "main.rs", "mod.rs"];

/// What of the files in a folder speaks against its table.
pub(crate) fn check(
    tree: &ModuleTree,
    folder: &str,
    references: &[Reference],
    table: &Table,
) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    let shown = |path: &str| format!("{}/{path}", tree.shown);
    let listed = listing(tree, folder);
    for (room, path) in &listed {
        if !table.rooms().any(|known| known == room) {
            wrong.push(format!("{} is in no row of ARCHITECTURE.md's table", shown(path)));
        }
    }
    for room in table.rooms() {
        if !listed.iter().any(|(known, _)| known == room) {
            wrong.push(format!(
                "`{room}` is in ARCHITECTURE.md's table, but there is nothing of that name in {}",
                shown(folder).trim_end_matches('/')
            ));
        }
    }
    let place = |file: FileId| Place::of(&tree.files[file].path, folder);
    for reference in references {
        let from = &shown(&tree.files[reference.from].path);
        let line = reference.line;
        match (place(reference.from), place(reference.to)) {
            (Place::Room(room), Place::Root) => wrong.push(
                format!(
                    "{from}:{line} uses {}, which is above all rooms{}",
                    shown(&tree.files[reference.to].path),
                    if folder.is_empty() { "" } else { " of the folder" }
                ) + if room.is_empty() { " " } else { "" },
            ),
            (Place::Room(room), Place::Room(other)) if room != other => {
                let how = match table.standing(other, room) {
                    Some(Standing::Above) => "above",
                    Some(Standing::Beside) => "beside",
                    Some(Standing::Below) | None => continue,
                };
                wrong.push(format!(
                    "{from}:{line} uses `{other}`, which is {how} `{room}` in ARCHITECTURE.md's \
                     table"
                ));
            }
            _ => {}
        }
    }
    wrong
}

/// Where a file is, as a folder's table sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'p> {
    /// In a room of the folder.
    Room(&'p str),
    /// It declares the rooms.
    Root,
    /// Not in the folder.
    Outside,
}

impl<'p> Place<'p> {
    /// Where the file at a path is.
    pub(crate) fn of(path: &'p str, folder: &str) -> Place<'p> {
        let within = match folder {
            "" => Some(path),
            folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        match within {
            None => Place::Outside,
            Some(within) if ROOTS.contains(&within) => Place::Root,
            Some(within) => {
                let first = within.split('/').next().unwrap_or(within);
                Place::Room(first.trim_end_matches(".rs"))
            }
        }
    }
}

/// The files and folders of a folder, each with its path; what is called `tests` is for tests alone.
fn listing(tree: &ModuleTree, folder: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let entries = fs::read_dir(tree.root.join(folder)).expect("the folder is there");
    for entry in entries {
        let entry = entry.expect("it can be read");
        let name = entry.file_name().into_string().expect("UTF-8");
        let is_directory = entry.path().is_dir();
        if ROOTS.contains(&name.as_str()) || !is_directory && !name.ends_with(".rs") {
            continue;
        }
        let room = name.trim_end_matches(".rs").to_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if room != "tests" {
            found.insert((room, path));
        }
    }
    found
}
