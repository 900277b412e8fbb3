//! What is predicted, as a report: text, JSON, and what several circles have in common.

use cargo_lockcheck::predict::Limits;
use cargo_lockcheck::report::classify::{Levels, classify};
use cargo_lockcheck::report::model::{Finding, Report};
use cargo_lockcheck::report::naming::Syntax;
use cargo_lockcheck::report::render::{Format, Show};
use cargo_lockcheck::report::witness::Deed;
use cargo_lockcheck::traces::predicted::analyze;
use cargo_lockcheck::traces::std_format::{StdTrace, write};
use serde_json::Value;

use super::notation::recording;
use crate::report::printed;
use crate::synthetic::no_sources;

/// The findings of a run.
fn findings(steps: &str) -> Vec<Finding> {
    let mut text = Vec::new();
    write(&recording(steps), &mut text).expect("memory takes it");
    findings_of(&text)
}

fn findings_of(text: &[u8]) -> Vec<Finding> {
    let (trace, _) = StdTrace::parse(&mut &*text, "run.std");
    let sources = no_sources();
    let traces = [trace.expect("it is a trace")];
    analyze(&traces, &Syntax::new(&sources), Limits::default()).findings
}

fn report(findings: Vec<Finding>) -> Report {
    classify(findings, &Levels::default())
}

/// The holds of `A` and of `B` have to be the other way round than they were.
const TURNED: &str = "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A); \
                      T1 acq(A) rel(A) acq(B) acq(A) rel(A) rel(B)";

#[test]
fn the_schedule_is_in_the_text() {
    let report = report(findings(TURNED));
    let text = printed(&report, Format::Text, &no_sources(), &Show::default());
    let begin = text.find("note: after").expect("there is a schedule");
    let end = text.find("help: take").expect("there is a cure");
    assert_eq!(
        &text[begin..end],
        "note: after 6 steps it can come about like this:\n\
         \x20          T0             T1\n\
         \x20       1  locks `A`\n\
         \x20       2                 locks `B`\n\
         \x20       3  waits for `B`\n\
         \x20       4                 waits for `A`\n\
         note: this schedule is made of steps of the recorded run, and was checked step\n\
         \x20     by step\n"
    );
}

#[test]
fn the_schedule_is_in_the_json_and_keeps_to_the_schema() {
    let json = printed(&report(findings(TURNED)), Format::Json, &no_sources(), &Show::default());
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let schema = include_str!("../../../../docs/report.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let witness = &json["findings"][0]["witness"];
    assert_eq!(witness["earlier"], 6);
    assert_eq!(witness["steps"][3]["does"], "waits-for");
    assert_eq!(witness["steps"][3]["site"]["file"], "run.std");
}

#[test]
fn what_cannot_happen_has_its_reason() {
    for (steps, said) in [
        (
            "M fork(T0) fork(T1); T0 acq(G) acq(A) acq(B) rel(B) rel(A) rel(G); \
             T1 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G)",
            "gate lock `G` is held on both sides",
        ),
        (
            "T0 fork(T2) acq(G) fork(T1); T1 acq(A) acq(B) rel(B) rel(A); T0 join(T1) rel(G); \
             T2 acq(G) acq(B) acq(A) rel(A) rel(B) rel(G)",
            "gate lock `G` is held on one side, and by `T0` around all that the other does",
        ),
        (
            "M fork(T0); T0 acq(A) acq(B) rel(B) rel(A); M join(T0) fork(T1); \
             T1 acq(B) acq(A) rel(A) rel(B)",
            "spawn and join order keeps the threads apart",
        ),
        (
            "T1 acq(G) fork(T2) acq(A) acq(B) rel(B) rel(A) rel(G); \
             T2 acq(G) rel(G) acq(B) acq(A) rel(A) rel(B); T1 join(T2)",
            "locks that both take keep the threads apart: one of them comes here only after the \
             other has given them back",
        ),
        (
            "M fork(T0) fork(T1); T0 acq(A) acq(B) rel(B) rel(A) bar(b,2); \
             T1 bar(b,2) acq(B) acq(A) rel(A) rel(B)",
            "a notification, a message or a barrier, which no other thread can give, keeps the \
             threads apart",
        ),
    ] {
        let report = report(findings(steps));
        assert_eq!(report.findings, [], "{steps}");
        assert_eq!(report.suppressed[0].reason, said);
    }
    // What must have happened before contradicts itself; the sentence names the lock and the places.
    let shadow = "M fork(T0) fork(T1); T1 acq(L0) acq(L2) rel(L2) acq(L1) acq(L2) rel(L2) rel(L1) \
                  rel(L0); T0 acq(L2) acq(L0) rel(L0) acq(L1) rel(L1) rel(L2)";
    let report = report(findings(shadow));
    let reason = &report.suppressed[0].reason;
    assert!(reason.contains("`L0`") && reason.contains("run.std:"), "{reason}");
}

#[test]
fn one_mistake_is_one_finding() {
    // The same places in many threads.
    let line = |thread: usize, step: &str, at: usize| format!("W{thread}|{step}|src/a.rs:{at}:1\n");
    let mut text = String::new();
    for thread in 0..16 {
        text += &format!("M|fork(W{thread})|src/a.rs:1:1\n");
    }
    for thread in 0..16 {
        let (first, second, at) = if thread < 8 { ("A", "B", 10) } else { ("B", "A", 20) };
        text += &line(thread, &format!("acq({first})"), at);
        text += &line(thread, &format!("acq({second})"), at + 1);
        text += &line(thread, &format!("rel({second})"), at + 2);
        text += &line(thread, &format!("rel({first})"), at + 3);
    }
    let found = findings_of(text.as_bytes());
    assert_eq!(found.iter().map(|finding| finding.count).collect::<Vec<_>>(), [64]);
    // Two pairs of places for the same locks are two mistakes; how else they can meet is told with them.
    let pair = "T0 acq(A) acq(B) rel(B) rel(A); T1 acq(B) acq(A) rel(A) rel(B); ";
    let two = findings(&format!("M fork(T0) fork(T1); {pair}{pair}"));
    assert_eq!(two.len(), 2);
    // Those in the shadow of another share its places.
    let shadow = "M fork(T0) fork(T1); T1 acq(L0) acq(L2) rel(L2) acq(L1) acq(L2) rel(L2) rel(L1) \
                  rel(L0); T0 acq(L2) acq(L0) rel(L0) acq(L1) rel(L1) rel(L2)";
    let report = report(findings(shadow));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        report.findings[0].notes[0],
        "one more circle shares a place with this one, and is cured with it"
    );
}

#[test]
fn a_join_under_a_lock_is_a_wait_while_holding() {
    let found = findings("M fork(T1); T1 acq(G) rel(G); M acq(G) join(T1) rel(G)");
    assert_eq!(
        found[0].message,
        "thread `M` waits for `T1` to end while it holds `G`, which thread `T1` needs before it ends"
    );
    let witness = found[0].witness.as_ref().expect("there is a schedule");
    let last = &witness.steps[witness.steps.len() - 2..];
    assert!(last.iter().all(|step| step.does == Deed::WaitsFor), "{last:?}");
}
