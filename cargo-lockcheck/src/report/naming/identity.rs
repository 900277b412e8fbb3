//! What a finding is known by, in every run, on every machine, and whatever else is reported.
//!
//! A finding about a cycle is the cycle of its locks, for which of the functions that take them are
//! seen first is chance. A finding about one lock, or none, is the lock and the function. Two that
//! are the same by this are numbered, in the order of their places in the source.

use std::collections::{BTreeSet, HashMap};

use lockdep::finding::Rule;

use super::Syntax;
use crate::report::model::{Finding, Place, can_happen};

/// Gives `finding` its id; `keys` are what its locks are known by.
pub fn identify(finding: &mut Finding, keys: &[String], syntax: &Syntax<'_>) {
    let edges = &finding.edges;
    let mut parts: Vec<String> = if finding.rule == Rule::LockOrder && !edges.is_empty() {
        edges.iter().map(|edge| keys[edge.from].clone()).collect()
    } else {
        keys.to_vec()
    };
    if finding.rule == Rule::SameClassNesting {
        // They are of one class, however many of them were seen.
        parts.dedup();
    }
    if parts.is_empty() || !is_a_cycle(finding.rule) {
        let asked = edges.iter().map(|edge| &edge.to_site);
        let sites = finding.sites.iter().map(|site| &site.place);
        let waits = finding.waits.iter().map(|wait| &wait.site);
        let places: BTreeSet<String> =
            asked.chain(sites).chain(waits).map(|place| syntax.path(place)).collect();
        parts.extend(places);
    }
    finding.id = id(finding.rule, &parts);
}

/// Whether its locks alone make it: those of other rules can go wrong at one place and be used
/// rightly at another.
fn is_a_cycle(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Deadlock
            | Rule::LockOrder
            | Rule::SameClassNesting
            | Rule::WaitWhileHolding
            | Rule::StuckWait
            | Rule::Livelock
            | Rule::InitCycle
    )
}

/// A cycle as it is written wherever it was begun.
pub fn canonical(parts: &[String]) -> Vec<String> {
    let rotation = |start: usize| parts.iter().cycle().skip(start).take(parts.len());
    let first = (0..parts.len()).min_by(|a, b| rotation(*a).cmp(rotation(*b))).unwrap_or(0);
    rotation(first).cloned().collect()
}

/// The rule, and a hash of `parts` as a cycle.
fn id(rule: Rule, parts: &[String]) -> String {
    let mut hash = Fnv::new();
    hash.add(rule.code());
    canonical(parts).iter().for_each(|part| hash.add(part));
    format!("{rule}-{:08x}", hash.fold())
}

/// Gives those with the same id a number, in the order of their places in the source. What cannot
/// happen comes last, so that it moves no number of what can.
pub fn number_namesakes(findings: &mut [Finding]) {
    let key = |finding: &Finding| {
        let edges = finding.edges.iter().map(|edge| [edge.from_site.clone(), edge.to_site.clone()]);
        let mut places: Vec<[Place; 2]> = edges.collect();
        places.sort();
        let sites: Vec<Place> = finding.sites.iter().map(|site| site.place.clone()).collect();
        (!can_happen(finding.tier), places, sites)
    };
    let mut order: Vec<&mut Finding> = findings.iter_mut().collect();
    order.sort_by_cached_key(|finding| key(finding));
    let mut seen: HashMap<String, u32> = HashMap::new();
    for finding in order {
        let count = seen.entry(finding.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.id = format!("{}-{count}", finding.id);
        }
    }
}

/// FNV-1a, which is the same in every version of every compiler.
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        // The zero keeps `ab`, `c` and `a`, `bc` apart.
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn fold(&self) -> u32 {
        (self.0 >> 32) as u32 ^ self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::{id, number_namesakes};
    use crate::report::model::{Finding, Place, Site};

    fn of(rule: Rule, parts: &[&str]) -> String {
        id(rule, &parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn an_id_is_that_of_the_cycle() {
        let abc = of(Rule::LockOrder, &["A", "B", "C"]);
        assert_eq!(abc, of(Rule::LockOrder, &["B", "C", "A"]));
        assert_ne!(abc, of(Rule::LockOrder, &["A", "C", "B"]));
        assert_ne!(abc, of(Rule::Deadlock, &["A", "B", "C"]));
        assert_ne!(of(Rule::LockOrder, &["ab", "c"]), of(Rule::LockOrder, &["a", "bc"]));
        // Baselines of users hold it: it must never change.
        let bank = ["src/lib.rs::Bank.accounts", "src/lib.rs::Bank.audit"];
        assert_eq!(of(Rule::LockOrder, &bank), "lock-order-35d1f204");
    }

    #[test]
    fn what_cannot_happen_takes_no_number_from_what_can() {
        let finding = |line, tier| Finding {
            id: "lock-order-1".to_owned(),
            sites: vec![Site { place: Place { line, ..Place::default() }, label: String::new() }],
            ..Finding::new(Rule::LockOrder, tier, "")
        };
        let mut findings =
            [finding(1, Tier::Guarded), finding(3, Tier::Reachable), finding(2, Tier::NeedsThread)];
        number_namesakes(&mut findings);
        let ids: Vec<&str> = findings.iter().map(|finding| &*finding.id).collect();
        assert_eq!(ids, ["lock-order-1-3", "lock-order-1-2", "lock-order-1"]);
    }
}
