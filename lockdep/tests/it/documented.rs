//! The crate's own documentation: what every feature is for, and an example for all that is public.

use std::fs;
use std::path::{Path, PathBuf};

/// Where types are that need no example: those for who writes locks, or reads declarations, for this
/// workspace's own tools, and those that are documented as what they stand in for.
const WITHOUT_EXAMPLES: [&str; 8] = [
    "engine/declared.rs",
    "hooks/",
    "model/ids.rs",
    "model/lock.rs",
    "model/tag.rs",
    "parking_lot/",
    "std_items.rs",
    "tasks/",
];

/// The guards, handles and iterators of `std`, which stand in the examples of what gives them.
const GIVEN_BY_OTHERS: [&str; 13] = [
    "IntoIter",
    "Iter",
    "JoinHandle",
    "MutexGuard",
    "Receiver",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "Scope",
    "ScopedJoinHandle",
    "Sender",
    "SyncSender",
    "Thread",
    "TryIter",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below `directory`.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The name of the type or trait that this line declares for everybody: at the left, or in a macro that
/// declares it.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("    ").unwrap_or(line);
    let rest = ["struct ", "enum ", "trait ", "type "]
        .iter()
        .find_map(|kind| line.strip_prefix("pub ")?.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end]).filter(|name| !name.is_empty())
}

/// The types and traits of `text` that are declared without an example.
fn without_example(text: &str) -> Vec<&str> {
    let mut missing = Vec::new();
    let mut has_example = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("///") {
            has_example |= trimmed.contains("```");
        } else if let Some(name) = declared(line) {
            if !has_example {
                missing.push(name);
            }
            has_example = false;
        } else if line.is_empty() || trimmed.starts_with("}") {
            has_example = false;
        }
    }
    missing
}

#[test]
fn a_type_without_an_example_is_noticed() {
    let text = "/// ```\n/// ```\n#[derive(\n    Debug,\n)]\npub struct With;\n\n/// None.\npub enum Without {}\n";
    assert_eq!(without_example(text), ["Without"]);
}

// What is `pub` is reachable from outside, as the lint `unreachable_pub` sees to.
#[test]
fn every_public_type_has_an_example() {
    let sources = root().join("src");
    let mut missing = Vec::new();
    let mut seen = 0;
    for path in rust_files(&sources) {
        let file = path.strip_prefix(&sources).unwrap().to_str().unwrap().replace('\\', "/");
        if WITHOUT_EXAMPLES.iter().any(|room| file.starts_with(room)) {
            continue;
        }
        let text = read(&path);
        seen += text.lines().filter_map(declared).count();
        let names = without_example(&text).into_iter();
        let names = names.filter(|name| !GIVEN_BY_OTHERS.contains(name));
        missing.extend(names.map(|name| format!("{name} in {file}")));
    }
    assert!(seen > 60, "only {seen} public types were looked at");
    assert!(missing.is_empty(), "add an example to {}", missing.join(", "));
}

/// The rows of the table of features in `text`: feature, and whether it is on by default.
fn table(text: &str) -> Vec<(String, bool)> {
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    let rows = lines.skip_while(|line| !line.starts_with("| feature |")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2] == "yes")
        })
        .collect()
}

#[test]
fn each_feature_is_in_the_tables() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    let default = features["default"].as_array().unwrap();
    let is_default = |name: &str| default.iter().any(|on| on.as_str() == Some(name));
    let names = features.keys().filter(|name| *name != "default");
    let mut expected: Vec<(String, bool)> =
        names.map(|name| (name.clone(), is_default(name))).collect();
    expected.sort();
    for file in ["src/lib.rs", "README.md"] {
        let mut rows = table(&read(&root().join(file)));
        rows.sort();
        assert_eq!(rows, expected, "the table of features in {file}");
    }
}
