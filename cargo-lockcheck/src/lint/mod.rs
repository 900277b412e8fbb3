//! The lint: deadlocks in the source, through the compiler's MIR, for code that no test runs.
//!
//! Precision comes first: where the receiver of a lock cannot be resolved, nothing is said.
//! ARCHITECTURE.md has a table of where each decision is made that a finding depends on.

// What several stages ask of graphs.
mod graphs;

// The compiler's text as bodies, blocks, statements and types.
mod mir;

// The source that the text refers to.
mod source;

// What is known of functions that are not in the program.
mod apis;

// The bodies of all targets, which body a call means, and who calls whom.
mod program;

// Cargo and the compiler, and the reading of what they write.
pub mod compile;

// What a caller must know of a body.
mod summary;

// One body: objects, control, guards.
mod dataflow;

// What each body does to locks, callees before callers.
mod effects;

// The order graph, declared orders, and what excludes that two threads meet.
mod order;

// Which acquisitions have a lock with a name.
pub mod coverage;

// What is wrong, in words.
mod rules;

// Messages for editors.
pub mod output;

use std::collections::{BTreeSet, HashMap};
use std::mem::ManuallyDrop;
use std::path::Path;

use program::Part;

use crate::cli::user_config;
use crate::lint::effects::analyzed::Analyzed;
use crate::report::model::{Coverage, Evidence, Finding, Place, SourceOrder};
use crate::report::naming::{self, Syntax};
use crate::report::sources::Sources;
use compile::{Checked, Compiled};
use coverage::NamedLocks;

/// What the lint found.
#[derive(Debug, Default)]
pub struct Linted {
    /// The findings, without levels.
    pub findings: Vec<Finding>,
    /// Sentences on names in `lockcheck.toml` that are no lock's.
    pub unknown_names: Vec<String>,
    /// Sentences on declared orders that no run checks.
    pub not_in_force: Vec<String>,
    /// The files of the source, by their names in reports.
    pub files: BTreeSet<String>,
    /// The orders of locks that the source shows, each with one place.
    pub orders: Vec<SourceOrder>,
    /// How much was looked at.
    pub coverage: Coverage,
    /// Which acquisitions have a lock with a name.
    pub named_locks: NamedLocks,
    /// Sentences on what limits this check.
    pub notes: Vec<String>,
}

/// Lints what cargo has checked.
pub fn run(compiled: &Compiled, workspace: &Path, config: &user_config::Lint) -> Linted {
    let parts = compiled.reader.finish(chosen(&compiled.targets));
    lint(parts, workspace, config)
}

/// A library is compiled on its own and as its own test; the test has all of it and more.
fn chosen(targets: &[Checked]) -> Vec<&Checked> {
    let mut by_source: HashMap<&Path, &Checked> = HashMap::new();
    for target in targets {
        let best = by_source.entry(&target.source).or_insert(target);
        if target.is_test && !best.is_test {
            *best = target;
        }
    }
    let mut chosen: Vec<&Checked> = by_source.into_values().collect();
    chosen.sort_by(|a, b| (&a.source, &a.name).cmp(&(&b.source, &b.name)));
    chosen
}

/// Lints the compiled targets of a workspace.
fn lint(parts: Vec<Part<'_>>, workspace: &Path, config: &user_config::Lint) -> Linted {
    // The process ends soon, and to take all of it apart would take longer than the rules.
    let program = ManuallyDrop::new(program::Program::new(parts, config));
    let analyzed = ManuallyDrop::new(Analyzed::new(&program));
    let rules::Checked { mut findings, orders, not_in_force } =
        rules::check(&analyzed, &config.order);
    let named_locks = NamedLocks::of(&analyzed);
    let unknown_names = order::names::unknown(&analyzed, &config.order);
    let sources = Sources::of_workspace(workspace);
    let syntax = Syntax::new(&sources);
    syntax.look_around(findings.iter().flat_map(all_places).cloned());
    for finding in &mut findings {
        let keys: Vec<String> =
            (0..finding.locks.len()).map(|at| key(finding, at, &syntax)).collect();
        naming::identify(finding, &keys, &syntax);
        finding.evidence = vec![Evidence::Source];
    }
    naming::number_namesakes(&mut findings);
    let texts = program.units.iter().flat_map(|unit| unit.sources.texts());
    let files = texts.map(|(name, _)| name).collect();
    let coverage = Coverage {
        functions_analyzed: program.functions.len() as u64,
        functions_skipped: program.skipped,
        ..Coverage::default()
    };
    Linted {
        findings,
        unknown_names,
        not_in_force,
        files,
        orders,
        coverage,
        named_locks,
        notes: Vec::new(),
    }
}

/// All places that a finding or its locks are known by.
fn all_places(finding: &Finding) -> impl Iterator<Item = &Place> {
    finding.places().chain(finding.locks.iter().map(|lock| &lock.created))
}

/// What a lock of `finding` is known by: a variable by the function, a static by the file, that the
/// finding sees it in.
fn key(finding: &Finding, at: usize, syntax: &Syntax<'_>) -> String {
    let lock = &finding.locks[at];
    let used = || {
        let edges = finding.edges.iter();
        let ends = edges.flat_map(|edge| [(edge.from, &edge.from_site), (edge.to, &edge.to_site)]);
        let own = ends.filter(|(lock, _)| *lock == at).map(|(_, place)| place).next();
        own.or_else(|| finding.places().next())
    };
    let declared = Some(&lock.created).filter(|place| !place.file.is_empty());
    match declared.or_else(used) {
        // A static, used in a function that says nothing about where it is.
        Some(place) if declared.is_none() && lock.name.starts_with(char::is_uppercase) => {
            format!("{}::{}", place.file, lock.name)
        }
        Some(place) => syntax.key(&lock.name, place),
        None => lock.name.clone(),
    }
}

/// What the fuzz targets reach of the lint, in their builds (`cfg(fuzzing)`) alone: the compiler's
/// text as it is read and analysed.
#[cfg(fuzzing)]
pub mod fuzzing {
    use std::collections::HashMap;
    use std::path::{Path, PathBuf};

    use super::program::{Part, Target};
    use super::{Linted, lint, mir, user_config};

    /// What was read of the compiler's text.
    #[derive(Debug, PartialEq, Eq)]
    pub struct Read {
        /// The names of the bodies, in their order.
        pub bodies: Vec<String>,
        /// How many bodies could not be read.
        pub skipped: u64,
    }

    /// Reads the MIR of a crate.
    pub fn mir(text: &str) -> Read {
        let read = mir::parse(text);
        let bodies = read.bodies.iter().map(|body| body.name.to_owned()).collect();
        Read { bodies, skipped: read.skipped }
    }

    /// Lints the MIR of a crate of which there is no source.
    pub fn linted(text: &str, told: &user_config::Lint) -> Linted {
        let root = PathBuf::from("/nowhere");
        let mir = mir::parse(text);
        let (files, renamed) = (Vec::new(), HashMap::new());
        let (prefix, is_library) = ("fuzzed".to_owned(), true);
        let target = Target { prefix, is_library, root, files, mir, renamed };
        lint(vec![Part::new(target)], Path::new("/nowhere"), told)
    }
}

#[cfg(test)]
mod tests;
