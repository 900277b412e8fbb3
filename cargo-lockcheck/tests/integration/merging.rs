//! Merging is a join: whatever the order and however often, the same comes out.

use cargo_lockcheck::traces::analyze::analyze;
use cargo_lockcheck::traces::merge::Merged;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};
use proptest::test_runner::RngSeed;

use crate::report::case_traces;
use crate::synthetic::{no_sources, text, trace};

/// Programs over a few locks, so that they overlap.
fn program() -> impl Strategy<Value = String> {
    let lock = prop::sample::select(vec!["A", "B", "C", "D*", "r/A", "r/B", "t/C"]);
    let thread = prop::collection::vec(lock, 1..4).prop_map(|locks| locks.join(" "));
    let name = prop::sample::select(vec!["t", "u", "v"]);
    let thread = (name, thread).prop_map(|(name, locks)| format!("{name}: {locks}"));
    prop::collection::vec(thread, 1..4).prop_map(|threads| threads.join("; "))
}

/// Some processes, among them the same one in whole and cut short.
fn merged() -> impl Strategy<Value = Merged> {
    let process = (0..4u32, program(), any::<prop::sample::Index>());
    prop::collection::vec(process, 0..4).prop_map(|processes| {
        let mut merged = Merged::default();
        for (pid, program, cut) in processes {
            let text = text(pid, &program);
            let first = text.find('\n').map_or(text.len(), |end| end + 1);
            let end = first + cut.index(text.len() - first + 1);
            let (trace, _) = cargo_lockcheck::traces::trace::Trace::parse(
                &mut &text.as_bytes()[..end],
                "test",
                &no_sources(),
            );
            merged.add(trace.expect("its first line is whole"));
        }
        for trace in case_traces() {
            merged.add(trace);
        }
        merged
    })
}

fn join(a: &Merged, b: &Merged) -> Merged {
    let mut joined = a.clone();
    joined.merge(b.clone());
    joined
}

proptest! {
    // The same cases each time; PROPTEST_CASES asks for more of them.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn a_join_is_associative_commutative_and_idempotent(
        a in merged(), b in merged(), c in merged(),
    ) {
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a);
    }

    #[test]
    fn the_findings_do_not_depend_on_the_order(a in merged(), b in merged()) {
        let sources = no_sources();
        prop_assert_eq!(analyze(&join(&a, &b), &sources, &[]), analyze(&join(&b, &a), &sources, &[]));
    }
}

#[test]
fn one_finding_of_many_processes_is_one() {
    let [found] = case_traces()
        .into_iter()
        .filter(|trace| !trace.findings.is_empty())
        .take(1)
        .collect::<Vec<_>>()
        .try_into()
        .expect("a case has a finding");
    let mut merged = Merged::default();
    for pid in 0..50 {
        let mut trace = found.clone();
        trace.header.pid = 1000 + pid;
        merged.add(trace);
    }
    let findings = analyze(&merged, &no_sources(), &[]).findings;
    assert_eq!(findings.len(), found.findings.len());
    assert!(findings.iter().all(|finding| finding.count == 50));
    assert_eq!(merged.coverage().processes, 50);
}

#[test]
fn the_surest_tier_is_kept() {
    let mut weak = case_traces()
        .into_iter()
        .find(|trace| trace.findings.iter().any(|found| found.tier.code() == "reachable"))
        .expect("a case has a reachable finding");
    let strong = weak.clone();
    weak.header.pid += 1;
    for found in &mut weak.findings {
        found.tier = lockdep::finding::Tier::Guarded;
    }
    let mut merged = Merged::default();
    merged.add(weak);
    merged.add(strong);
    let findings = analyze(&merged, &no_sources(), &[]).findings;
    assert!(
        findings.iter().any(|finding| finding.tier.code() == "reachable" && finding.count == 2)
    );
    assert!(findings.iter().all(|finding| finding.tier.code() != "guarded"));
}

#[test]
fn processes_are_told_apart_by_more_than_their_number() {
    let mut merged = Merged::default();
    let first = trace(1, "t: A B");
    let mut second = trace(1, "u: B A");
    second.header.time += 1;
    merged.add(first);
    merged.add(second);
    assert_eq!(merged.processes.len(), 2);
    assert_eq!(analyze(&merged, &no_sources(), &[]).findings.len(), 1);
}
