//! The arguments of one call of the compiler, as cargo and the check read and change them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The arguments of one call of `rustc` or `rustdoc`.
#[derive(Clone, Debug)]
pub struct RustcCall {
    words: Vec<String>,
}

impl RustcCall {
    /// Reads arguments, and those that are in files (`@path`), as cargo writes them when there are
    /// too many.
    pub fn read(args: &[OsString]) -> RustcCall {
        let mut words = Vec::with_capacity(args.len());
        for arg in args {
            match arg.to_str().map(|arg| (arg, arg.strip_prefix('@'))) {
                Some((_, Some(path))) => {
                    let text = fs::read_to_string(path).unwrap_or_default();
                    words.extend(text.lines().map(str::to_owned));
                }
                Some((arg, None)) => words.push(arg.to_owned()),
                None => words.push(arg.to_string_lossy().into_owned()),
            }
        }
        RustcCall { words }
    }

    /// The arguments, one by one.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether there is such an option, `--test` or `--cap-lints=allow`.
    pub fn has(&self, option: &str) -> bool {
        self.words.iter().any(|word| is_or_begins(word, option))
    }

    /// The values of an option, `-C x`, `--cfg x` or `--cfg=x`.
    pub fn values<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a str> {
        self.words.iter().enumerate().filter_map(move |(at, word)| {
            match word.strip_prefix(option)? {
                "" => self.words.get(at + 1).map(String::as_str),
                rest => rest.strip_prefix('='),
            }
        })
    }

    /// The first value of an option.
    pub fn value<'a>(&'a self, option: &'a str) -> Option<&'a str> {
        self.values(option).next()
    }

    /// The crate's first source file.
    pub fn root(&self) -> Option<&Path> {
        self.words
            .iter()
            .find(|word| word.ends_with(".rs") && !word.starts_with('-') && !word.contains('='))
            .map(Path::new)
    }

    /// Where the compiler writes what it makes.
    pub fn out(&self) -> PathBuf {
        self.value("--out-dir").map(PathBuf::from).unwrap_or_default()
    }

    /// What cargo appends to the names of the files.
    pub fn suffix(&self) -> &str {
        self.values("-C").find_map(|v| v.strip_prefix("extra-filename=")).unwrap_or_default()
    }

    /// The directories of the libraries that are given by their paths, where they are not searched already.
    /// In them the compiler finds what lies beside such a library and cargo does not know of, as the real
    /// crate under a facade; a cargo that gives each crate a directory of its own names none of them.
    pub fn directories_of_externs(&self) -> BTreeSet<&Path> {
        let searched: BTreeSet<&str> =
            self.values("-L").map(|value| value.trim_start_matches("dependency=")).collect();
        let libraries = self.values("--extern").filter_map(|value| value.split_once('='));
        libraries
            .filter_map(|(_, path)| Path::new(path).parent())
            .filter(|directory| !searched.contains(&*directory.to_string_lossy()))
            .collect()
    }

    /// With another first source file in the place of this one.
    pub fn with_root(&self, root: &Path, new: &Path) -> RustcCall {
        let new = new.display().to_string();
        let or_new =
            |word: &String| if Path::new(word) == root { new.clone() } else { word.clone() };
        RustcCall { words: self.words.iter().map(or_new).collect() }
    }

    /// With another value of an option, or with the option if it is not there.
    pub fn with(mut self, option: &str, new: &str) -> RustcCall {
        let words = &mut self.words;
        let apart = words.iter().position(|word| word == option);
        let joined = words
            .iter()
            .position(|word| word.strip_prefix(option).is_some_and(|rest| rest.starts_with('=')));
        match (apart, joined) {
            (Some(at), _) if at + 1 < words.len() => new.clone_into(&mut words[at + 1]),
            (_, Some(at)) => words[at] = format!("{option}={new}"),
            _ => words.push(format!("{option}={new}")),
        }
        self
    }

    /// Without the crate that is given to it under this name.
    pub fn without_extern(mut self, name: &str) -> RustcCall {
        let begins = |word: &String| word.strip_prefix(name).is_some_and(|w| w.starts_with('='));
        if let Some(at) = self.words.iter().position(begins) {
            self.words.drain(at.saturating_sub(1)..=at);
        }
        self
    }
}

/// An argument of a key and a path, `std=/a/path`.
pub fn keyed(key: &str, path: &Path) -> OsString {
    let mut word = OsString::from(key);
    word.push(path);
    word
}

fn is_or_begins(word: &str, option: &str) -> bool {
    word.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}
