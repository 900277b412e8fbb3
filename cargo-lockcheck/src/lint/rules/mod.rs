//! The rules: what of an analysed program is reported, and in which words.

mod asynchronous;
mod both_ways;
mod channels;
mod condvars;
mod declared;
mod foreign;
mod futurelock;
mod handles;
mod init;
mod kept;
mod one_object;
mod order;
mod polled;
mod relock;
mod report;
mod retries;
mod ring;
mod self_send;
mod spins;
mod suggest;
mod tasks;
mod wakers;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use lockdep::finding::Rule;

use crate::lint::effects::analyzed::Analyzed;
use crate::lint::order::declarations::Declared;
use crate::lint::order::exclusion::Exclusion;
use crate::lint::order::{edges, in_force};
use crate::report::model::{Finding, SourceOrder};

/// What the rules say of a program.
pub(crate) struct Checked {
    /// All findings, each once.
    pub(crate) findings: Vec<Finding>,
    /// The orders of locks that it shows.
    pub(crate) orders: Vec<SourceOrder>,
    /// Sentences on declared orders that no run checks.
    pub(crate) not_in_force: Vec<String>,
}

/// Applies all rules to a program.
pub(crate) fn check(analyzed: &Analyzed<'_, '_>, order: &[Vec<String>]) -> Checked {
    let (mut checked, others) = rayon::join(
        || {
            let mut findings = Vec::new();
            relock::check(analyzed, &mut findings);
            both_ways::check(analyzed, &mut findings);
            kept::check(analyzed, &mut findings);
            ring::check(analyzed, &mut findings);
            let graph = edges::graph(analyzed);
            let exclusion = Exclusion::new(analyzed);
            let declared = Declared::of(analyzed.program, order);
            let against = declared::check(analyzed, &exclusion, &graph, &declared, &mut findings);
            order::check(analyzed, &exclusion, &graph, &against, &mut findings);
            let not_in_force = in_force::missing(analyzed, &graph, &declared);
            Checked { findings, orders: edges::shown(analyzed, &graph), not_in_force }
        },
        || {
            let mut findings = Vec::new();
            foreign::check(analyzed, &mut findings);
            asynchronous::check(analyzed, &mut findings);
            futurelock::check(analyzed, &mut findings);
            condvars::check(analyzed, &mut findings);
            channels::check(analyzed, &mut findings);
            polled::check(analyzed, &mut findings);
            self_send::check(analyzed, &mut findings);
            init::check(analyzed, &mut findings);
            spins::check(analyzed, &mut findings);
            retries::check(analyzed, &mut findings);
            findings
        },
    );
    checked.findings.extend(others);
    Checked { findings: once(checked.findings), ..checked }
}

/// One finding for each rule and set of places; the same code may be in several targets. What many
/// callers reach in the same way is one finding with a count.
fn once(findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen: HashMap<_, usize> = HashMap::new();
    let mut result: Vec<Finding> = Vec::new();
    for finding in findings {
        let edges = finding.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]);
        let sites = finding.sites.iter().map(|site| &site.place);
        let mut places: Vec<_> =
            edges.chain(sites).map(|place| (place.file.clone(), place.line)).collect();
        places.dedup();
        if matches!(finding.rule, Rule::GuardAcrossBlocking | Rule::DropUnderLock)
            && places.len() > 2
        {
            // The end alone: the ways to it differ only in their callers.
            places.drain(..places.len() - 1);
        }
        let names: Vec<_> = finding.locks.iter().map(|lock| lock.name.clone()).collect();
        match seen.entry((finding.rule, names, places)) {
            Entry::Occupied(known) => {
                let known: &mut Finding = &mut result[*known.get()];
                let is_elsewhere = known.message != finding.message;
                known.count += u64::from(is_elsewhere);
            }
            Entry::Vacant(entry) => {
                entry.insert(result.len());
                result.push(finding);
            }
        }
    }
    result
}
