//! A command of cargo's that a check has run, kept so that it can be run again: all of it, or its tests of
//! some names alone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::args::{self, CargoCommand};
use super::cargo_args::CargoArgs;
use super::failure::Failure;

/// The file within the directory of a run.
const NAME: &str = "command.json";

/// Options of test programs whose value is the next word.
const WITH_VALUE: &[&str] =
    &["--test-threads", "--skip", "--format", "--color", "--logfile", "--shuffle-seed", "-Z"];

/// A subcommand of cargo's that runs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is cargo's of that name")]
pub enum Verb {
    Test,
    Run,
    Bench,
    Nextest,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// What cargo was to do.
    pub verb: Verb,
    /// The words that were meant for cargo and the program.
    pub words: Vec<String>,
    /// Where it was started.
    pub directory: PathBuf,
}

impl Invocation {
    /// The invocation by these words; `None` where they are not all text, or nothing is run.
    pub fn of(verb: &str, given: &CargoArgs, directory: &Path) -> Option<Invocation> {
        let verb = match verb {
            "test" => Verb::Test,
            "run" => Verb::Run,
            "bench" => Verb::Bench,
            "nextest" => Verb::Nextest,
            _ => return None,
        };
        let word = |word: &OsString| word.to_str().map(str::to_owned);
        let words = given.words().iter().map(word).collect::<Option<Vec<String>>>()?;
        Some(Invocation { verb, words, directory: directory.to_owned() })
    }

    /// Keeps it in the directory of its run.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn keep(&self, run: &Path) -> io::Result<()> {
        fs::write(run.join(NAME), serde_json::to_string(self)?)
    }

    /// That of the run in this directory.
    ///
    /// # Errors
    /// When it was not kept.
    pub fn kept(run: &Path) -> Result<Invocation, Failure> {
        let text = fs::read(run.join(NAME)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(|| {
            Failure::new(
                format!("how the run in `{}` was started is not known", run.display()),
                "Run `cargo lockcheck test` first, here and with this version.",
            )
        })
    }

    /// Says as much as these words of cargo's ask for, and in such colours.
    pub fn said_as(&mut self, words: &[OsString]) {
        let given = CargoArgs::new(words.to_vec());
        let flags = ["--quiet", "--verbose"].into_iter().filter(|flag| given.has(flag));
        let mut said: Vec<String> = flags.map(str::to_owned).collect();
        let color = given.value("--color").and_then(|when| when.to_str());
        said.extend(color.into_iter().flat_map(|when| ["--color".to_owned(), when.to_owned()]));
        let own = self.words.iter().position(|word| word == "--").unwrap_or(self.words.len());
        let of_program = self.words.split_off(own);
        self.words.retain(|word| !["-q", "--quiet", "-v", "-vv", "--verbose"].contains(&&**word));
        let at = usize::from(self.verb == Verb::Nextest && !self.words.is_empty());
        self.words.splice(at..at, said);
        self.words.extend(of_program);
    }

    /// The same for these tests alone, each by a part of its name; all of it where none is named.
    #[must_use]
    pub fn narrowed(&self, tests: &[String]) -> Invocation {
        if tests.is_empty() || self.verb == Verb::Run {
            return self.clone();
        }
        let mut words = self.words.iter();
        let own: Vec<String> = words.by_ref().take_while(|word| *word != "--").cloned().collect();
        let takes_value = |word: &str| CargoArgs::takes_value(word.as_ref());
        let (mut kept, free) = options(own.iter(), takes_value);
        // nextest's own subcommand.
        kept.splice(0..0, free.into_iter().take(usize::from(self.verb == Verb::Nextest)));
        kept.push("--".to_owned());
        let (of_program, _) = options(words, |word| WITH_VALUE.contains(&word));
        // The names are of a file's own modules, and there may be more around them.
        kept.extend(of_program.into_iter().filter(|word| word != "--exact"));
        kept.extend(tests.iter().cloned());
        Invocation { words: kept, ..self.clone() }
    }

    /// As a command of this program.
    pub fn command(&self) -> args::Command {
        let cargo = CargoCommand { cargo: self.words.iter().map(OsString::from).collect() };
        match self.verb {
            Verb::Test => args::Command::Test(cargo),
            Verb::Run => args::Command::Run(cargo),
            Verb::Bench => args::Command::Bench(cargo),
            Verb::Nextest => args::Command::Nextest(cargo),
        }
    }
}

/// The options among `words`, each with its value, and the other words.
fn options<'w>(
    mut words: impl Iterator<Item = &'w String>,
    takes_value: impl Fn(&str) -> bool,
) -> (Vec<String>, Vec<String>) {
    let (mut options, mut free) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            free.push(word.clone());
            continue;
        }
        options.push(word.clone());
        if takes_value(word) {
            options.extend(words.next().cloned());
        }
    }
    (options, free)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Invocation;
    use crate::cli::cargo_args::CargoArgs;

    fn invocation(verb: &str, line: &str) -> Invocation {
        let words = line.split_whitespace().map(Into::into).collect();
        Invocation::of(verb, &CargoArgs::new(words), Path::new("/")).expect("it is one")
    }

    #[test]
    fn the_tests_that_are_asked_for_take_the_place_of_others() {
        for (verb, given, narrowed) in [
            ("test", "-p a --lib name -- --nocapture other", "-p a --lib -- --nocapture tests::t"),
            ("test", "", "-- tests::t"),
            ("test", "-- --exact a::b --skip c", "-- --skip c tests::t"),
            ("nextest", "run -p a name", "run -p a -- tests::t"),
            ("run", "--bin a -- name", "--bin a -- name"),
        ] {
            let again = invocation(verb, given).narrowed(&["tests::t".to_owned()]);
            assert_eq!(again.words.join(" "), narrowed, "{verb} {given}");
        }
        let given = "-p a name -- --exact other";
        assert_eq!(invocation("test", given).narrowed(&[]).words.join(" "), given);
    }

    #[test]
    fn how_much_is_said_is_asked_for_anew() {
        for (verb, given, said, again) in [
            ("test", "-q -p a -- -q", "--verbose", "--verbose -p a -- -q"),
            ("run", "--bin a", "--quiet --color never", "--quiet --color never --bin a"),
            ("nextest", "run -v", "--quiet", "run --quiet"),
        ] {
            let said: Vec<_> = said.split_whitespace().map(Into::into).collect();
            let mut invocation = invocation(verb, given);
            invocation.said_as(&said);
            assert_eq!(invocation.words.join(" "), again);
        }
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let run = tempfile::tempdir().expect("a directory");
        assert!(Invocation::kept(run.path()).is_err());
        let kept = invocation("test", "-p a");
        kept.keep(run.path()).expect("it can be written");
        assert_eq!(Invocation::kept(run.path()).expect("it is there"), kept);
    }
}
