//! The names that a package gives to the crates it depends on.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

const KINDS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// The crates that a package calls by other names than their own, by those names. A package that is
/// not in a directory beside it is taken to have a library of its name.
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
                    found.insert(in_source(name), library(manifest, dependency, package));
                }
                None if dependency.get("workspace").is_some() => inherited.push(name),
                None => {}
            }
        }
    }
    if !inherited.is_empty() {
        let around = manifest.ancestors().skip(1).map(|at| at.join("Cargo.toml"));
        let mut around = around.filter_map(|at| Some((read(&at)?, at)));
        let workspace = around.find(|(table, _)| table.contains_key("workspace"));
        for name in inherited {
            let shared = workspace.as_ref().and_then(|(table, at)| {
                let dependency = table["workspace"].get("dependencies")?.get(name)?;
                let package = dependency.get("package")?.as_str()?;
                Some((in_source(name), library(at, dependency, package)))
            });
            found.extend(shared);
        }
    }
    found
}

/// The name of the library of a package that a manifest depends on.
fn library(manifest: &Path, dependency: &Value, package: &str) -> String {
    let named = || {
        let path = dependency.get("path")?.as_str()?;
        let table = read(&manifest.parent()?.join(path).join("Cargo.toml"))?;
        Some(in_source(table.get("lib")?.get("name")?.as_str()?))
    };
    named().unwrap_or_else(|| in_source(package))
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
        let other = root.path().join("other");
        fs::create_dir(&other).expect("it is made");
        let library = "[package]\nname = \"c-d\"\n[lib]\nname = \"own-name\"";
        fs::write(other.join("Cargo.toml"), library).expect("it is written");
        let workspace = "[workspace.dependencies]\nshared = { path = \"x\", package = \"of-all\" }";
        fs::write(root.path().join("Cargo.toml"), workspace).expect("it is written");
        let package = "[dependencies]\na-b = { path = \"../other\", package = \"c-d\" }\nplain = \"1\"\n\
                       shared.workspace = true\n[target.'cfg(unix)'.dependencies]\n\
                       e = { version = \"1\", package = \"f\" }";
        fs::write(member.join("Cargo.toml"), package).expect("it is written");
        let mut found: Vec<_> = renamed(&member.join("Cargo.toml")).into_iter().collect();
        found.sort();
        let pair = |name: &str, package: &str| (name.to_owned(), package.to_owned());
        assert_eq!(found, [pair("a_b", "own_name"), pair("e", "f"), pair("shared", "of_all")]);
    }
}
