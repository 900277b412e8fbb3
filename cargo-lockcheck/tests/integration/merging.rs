//! Merging is a join: whatever the order and however often, the same comes out.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_lockcheck::report::model::{Unwatched, WhyUnwatched};
use cargo_lockcheck::traces::analyze::analyze;
use cargo_lockcheck::traces::merge::{self, Merged, Unread};
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest,
};
use proptest::test_runner::RngSeed;

use crate::report::{case_texts, case_traces};
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
            merged.add(trace.expect("its first line is whole"), &no_sources());
        }
        for trace in case_traces() {
            merged.add(trace, &no_sources());
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

/// Some files of traces, of which the last is a process that was killed.
fn shards(directory: &Path) -> Vec<PathBuf> {
    let write = |(number, text): (usize, Vec<u8>)| {
        let path = directory.join(format!("{number}.lctrace"));
        fs::write(&path, text).expect("it can be written");
        path
    };
    let whole = case_texts();
    let cut = whole[0][..whole[0].len() * 3 / 4].to_vec();
    whole.into_iter().chain([cut]).enumerate().map(write).collect()
}

fn gather(files: &[PathBuf]) -> (Merged, Unread) {
    Merged::gather(files, &no_sources(), &|_, _| {})
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn merged_files_stand_for_their_traces_in_any_order_and_number(
        part in prop::collection::vec(0..3usize, 40), again in prop::collection::vec(0..6usize, 0..8),
    ) {
        let directory = tempfile::tempdir().expect("it can be made");
        let shards = shards(directory.path());
        let (all, _) = gather(&shards);
        // Two files of merged traces, which may have some in common, and what is left.
        let of_part = |wanted: &[usize]| -> Vec<PathBuf> {
            let chosen = shards.iter().zip(part.iter().cycle());
            chosen.filter(|(_, part)| wanted.contains(part)).map(|(path, _)| path.clone()).collect()
        };
        let merged = [&[0][..], &[0, 1]].map(|wanted| {
            let path = directory.path().join(format!("merged{}.lctrace", wanted.len()));
            gather(&of_part(wanted)).0.write(&path, None).expect("it can be written");
            path
        });
        let mut files = of_part(&[2]);
        for at in again {
            files.push(merged[at % 2].clone());
            files.insert(0, shards[at].clone());
        }
        files.extend(merged);
        prop_assert_eq!(gather(&files).0, all);
    }

    #[test]
    fn a_merged_file_that_is_not_whole_is_named_and_left_out(
        cut in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        let directory = tempfile::tempdir().expect("it can be made");
        let path = directory.path().join("merged.lctrace");
        let (all, _) = gather(&shards(directory.path()));
        all.write(&path, None).expect("it can be written");
        let whole = fs::read(&path).expect("it is there");
        // Behind the first line, which says what it is; but for the last line's end, which nothing needs.
        let first = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        let cut = first + cut.index(whole.len() - 1 - first);
        fs::write(&path, &whole[..cut]).expect("it can be written");
        let (merged, unread) = gather(std::slice::from_ref(&path));
        prop_assert_eq!(merged, Merged::default());
        prop_assert_eq!(unread.unusable, 1);
        let warning = &unread.warnings[0].0;
        prop_assert!(warning.contains("merged.lctrace") && warning.contains("left out"), "{}", warning);
        // Other damage may go unseen, and is survived.
        let mut damaged = whole;
        let byte = byte.index(damaged.len());
        damaged[byte] = with;
        fs::write(&path, damaged).expect("it can be written");
        let (merged, _) = gather(std::slice::from_ref(&path));
        let _ = analyze(&merged, &no_sources(), &[]);
    }
}

#[test]
fn what_was_not_watched_is_kept_in_a_merged_file() {
    let directory = tempfile::tempdir().expect("it can be made");
    let path = directory.path().join("merged.lctrace");
    let (all, _) = gather(&shards(directory.path()));
    all.write(&path, None).expect("it can be written");
    assert_eq!(merge::unwatched(&path), None);
    let unwatched = Unwatched { package: "spin".to_owned(), why: WhyUnwatched::OwnLocks };
    all.write(&path, Some(vec![unwatched.clone()])).expect("it can be written");
    assert_eq!(merge::unwatched(&path), Some(vec![unwatched]));
    let ours = fs::read_to_string(&path).expect("it is there");
    for (version, cure) in [(":3,", "update cargo-lockcheck"), (":1,", "merge the traces again")] {
        fs::write(&path, ours.replacen(":2,", version, 1)).expect("it can be written");
        let (_, unread) = gather(std::slice::from_ref(&path));
        assert!(unread.warnings[0].0.contains(cure), "{:?}", unread.warnings);
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
        merged.add(trace, &no_sources());
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
    merged.add(weak, &no_sources());
    merged.add(strong, &no_sources());
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
    merged.add(first, &no_sources());
    merged.add(second, &no_sources());
    assert_eq!(merged.processes.len(), 2);
    assert_eq!(analyze(&merged, &no_sources(), &[]).findings.len(), 1);
}

/// A fuzzer that begins with what is refused at once learns little.
#[test]
fn what_the_fuzzer_begins_with_is_read() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/merged");
    for seed in fs::read_dir(seeds).expect("the seeds are there") {
        let path = seed.expect("it can be listed").path();
        let (merged, unread) = gather(std::slice::from_ref(&path));
        assert!(unread.warnings.is_empty(), "{:?}", unread.warnings);
        assert_ne!(merged, Merged::default(), "{}", path.display());
    }
}
