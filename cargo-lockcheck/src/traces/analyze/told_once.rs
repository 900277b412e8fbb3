//! Of findings about one mistake, which one is told.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use lockdep::finding::{Rule, Tier};

use super::order;
use crate::report::model::{Finding, Lock, Place, can_happen};
use crate::report::wording;

/// Joins cycles of the same locks that are asked for at the same places, and differ in where the locks that
/// are held were taken: the surest is told, as often as all of them were seen.
pub(super) fn join_cycles(findings: &mut Vec<Finding>) {
    let cycle =
        |finding: &Finding| (can_happen(finding.tier), finding.id.clone(), asked_at(finding));
    let mut joined: BTreeMap<_, Finding> = BTreeMap::new();
    let (cycles, others): (Vec<_>, Vec<_>) =
        findings.drain(..).partition(|finding| finding.rule == Rule::LockOrder);
    for found in cycles {
        match joined.entry(cycle(&found)) {
            Entry::Vacant(entry) => _ = entry.insert(found),
            Entry::Occupied(mut entry) => {
                let count = entry.get().count + found.count;
                if entry.get().tier < found.tier {
                    entry.insert(found);
                }
                entry.get_mut().count = count;
            }
        }
    }
    findings.extend(others.into_iter().chain(joined.into_values()));
    findings.sort_by_cached_key(order);
}

/// Where the locks of a finding were asked for while others were held.
fn asked_at(finding: &Finding) -> BTreeSet<Place> {
    finding.edges.iter().map(|edge| edge.to_site.clone()).collect()
}

/// Drops what another finding tells better, or as well: a cycle of orders that has become a deadlock,
/// nestings within one class that a cycle of orders explains, and all but one of those within one class,
/// a lock left locked that somebody waits for, a wait that has become a hang, and what the threads of a
/// hang came to after one was stopped.
pub(super) fn fold(findings: &mut Vec<Finding>) {
    type Links = BTreeSet<(Place, Place)>;
    let links = |finding: &Finding| -> Links {
        finding.edges.iter().map(|edge| (edge.from_site.clone(), edge.to_site.clone())).collect()
    };
    let of = |rule: Rule| -> Vec<Links> {
        let better = |finding: &&Finding| finding.rule == rule && can_happen(finding.tier);
        findings.iter().filter(better).map(links).collect()
    };
    let (deadlocks, cycles) = (of(Rule::Deadlock), of(Rule::LockOrder));
    let sites = |finding: &Finding| -> BTreeSet<Place> {
        finding.sites.iter().map(|site| site.place.clone()).collect()
    };
    let waited =
        |finding: &&Finding| finding.rule == Rule::OrphanedLock && !finding.waits.is_empty();
    let orphans: Vec<BTreeSet<Place>> = findings.iter().filter(waited).map(sites).collect();
    let waits = |finding: &Finding| -> BTreeSet<Place> {
        finding.waits.iter().map(|wait| wait.site.clone()).collect()
    };
    let hung = |finding: &&Finding| {
        matches!(finding.rule, Rule::Deadlock | Rule::WaitWhileHolding) && !finding.waits.is_empty()
    };
    let hangs: Vec<BTreeSet<Place>> = findings.iter().filter(hung).map(waits).collect();
    let created = |finding: &Finding| -> BTreeSet<Place> {
        finding.locks.iter().map(|lock| lock.created.clone()).collect()
    };
    let hung_locks: Vec<_> =
        findings.iter().filter(|found| found.rule == Rule::Deadlock).map(created).collect();
    // Of a potential wait for an event, whatever really is a lock has hung.
    let locks_hung = |finding: &Finding| {
        let is_lock = |lock: &&Lock| !wording::is_event(lock);
        let locks: BTreeSet<Place> =
            finding.locks.iter().filter(is_lock).map(|lock| lock.created.clone()).collect();
        hung_locks.iter().any(|hung| locks.is_subset(hung))
    };
    // Of several about the same threads the first was found with the most of them waiting.
    let stuck = |finding: &&Finding| finding.rule == Rule::StuckWait;
    let stuck: Vec<(BTreeSet<Place>, usize)> =
        findings.iter().filter(stuck).map(|found| (waits(found), found.waits.len())).collect();
    let mut nested = BTreeSet::new();
    let told = |places: &BTreeSet<Place>| hangs.iter().any(|hang| places.is_subset(hang));
    findings.retain(|finding| match finding.rule {
        Rule::WaitWhileHolding if finding.waits.is_empty() => {
            !told(&asked_at(finding)) && !locks_hung(finding)
        }
        Rule::StuckWait if !finding.waits.is_empty() => {
            let (places, count) = (waits(finding), finding.waits.len());
            let more =
                |other: &&(BTreeSet<Place>, usize)| places.is_subset(&other.0) && other.1 > count;
            !told(&places) && stuck.iter().find(more).is_none()
        }
        Rule::LockOrder => {
            // What may happen to the same locks at other places says less than that it did.
            let weaker = finding.tier < Tier::Reachable && hung_locks.contains(&created(finding));
            !deadlocks.contains(&links(finding)) && !weaker
        }
        Rule::SameClassNesting => {
            let told = |better: &&Links| links(finding).is_subset(better);
            let is_told = cycles.iter().chain(&deadlocks).any(|better| told(&better));
            !is_told && nested.insert(finding.id.clone())
        }
        Rule::OrphanedLock if finding.waits.is_empty() => {
            !orphans.iter().any(|better| sites(finding).is_subset(better))
        }
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use lockdep::finding::{Rule, Tier};

    use super::join_cycles;
    use crate::report::model::{Edge, Finding, Mode, Place};

    /// A cycle of two locks, held since the lines of `from` and asked for at those of `to`.
    fn cycle(tier: Tier, from: [u32; 2], to: [u32; 2]) -> Finding {
        let place = |line| Place { file: "src/lib.rs".to_owned(), line, column: 1 };
        let edge = |at: usize| Edge {
            from: at,
            to: 1 - at,
            thread: "worker".to_owned(),
            process: None,
            function: None,
            from_mode: Mode::Write,
            to_mode: Mode::Write,
            from_site: place(from[at]),
            to_site: place(to[at]),
            stack: Vec::new(),
            from_stack: Vec::new(),
        };
        Finding {
            id: "lock-order-00000001".to_owned(),
            edges: vec![edge(0), edge(1)],
            count: 2,
            ..Finding::new(Rule::LockOrder, tier, "")
        }
    }

    #[test]
    fn cycles_that_are_asked_for_at_the_same_places_are_one() {
        let mut findings = vec![
            cycle(Tier::NeedsThread, [5, 30], [10, 31]),
            cycle(Tier::Reachable, [8, 30], [10, 31]),
            cycle(Tier::Guarded, [9, 30], [10, 31]),
            cycle(Tier::NeedsThread, [5, 40], [10, 41]),
        ];
        join_cycles(&mut findings);
        let told: Vec<_> =
            findings.iter().map(|f| (f.tier, f.edges[1].to_site.line, f.count)).collect();
        let expected =
            [(Tier::NeedsThread, 41, 2), (Tier::Reachable, 31, 4), (Tier::Guarded, 31, 2)];
        assert_eq!(told, expected);
    }
}
