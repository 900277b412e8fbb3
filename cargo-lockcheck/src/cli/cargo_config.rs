//! Cargo's configuration, as far as lockcheck must know it.
//!
//! Cargo has no stable way to print its configuration, so this reads the same sources in the same
//! order: `--config` on the command line, `CARGO_…` variables, `.cargo/config.toml` of the current
//! directory and each one above it, and the one in cargo's home, with the files they `include`.
//! A file that does not parse is skipped here: cargo itself reports it better.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::cargo_args::CargoArgs;

/// The sources of cargo's configuration, the strongest first.
#[derive(Debug, Default)]
pub struct CargoConfig {
    command_line: Vec<Source>,
    files: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    /// What relative paths in it are relative to.
    root: PathBuf,
    table: Table,
}

impl CargoConfig {
    /// The configuration of a call of cargo with `args` in the directory `cwd`.
    pub fn load(args: &CargoArgs, cwd: &Path) -> CargoConfig {
        let mut config = CargoConfig::default();
        for value in args.values("--config") {
            let inline = value.to_str().and_then(|text| text.parse::<Table>().ok());
            match inline {
                Some(table) => config.command_line.push(Source { root: cwd.to_owned(), table }),
                None => read(&cwd.join(value), &mut config.command_line),
            }
        }
        config.command_line.reverse();
        let home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        let directories = cwd.ancestors().map(|directory| directory.join(".cargo"));
        let mut seen = Vec::new();
        for directory in directories.chain(home) {
            if seen.contains(&directory) {
                continue;
            }
            // The name without an extension is the older one; cargo prefers it when both exist.
            let names = ["config", "config.toml"].map(|name| directory.join(name));
            if let Some(path) = names.iter().find(|path| path.is_file()) {
                read(path, &mut config.files);
            }
            seen.push(directory);
        }
        config
    }

    /// A program named by `key` (`build.rustc`), unless the tool's own variable (`RUSTC`) names one.
    pub fn program(&self, variable: &str, key: &str) -> Option<PathBuf> {
        if let Some(named) = env::var_os(variable) {
            return (!named.is_empty()).then(|| PathBuf::from(named));
        }
        let (value, root) = self.get(key)?;
        let name = value.as_str()?;
        match name {
            "" => None,
            _ if name.contains(['/', '\\']) => Some(root.join(name)),
            _ => Some(PathBuf::from(name)),
        }
    }

    /// The values of `key`, which may be a string or a list of strings.
    pub fn strings(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some((Value::String(one), _)) => vec![one],
            Some((Value::Array(list), _)) => {
                list.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether `key` is set to anything but `false`.
    pub fn is_set(&self, key: &str) -> bool {
        self.get(key).is_some_and(|(value, _)| value.as_bool() != Some(false))
    }

    /// The strongest value of `key`, and what a path in it is relative to.
    fn get(&self, key: &str) -> Option<(Value, &Path)> {
        let variable = format!("CARGO_{}", key.replace(['.', '-'], "_").to_uppercase());
        let inherited = || {
            let value = env::var_os(&variable)?;
            Some((Value::String(value.to_str()?.to_owned()), Path::new("")))
        };
        find(&self.command_line, key).or_else(inherited).or_else(|| find(&self.files, key))
    }
}

fn find<'a>(sources: &'a [Source], key: &str) -> Option<(Value, &'a Path)> {
    sources.iter().find_map(|source| {
        let mut keys = key.split('.');
        let first = source.table.get(keys.next()?)?;
        let value = keys.try_fold(first, |value, key| value.get(key))?;
        Some((value.clone(), source.root.as_path()))
    })
}

/// Appends the file, then the files that it includes, which are weaker.
fn read(path: &Path, sources: &mut Vec<Source>) {
    /// Deeper than any sane chain of includes; ends one that includes itself.
    const MOST: usize = 64;
    if sources.len() >= MOST {
        return;
    }
    let Some(table) = fs::read_to_string(path).ok().and_then(|text| text.parse::<Table>().ok())
    else {
        return;
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let root = match directory.file_name() {
        Some(name) if name == OsStr::new(".cargo") => directory.parent().unwrap_or(directory),
        _ => directory,
    };
    let included: Vec<PathBuf> = match table.get("include") {
        Some(Value::String(one)) => vec![directory.join(one)],
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|item| item.as_str().or_else(|| item.get("path")?.as_str()))
            .map(|path| directory.join(path))
            .collect(),
        _ => Vec::new(),
    };
    sources.push(Source { root: root.to_owned(), table });
    for path in included.iter().rev() {
        read(path, sources);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::CargoConfig;
    use crate::cli::cargo_args::CargoArgs;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories are made");
        fs::write(path, text).expect("the file is written");
    }

    fn load(cwd: &Path, words: &[&str]) -> CargoConfig {
        CargoConfig::load(&CargoArgs::new(words.iter().map(Into::into).collect()), cwd)
    }

    #[test]
    fn the_nearest_file_wins_and_paths_are_relative_to_it() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path();
        write(root, ".cargo/config.toml", "build.one = 'tools/one'\nbuild.two = 'plain'");
        write(root, "inner/.cargo/config.toml", "[build]\nthree = ['x', 'y']\ntwo = './two'");
        let config = load(&root.join("inner"), &[]);
        assert_eq!(config.program("UNSET_FOR_TEST", "build.one"), Some(root.join("tools/one")));
        assert_eq!(config.program("UNSET_FOR_TEST", "build.two"), Some(root.join("inner/./two")));
        assert_eq!(config.strings("build.three"), ["x", "y"]);
        let config = load(root, &["--config", "build.two = 'other'"]);
        assert_eq!(config.strings("build.two"), ["other"]);
    }

    #[test]
    fn included_files_count_and_a_cycle_of_them_ends() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path();
        write(root, ".cargo/config.toml", "include = ['a.toml']\n[x]\none = '1'");
        write(root, ".cargo/a.toml", "include = 'config.toml'\n[x]\none = '2'\ntwo = '2'");
        let config = load(root, &[]);
        assert_eq!(config.strings("x.one"), ["1"]);
        assert_eq!(config.strings("x.two"), ["2"]);
    }

    #[test]
    fn a_broken_file_is_left_to_cargo() {
        let root = tempfile::tempdir().expect("a directory");
        write(root.path(), ".cargo/config.toml", "[build");
        assert!(!load(root.path(), &[]).is_set("build.zzz"));
    }
}
