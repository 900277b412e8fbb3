//! Findings that are alike, by rule, locks, files, packages and tests.
//!
//! In all of these `*` stands for any part of a name and `**` for any directories. A pattern that would
//! hide something unseen is read strictly: of tests, all that have shown a finding must fit.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use lockdep::finding::Rule;

use super::model::Finding;
use super::wording::class_name;

/// What findings have in common. What is not said fits any.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    /// The rule.
    pub rule: Option<Rule>,
    /// Locks, each of which must be one of the finding's.
    pub locks: Patterns,
    /// The file that the finding is reported at.
    pub paths: Patterns,
    /// The package that it is in.
    pub crates: Patterns,
    /// The tests that have shown it: one at least, and no other.
    pub tests: Patterns,
}

/// Names, any of which will do.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    texts: Vec<String>,
    any: GlobSet,
}

impl Patterns {
    /// Names with `*` and `**`.
    ///
    /// # Errors
    /// With a sentence, for one that cannot be read.
    pub fn new(texts: &[String]) -> Result<Patterns, String> {
        let mut any = GlobSetBuilder::new();
        for text in texts {
            let glob: Result<Glob, _> = GlobBuilder::new(text).literal_separator(true).build();
            any.add(glob.map_err(|error| error.to_string())?);
        }
        let any = any.build().map_err(|error| error.to_string())?;
        Ok(Patterns { texts: texts.to_vec(), any })
    }

    /// The names, as they are written.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    fn fits(&self, name: Option<&str>) -> bool {
        self.texts.is_empty() || name.is_some_and(|name| self.any.is_match(name))
    }
}

impl Pattern {
    /// Whether nothing is said, so that everything fits.
    pub fn is_empty(&self) -> bool {
        let Pattern { rule, locks, paths, crates, tests } = self;
        rule.is_none() && [locks, paths, crates, tests].iter().all(|names| names.texts.is_empty())
    }

    /// Whether `finding` is one of them.
    pub fn fits(&self, finding: &Finding) -> bool {
        let names: Vec<&str> = finding.locks.iter().map(|lock| class_name(&lock.name)).collect();
        let fitting: Vec<usize> =
            names.iter().flat_map(|name| self.locks.any.matches(name)).collect();
        let has_each_lock = (0..self.locks.texts.len()).all(|lock| fitting.contains(&lock));
        let fits_tests = self.tests.texts.is_empty()
            || !finding.tests.is_empty()
                && finding.tests.iter().all(|test| self.tests.any.is_match(test));
        self.rule.is_none_or(|rule| rule == finding.rule)
            && has_each_lock
            && fits_tests
            && self.paths.fits(finding.at.as_ref().map(|place| place.file.as_str()))
            && self.crates.fits(finding.package.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::{Pattern, Patterns};
    use crate::report::model::{Finding, Lock, Place};

    fn names(texts: &[&str]) -> Patterns {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Patterns::new(&texts).expect("they can be read")
    }

    fn finding() -> Finding {
        let lock = |name: &str| Lock {
            name: name.to_owned(),
            kind: "Mutex".to_owned(),
            ty: String::new(),
            created: Place::default(),
            unwatched: false,
        };
        let mut finding = Finding::new(Rule::LockOrder, Tier::Reachable, "");
        finding.locks = vec![lock("Bank.accounts #1"), lock("Bank.audit")];
        finding.at = Some(Place { file: "src/legacy/a/b.rs".to_owned(), line: 1, column: 1 });
        finding.package = Some("bank-core".to_owned());
        finding.tests = vec!["tests::slow_one".to_owned(), "tests::slow_two".to_owned()];
        finding
    }

    #[test]
    fn all_that_is_said_must_fit() {
        let any = Pattern::default;
        for (pattern, fits) in [
            (any(), true),
            (Pattern { rule: Some(Rule::LockOrder), ..any() }, true),
            (Pattern { rule: Some(Rule::Deadlock), ..any() }, false),
            (Pattern { locks: names(&["Bank.*"]), ..any() }, true),
            (Pattern { locks: names(&["Bank.accounts", "Bank.audit"]), ..any() }, true),
            (Pattern { locks: names(&["Bank.accounts", "Other.lock"]), ..any() }, false),
            (Pattern { paths: names(&["src/legacy/**"]), ..any() }, true),
            (Pattern { paths: names(&["src/*"]), ..any() }, false),
            (Pattern { paths: names(&["src/*", "src/legacy/*/b.rs"]), ..any() }, true),
            (Pattern { crates: names(&["bank-*"]), ..any() }, true),
            (Pattern { crates: names(&["bank"]), ..any() }, false),
            (Pattern { tests: names(&["tests::slow_*"]), ..any() }, true),
            (Pattern { tests: names(&["tests::slow_one"]), ..any() }, false),
            (Pattern { rule: Some(Rule::LockOrder), crates: names(&["x"]), ..any() }, false),
        ] {
            assert_eq!(pattern.fits(&finding()), fits, "{pattern:?}");
        }
    }

    #[test]
    fn what_is_not_known_fits_nothing_that_is_said() {
        let mut finding = finding();
        (finding.at, finding.package, finding.tests) = (None, None, Vec::new());
        for pattern in [
            Pattern { paths: names(&["**"]), ..Pattern::default() },
            Pattern { crates: names(&["*"]), ..Pattern::default() },
            Pattern { tests: names(&["**"]), ..Pattern::default() },
        ] {
            assert!(!pattern.fits(&finding), "{pattern:?}");
        }
    }
}
