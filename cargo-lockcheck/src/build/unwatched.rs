//! Which packages of a program bring ways to wait that the runtime does not see.
//!
//! What it misses: locks that a package builds from atomics or system calls, and is not known for.

use crate::cli::packages::Package;
use crate::report::model::{Unwatched, WhyUnwatched};

/// Packages with locks of their own: the feature that brings them, if it takes one, and of what kind they
/// are. Those that build on the locks or the parking of the standard library are not among them.
const KNOWN: &[(&str, Option<&str>, WhyUnwatched)] = &[
    // Who has it trace has the feature for that; its locks are watched otherwise.
    ("tokio", Some("tracing"), WhyUnwatched::AsyncLocks),
    ("tokio", Some("sync"), WhyUnwatched::AsyncWaits),
    ("async-lock", None, WhyUnwatched::AsyncLocks),
    ("async-std", None, WhyUnwatched::AsyncLocks),
    ("async-channel", None, WhyUnwatched::AsyncLocks),
    ("futures-intrusive", None, WhyUnwatched::AsyncLocks),
    ("futures-util", Some("sink"), WhyUnwatched::AsyncLocks),
    ("smol", None, WhyUnwatched::AsyncLocks),
    ("tokio-util", None, WhyUnwatched::AsyncLocks),
    ("dashmap", None, WhyUnwatched::OwnLocks),
    ("scc", None, WhyUnwatched::OwnLocks),
    ("spin", None, WhyUnwatched::OwnLocks),
    ("spinning_top", None, WhyUnwatched::OwnLocks),
    ("kanal", None, WhyUnwatched::OwnLocks),
    ("usync", None, WhyUnwatched::OwnLocks),
    ("once_cell", Some("std"), WhyUnwatched::OwnLocks),
];

/// What of the program made of these packages is not watched.
pub fn unwatched(packages: &[Package]) -> Vec<Unwatched> {
    let mut found: Vec<Unwatched> = packages.iter().filter_map(of_package).collect();
    found.sort_by(|a, b| (a.why, &a.package).cmp(&(b.why, &b.package)));
    found.dedup();
    found
}

fn of_package(package: &Package) -> Option<Unwatched> {
    let has = |feature: &str| package.features.iter().any(|known| known == feature);
    let is_it = |(name, feature, _): &&(&str, Option<&str>, WhyUnwatched)| {
        *name == package.name && feature.is_none_or(has)
    };
    let known = KNOWN.iter().find(is_it).map(|(.., why)| *why);
    let why = known.or(package.has_foreign_code.then_some(WhyUnwatched::ForeignCode))?;
    Some(Unwatched { package: package.name.clone(), why })
}

#[cfg(test)]
mod tests {
    use super::unwatched;
    use crate::cli::packages::Package;
    use crate::report::model::WhyUnwatched;

    #[test]
    fn packages_are_known_by_name_and_feature_or_by_their_code() {
        let package = |name: &str, feature: &str, has_foreign_code| Package {
            name: name.to_owned(),
            features: vec![feature.to_owned()],
            has_foreign_code,
        };
        let packages = [
            package("tokio", "rt", false),
            package("tokio", "sync", false),
            package("z-sys", "", true),
            package("spin", "", false),
            package("serde", "", false),
        ];
        let found = unwatched(&packages);
        let found: Vec<_> = found.iter().map(|found| (&*found.package, found.why)).collect();
        let expected = [
            ("tokio", WhyUnwatched::AsyncWaits),
            ("spin", WhyUnwatched::OwnLocks),
            ("z-sys", WhyUnwatched::ForeignCode),
        ];
        assert_eq!(found, expected);
    }
}
