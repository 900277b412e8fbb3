//! The names that a package gives to the crates it depends on.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

const KINDS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// The crates that a package calls by other names than their own, by those names. A package is taken
/// to have a library of its name.
pub(crate) fn renamed(manifest: &Path) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let Some(package) = read(manifest) else { return found };
    let of_targets = package.get("target").and_then(Value::as_table);
    let of_targets = of_targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let mut inherited = Vec::new();
    for table in of_targets.chain([&package]) {
        let kinds = KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table());
        for (name, dependency) in kinds.flatten() {
            match dependency.get("package").and_then(Value::as_str) {
                Some(package) => {
                    found.insert(in_source(name), in_source(package));
                }
                None if dependency.get("workspace").is_some() => inherited.push(name),
                None => {}
            }
        }
    }
    if !inherited.is_empty() {
        let around = manifest.ancestors().skip(1).filter_map(|at| read(&at.join("Cargo.toml")));
        let workspace = around.into_iter().find(|table| table.contains_key("workspace"));
        let shared = workspace.as_ref().and_then(|table| table["workspace"].get("dependencies"));
        for name in inherited {
            let package = shared.and_then(|shared| shared.get(name)?.get("package")?.as_str());
            found.extend(package.map(|package| (in_source(name), in_source(package))));
        }
    }
    found
}

fn read(manifest: &Path) -> Option<Table> {
    fs::read_to_string(manifest).ok()?.parse().ok()
}

/// A package's name as the source has it.
fn in_source(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_are_found_wherever_they_are_written() {
        let root = tempfile::tempdir().expect("a directory");
        let member = root.path().join("member");
        fs::create_dir(&member).expect("it is made");
        let workspace = "[workspace.dependencies]\nshared = { path = \"x\", package = \"of-all\" }";
        fs::write(root.path().join("Cargo.toml"), workspace).expect("it is written");
        let package = "[dependencies]\na-b = { path = \"..\", package = \"c-d\" }\nplain = \"1\"\n\
                       shared.workspace = true\n[target.'cfg(unix)'.dependencies]\n\
                       e = { version = \"1\", package = \"f\" }";
        fs::write(member.join("Cargo.toml"), package).expect("it is written");
        let mut found: Vec<_> = renamed(&member.join("Cargo.toml")).into_iter().collect();
        found.sort();
        let pair = |name: &str, package: &str| (name.to_owned(), package.to_owned());
        assert_eq!(found, [pair("a_b", "c_d"), pair("e", "f"), pair("shared", "of_all")]);
    }
}
