//! The rules: what of an analysed program is reported, and in which words.

mod asynchronous;
mod channels;
mod condvars;
mod foreign;
mod init;
mod order;
mod relock;
mod report;
mod spins;

use std::collections::HashMap;

use super::analysis::Analyzed;
use crate::model::Finding;

/// All findings of a program, each once.
pub(super) fn check(analyzed: &Analyzed<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    relock::check(analyzed, &mut findings);
    order::check(analyzed, &mut findings);
    foreign::check(analyzed, &mut findings);
    asynchronous::check(analyzed, &mut findings);
    condvars::check(analyzed, &mut findings);
    channels::check(analyzed, &mut findings);
    init::check(analyzed, &mut findings);
    spins::check(analyzed, &mut findings);
    once(findings)
}

/// One finding for each rule and pair of places; the same code may be in several targets.
fn once(findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen = HashMap::new();
    let mut result: Vec<Finding> = Vec::new();
    for finding in findings {
        let edges = finding.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]);
        let sites = finding.sites.iter().map(|site| &site.place);
        let mut places: Vec<_> =
            edges.chain(sites).map(|place| (place.file.clone(), place.line)).collect();
        places.dedup();
        let names: Vec<_> = finding.locks.iter().map(|lock| lock.name.clone()).collect();
        if seen.insert((finding.rule, names, places), ()).is_none() {
            result.push(finding);
        }
    }
    result
}
