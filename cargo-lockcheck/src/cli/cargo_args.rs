//! The arguments that go to cargo, and the few of them that lockcheck must know.

use std::ffi::{OsStr, OsString};

/// Cargo's options whose value is the next word; the word after any other option is not a value.
const WITH_VALUE: &[&str] = &[
    "--package",
    "-p",
    "--exclude",
    "--bin",
    "--example",
    "--test",
    "--bench",
    "--features",
    "-F",
    "--jobs",
    "-j",
    "--profile",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--message-format",
    "--color",
    "--config",
    "-Z",
    "-C",
    "--lockfile-path",
    "--cargo-profile",
    "--build-jobs",
    "--filterset",
    "-E",
    "--partition",
    "--config-file",
    "--tool-config-file",
    "--retries",
    "--test-threads",
];

/// The arguments of one call of cargo, without the name of cargo's subcommand.
#[derive(Clone, Debug, Default)]
pub struct CargoArgs {
    words: Vec<OsString>,
    /// Where cargo's own words end: at a `--`, or at the end.
    own: usize,
}

impl CargoArgs {
    /// Arguments as they were given.
    pub fn new(words: Vec<OsString>) -> CargoArgs {
        let own = words.iter().position(|word| word == "--").unwrap_or(words.len());
        CargoArgs { words, own }
    }

    /// Whether the word after `option` is its value.
    pub fn takes_value(option: &OsStr) -> bool {
        WITH_VALUE.iter().any(|known| option == *known)
    }

    /// All words.
    pub fn words(&self) -> &[OsString] {
        &self.words
    }

    /// Whether this option, which has no value, is among cargo's own.
    pub fn has(&self, option: &str) -> bool {
        self.options().any(|(word, _)| word == option)
    }

    /// The values of an option, in order; both `--name value` and `--name=value` (`-Zvalue` for a
    /// short one).
    pub fn values<'a>(&'a self, option: &str) -> impl Iterator<Item = &'a OsStr> {
        self.options().filter_map(move |(word, next)| value(option, word, next))
    }

    /// The last value of an option.
    pub fn value(&self, option: &str) -> Option<&OsStr> {
        self.values(option).last()
    }

    /// The arguments without an option and its values.
    #[must_use]
    pub fn without(&self, option: &str) -> CargoArgs {
        let mut words = Vec::with_capacity(self.words.len());
        for (word, next) in self.options() {
            if value(option, word, next).is_none() {
                words.push(word.to_owned());
                words.extend(next.map(OsStr::to_owned));
            }
        }
        words.extend_from_slice(&self.words[self.own..]);
        CargoArgs::new(words)
    }

    /// The arguments without those of the program.
    #[must_use]
    pub fn before_program(&self) -> CargoArgs {
        CargoArgs::new(self.words[..self.own].to_vec())
    }

    /// The options that come before the first word that is none, which is where `cargo run` has the
    /// program's arguments begin.
    #[must_use]
    pub fn before_first_free_word(&self) -> CargoArgs {
        let is_option = |word: &OsStr| word.as_encoded_bytes().starts_with(b"-");
        let options = self.options().take_while(|(word, _)| is_option(word));
        let words = options.flat_map(|(word, next)| [Some(word), next]).flatten();
        CargoArgs::new(words.map(OsStr::to_owned).collect())
    }

    /// Cargo's own words, each with its value when that is a word of its own.
    fn options(&self) -> impl Iterator<Item = (&OsStr, Option<&OsStr>)> {
        let mut words = self.words[..self.own].iter();
        std::iter::from_fn(move || {
            let word = words.next()?;
            let next = CargoArgs::takes_value(word).then(|| words.next()).flatten();
            Some((word.as_os_str(), next.map(OsString::as_os_str)))
        })
    }
}

/// The value of `option` in `word` and `next`, if they are that option.
fn value<'a>(option: &str, word: &'a OsStr, next: Option<&'a OsStr>) -> Option<&'a OsStr> {
    if word == option {
        return next;
    }
    let attached = word.to_str()?.strip_prefix(option)?;
    let attached = if option.starts_with("--") { attached.strip_prefix('=')? } else { attached };
    Some(OsStr::new(attached))
}

#[cfg(test)]
mod tests {
    use super::CargoArgs;

    fn args(line: &str) -> CargoArgs {
        CargoArgs::new(line.split(' ').map(Into::into).collect())
    }

    #[test]
    fn values_are_found_in_both_forms() {
        let args = args("--target a -p --target --target=b -Zone -Z two filter -- --target c");
        assert_eq!(args.values("--target").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(args.values("-Z").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(args.value("--manifest-path"), None);
    }

    #[test]
    fn flags_are_cargos_own_only() {
        assert!(args("-p x --locked").has("--locked"));
        assert!(!args("-p --locked -- --locked").has("--locked"));
    }

    #[test]
    fn an_option_is_removed_with_its_value() {
        let left =
            args("-p x --target-dir d --target-dir=e y -- --target-dir f").without("--target-dir");
        assert_eq!(left.words().join(" ".as_ref()), "-p x y -- --target-dir f");
    }
}
