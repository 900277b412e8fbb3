//! Which packages of a program bring ways to wait that the runtime does not see.
//!
//! What it misses: locks that a package builds from atomics or system calls, and is not known for.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::crate_patches::{AS_IT_IS, REWRITTEN, has_facade};
use crate::cli::packages::Package;
use crate::report::model::{Unwatched, WhyUnwatched};

/// Packages with locks of their own: the feature that brings them, if it takes one, and of what kind they
/// are. Those that build on the locks or the parking of the standard library are not among them.
const KNOWN: &[(&str, Option<&str>, WhyUnwatched)] = &[
    ("tokio", Some("sync"), WhyUnwatched::AsyncLocks),
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

/// What of the program made of these packages is not watched. `build` is the directory that cargo has built
/// it in.
pub fn unwatched(packages: &[Package], build: &Path) -> Vec<Unwatched> {
    let mut found: Vec<Unwatched> = packages.iter().filter_map(of_package).collect();
    for tokio in found.iter_mut().filter(|found| found.package == "tokio") {
        if has_beside("tokio", REWRITTEN, build) {
            tokio.why = WhyUnwatched::AsyncWaits;
        }
    }
    let parking_lot = |package: &&Package| package.name == "parking_lot";
    let mut versions = packages.iter().filter(parking_lot).map(|package| &*package.version);
    if versions.any(|version| !has_facade(version)) || has_beside("parking_lot", AS_IT_IS, build) {
        let package = "parking_lot".to_owned();
        found.push(Unwatched { package, why: WhyUnwatched::OwnLocks });
    }
    found.sort_by(|a, b| (a.why, &a.package).cmp(&(b.why, &b.package)));
    found.dedup();
    found
}

/// Whether a file that ends so lies beside the library of this name.
fn has_beside(name: &str, ending: &str, build: &Path) -> bool {
    // Below the target and the profile, in `deps`, or in a directory of the package.
    let may_lead_there = |entry: &DirEntry| {
        !matches!(entry.file_name().to_str(), Some("incremental" | ".fingerprint" | "examples"))
    };
    let mut entries = WalkDir::new(build)
        .min_depth(4)
        .max_depth(7)
        .into_iter()
        .filter_entry(may_lead_there)
        .flatten();
    entries.any(|entry| {
        let file = entry.file_name().to_string_lossy();
        file.starts_with(&format!("{name}-")) && file.ends_with(ending)
    })
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
    use std::fs;

    use super::unwatched;
    use crate::cli::packages::Package;
    use crate::report::model::WhyUnwatched;

    #[test]
    fn packages_are_known_by_name_and_feature_or_by_their_code() {
        let package = |name: &str, feature: &str, has_foreign_code| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
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
        let build = tempfile::tempdir().expect("a directory");
        let found = unwatched(&packages, build.path());
        let found: Vec<_> = found.iter().map(|found| (&*found.package, found.why)).collect();
        let expected = [
            ("tokio", WhyUnwatched::AsyncLocks),
            ("spin", WhyUnwatched::OwnLocks),
            ("z-sys", WhyUnwatched::ForeignCode),
        ];
        assert_eq!(found, expected);

        let sources = build.path().join("x86_64-unknown-linux-gnu/debug/deps/tokio-1.lockcheck");
        fs::create_dir_all(sources).expect("it can be made");
        let found = unwatched(&packages, build.path());
        assert_eq!((&*found[0].package, found[0].why), ("tokio", WhyUnwatched::AsyncWaits));
    }
}
