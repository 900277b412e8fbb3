//! Which package a finding is in, and which tests have shown it.
//!
//! Both are read from the places and stacks that the finding names. A thread that a test has made
//! through code of the program, and whose stacks do not lead back into the test, tells no test.

use std::collections::{BTreeSet, HashMap};

use super::graph::OrderGraph;
use super::model::{Finding, Place};
use super::naming::Syntax;
use super::sources::Sources;

/// A package of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its directory, relative to the root of the workspace, with `/` between parts; empty for the root
    /// itself, and beginning with `..` for a package outside of it.
    pub directory: String,
}

/// Fills in where each finding belongs.
pub fn settle(
    findings: &mut [Finding],
    members: &[Member],
    sources: &Sources,
    syntax: &Syntax<'_>,
) {
    let mut tests: HashMap<Place, Option<String>> = HashMap::new();
    for finding in findings {
        finding.at = first_own(finding, sources).cloned();
        let place = finding.at.as_ref().or_else(|| finding.place());
        finding.package = place.and_then(|place| package_of(&place.file, members));
        let frames = finding.frames().filter_map(Place::of_frame);
        let places: BTreeSet<Place> = frames.chain(finding.places().cloned()).collect();
        let shown = places.into_iter().filter_map(|place| {
            let known = tests.entry(place);
            let known = known.or_insert_with_key(|place| syntax.test_around(place));
            known.clone()
        });
        let shown: BTreeSet<String> = shown.collect();
        finding.tests = shown.into_iter().collect();
    }
}

/// Fills in where each lock of the order graph is created.
pub fn settle_graph(graph: &mut OrderGraph, members: &[Member]) {
    for lock in &mut graph.locks {
        lock.package = lock.created.as_ref().and_then(|created| package_of(&created.file, members));
    }
}

/// The first of a finding's places that is in a file of the workspace's own; the one to go to first
/// comes before all others.
fn first_own<'f>(finding: &'f Finding, sources: &Sources) -> Option<&'f Place> {
    let mut all = finding.place().into_iter().chain(finding.places());
    all.find(|place| sources.is_own(&place.file))
}

/// The package that a file of a report is in.
fn package_of(file: &str, members: &[Member]) -> Option<String> {
    let is_in = |member: &&Member| match member.directory.as_str() {
        "" => !file.starts_with("../"),
        directory => file.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')),
    };
    let member = members.iter().filter(is_in).max_by_key(|member| member.directory.len());
    let dependency = || {
        // `crate-1.2.3/src/lib.rs`
        let (top, _) = file.split_once('/')?;
        let version = top.rmatch_indices('-').map(|(at, _)| at).find(|at| {
            top[at + 1..].starts_with(|digit: char| digit.is_ascii_digit())
                && top[*at..].contains('.')
        })?;
        Some(top[..version].to_owned())
    };
    dependency().or_else(|| member.map(|member| member.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::{Member, package_of};

    #[test]
    fn the_innermost_member_has_the_file() {
        let member =
            |name: &str, directory: &str| Member { name: name.into(), directory: directory.into() };
        let members =
            [member("root", ""), member("core", "crates/core"), member("beside", "../beside")];
        for (file, package) in [
            ("src/lib.rs", Some("root")),
            ("crates/core/src/lib.rs", Some("core")),
            ("crates/core-more/src/lib.rs", Some("root")),
            ("../beside/src/lib.rs", Some("beside")),
            ("../other/src/lib.rs", None),
            ("tokio-1.40.0/src/lib.rs", Some("tokio")),
            ("serde-json-1.0.0-rc.1/src/lib.rs", Some("serde-json")),
        ] {
            assert_eq!(package_of(file, &members).as_deref(), package, "{file}");
        }
    }
}
