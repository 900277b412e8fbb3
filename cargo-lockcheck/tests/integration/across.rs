//! Cycles that only several processes together show.

use cargo_lockcheck::traces::analyze::{Analysis, analyze};
use cargo_lockcheck::traces::merge::Merged;

use crate::synthetic::{no_sources, trace};

fn analysis(processes: &[&str]) -> Analysis {
    let mut merged = Merged::default();
    for (pid, program) in (1..).zip(processes) {
        merged.add(trace(pid, program), &no_sources());
    }
    analyze(&merged, &no_sources(), &[])
}

/// What is found, as `tier: lock lock ...` each, with the reason.
fn found(processes: &[&str]) -> Vec<String> {
    let lock = |place: &str| place.trim_start_matches("src/").trim_end_matches(".rs:1").to_owned();
    let findings = analysis(processes).findings;
    let line = |finding: &cargo_lockcheck::report::model::Finding| {
        let locks = finding.edges.iter().map(|edge| lock(&finding.locks[edge.from].name));
        let reason = finding.reason.as_ref().map(|reason| format!(" ({reason})"));
        let locks: Vec<String> = locks.collect();
        format!("{}: {}{}", finding.tier, locks.join(" "), reason.unwrap_or_default())
    };
    findings.iter().map(line).collect()
}

#[test]
fn cycles_across_processes() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("opposite orders", &["t: A B", "u: B A"], &["potential: A B"]),
        ("the same order", &["t: A B", "u: A B"], &[]),
        (
            "a gate that is one lock",
            &["t: G A B", "u: G B A"],
            &["guarded: A B (gate lock `src/G.rs:1`)"],
        ),
        ("a gate that may be two locks", &["t: G* A B", "u: G B A"], &["potential: A B"]),
        ("a gate that is only read", &["t: r/G A B", "u: r/G B A"], &["potential: A B"]),
        (
            "a gate that one side writes",
            &["t: r/G A B", "u: G B A"],
            &["guarded: A B (gate lock `src/G.rs:1`)"],
        ),
        ("with and without a gate", &["t: G A B; v: A B", "u: G B A"], &["potential: A B"]),
        ("three processes", &["t: A B", "u: B C", "v: C A"], &["potential: A B C"]),
        ("a shorter one within", &["t: A B; x: B C", "u: B A", "v: C A"], &["potential: A B"]),
        ("decided by one process", &["t: A B; u: B A", "v: B A", "w: A B"], &[]),
        ("within one class", &["t: A* A", "u: A A"], &[]),
        ("tried first", &["t: t/A B", "u: B A"], &["potential: A B"]),
        ("read by both", &["t: r/A r/B", "u: r/B r/A"], &["potential: A B"]),
        ("one thread twice", &["t: A B C", "u: C A"], &["potential: A C"]),
    ];
    for (name, processes, expected) in cases {
        assert_eq!(found(processes), *expected, "{name}");
    }
}

#[test]
fn links_that_only_one_thread_of_one_process_shows_need_another_thread() {
    let mut merged = Merged::default();
    let mut first = trace(1, "t: A B; t: B C");
    let thread = first.orders[0].thread.clone();
    first.orders.iter_mut().for_each(|taken| taken.thread = thread.clone());
    merged.add(first, &no_sources());
    merged.add(trace(2, "u: C A"), &no_sources());
    let findings = analyze(&merged, &no_sources(), &[]).findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].tier.code(), "needs-thread");
}

#[test]
fn only_reads_are_said_to_need_a_writer() {
    let says = |processes: &[&str]| {
        let finding = &analysis(processes).findings[0];
        finding.notes.iter().any(|note| note.contains("writer"))
    };
    assert!(says(&["t: r/A r/B", "u: r/B r/A"]));
    assert!(!says(&["t: A B", "u: B A"]));
}

#[test]
fn a_finding_names_threads_and_programs() {
    let finding = &analysis(&["tests::a: A B", "tests::b: B A"]).findings[0];
    assert_eq!(
        finding.message,
        "`src/A.rs:1` and `src/B.rs:1` are locked in opposite orders by threads `tests::a` and \
         `tests::b`"
    );
    assert!(finding.edges.iter().all(|edge| edge.process.as_deref() == Some("app")));
}

#[test]
fn a_search_without_end_is_cut_and_says_so() {
    let names: Vec<String> = (0..24).map(|number| format!("L{number}")).collect();
    let mut processes = Vec::new();
    for from in &names {
        for to in names.iter().filter(|to| *to != from) {
            processes.push(format!("t: {from} {to}"));
        }
    }
    let processes: Vec<&str> = processes.iter().map(String::as_str).collect();
    let analysis = analysis(&processes);
    assert!(!analysis.findings.is_empty());
    assert!(analysis.findings.iter().all(|finding| finding.edges.len() == 2));
    let [bound, sources] = &analysis.notes[..] else { panic!("{:?}", analysis.notes) };
    assert!(bound.contains("stopped at its bound"), "{bound}");
    assert!(sources.contains("source files are not here"), "{sources}");
}

#[test]
fn many_ordered_locks_hold_no_cycle() {
    let locks: Vec<String> = (0..60).map(|number| format!("L{number}")).collect();
    let all = format!("t: {}", locks.join(" "));
    assert_eq!(found(&[&all, &all, "u: L3 L50", "v: X Y"]), Vec::<String>::new());
    let among_them = format!("t: {} X Y", locks.join(" "));
    assert_eq!(found(&[&among_them, "v: Y X"]), ["potential: X Y"]);
}
