//! The lint on MIR as text: what no program that a test could compile brings about, or not surely.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use lockdep::finding::Rule;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tempfile::TempDir;

use super::program::{Part, Target};
use super::{lint, mir};
use crate::cli::user_config;
use crate::report::model::Finding;

const GOLDEN: &str = include_str!("mir/golden/rustc-1.95.mir");

fn part(text: &str) -> Part<'_> {
    part_of(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lint/mir/golden")), text)
}

/// The part of a target whose one source file is `golden.rs` in a directory.
fn part_of<'a>(root: &Path, text: &'a str) -> Part<'a> {
    Part::new(Target {
        prefix: "golden".to_owned(),
        is_library: true,
        root: PathBuf::from(root),
        files: vec!["golden.rs".to_owned()],
        mir: mir::parse(text),
        renamed: HashMap::new(),
    })
}

/// The rules of what is found in a text that can be read in full.
fn found(text: &str) -> Vec<Rule> {
    found_in(part(text))
}

fn found_in(part: Part<'_>) -> Vec<Rule> {
    findings(part).into_iter().map(|finding| finding.rule).collect()
}

fn findings(part: Part<'_>) -> Vec<Finding> {
    let linted = lint(vec![part], Path::new("/nowhere"), &user_config::Lint::default());
    assert_eq!(linted.coverage.functions_skipped, 0, "not all of the text was read");
    assert!(linted.coverage.functions_analyzed > 0, "nothing was read");
    linted.findings
}

/// The part of a target with this source and MIR, and the directory of the source.
fn with_source<'a>(source: &str, text: &'a str) -> (Part<'a>, TempDir) {
    let root = tempfile::tempdir().expect("a directory");
    fs::write(root.path().join("golden.rs"), source).expect("it is written");
    (part_of(root.path(), text), root)
}

/// A step of a coroutine that locks what it keeps in two fields of its states. Each is written twice,
/// so that no single value is known of it; `between` stands between the two.
fn locks_two_saved(first: &str, between: &str, second: &str) -> String {
    let state = "{async fn body of meet()}";
    let (lock, guard) = ("&std::sync::Mutex<u32>", "std::sync::MutexGuard<'_, u32>");
    let result = format!("std::result::Result<{guard}, std::sync::PoisonError<{guard}>>");
    format!(
        "fn meet::{{closure#0}}(_1: std::pin::Pin<&mut {state}>, _2: &mut std::task::Context<'_>) \
         -> std::task::Poll<()> {{
    let mut _0: std::task::Poll<()>; // return place in scope 0 at golden.rs:1:1: 1:2
    let mut _3: &mut {state}; // in scope 0 at golden.rs:1:1: 1:2
    let mut _4: {lock}; // in scope 0 at golden.rs:1:1: 1:2
    let mut _5: {lock}; // in scope 0 at golden.rs:1:1: 1:2
    let mut _6: {result}; // in scope 0 at golden.rs:1:1: 1:2
    let mut _7: {result}; // in scope 0 at golden.rs:1:1: 1:2

    bb0: {{
        _3 = copy (_1.0: &mut {state}); // scope 0 at golden.rs:1:1: 1:2
        (((*_3) as {first}: {lock}) = copy ((*_3).0: {lock}); // scope 0 at golden.rs:1:1: 1:2
        (((*_3) as {first}: {lock}) = copy ((*_3).1: {lock}); // scope 0 at golden.rs:1:1: 1:2
        (((*_3) as {second}: {lock}) = copy ((*_3).1: {lock}); // scope 0 at golden.rs:1:1: 1:2
        (((*_3) as {second}: {lock}) = copy ((*_3).0: {lock}); // scope 0 at golden.rs:1:1: 1:2
        _4 = copy (((*_3) as {first}: {lock}); // scope 0 at golden.rs:1:1: 1:2
        _6 = std::sync::Mutex::<u32>::lock(copy _4) -> [return: bb1, unwind continue]; // scope 0 at golden.rs:2:1: 2:2
    }}

    bb1: {{
{between}
        _5 = copy (((*_3) as {second}: {lock}); // scope 0 at golden.rs:1:1: 1:2
        _7 = std::sync::Mutex::<u32>::lock(copy _5) -> [return: bb2, unwind continue]; // scope 0 at golden.rs:3:1: 3:2
    }}

    bb2: {{
        return; // scope 0 at golden.rs:4:1: 4:2
    }}
}}
"
    )
}

#[test]
fn what_a_coroutine_saves_in_two_states_is_two_objects() {
    // The bytes of both names of variants have one sum, and the fields one number.
    let two = locks_two_saved("variant#12).1", "", "variant#21).1");
    assert_eq!(found(&two), []);
    // The sum of the bytes of the names times 1024 does not reach beyond one number of a field.
    let far = locks_two_saved("variant#3).1024", "", "variant#4).0");
    assert_eq!(found(&far), []);
    let same = locks_two_saved("variant#12).1", "", "variant#12).1");
    assert_eq!(found(&same), [Rule::DoubleLock]);
    let another = "        (((*_3) as variant#12).1: &std::sync::Mutex<u32>) = \
                   copy ((*_3).1: &std::sync::Mutex<u32>); // scope 0 at golden.rs:2:3: 2:4";
    let written_between = locks_two_saved("variant#12).1", another, "variant#12).1");
    assert_eq!(found(&written_between), []);
}

/// A body whose one block does something.
fn body(header: &str, locals: &[&str], statement: &str) -> String {
    let at = "// scope 0 at golden.rs:1:1: 1:2";
    let locals: String =
        locals.iter().map(|local| format!("    let mut {local}; {at}\n")).collect();
    format!(
        "{header} {{\n{locals}
    bb0: {{
        {statement} {at}
    }}

    bb1: {{
        return; {at}
    }}
}}

"
    )
}

/// What a body asks of others it must have announced, or it may be looked at before them.
#[test]
fn a_constant_is_looked_at_before_its_user_wherever_that_names_it() {
    let lock = "&std::sync::Mutex<u32>";
    let made = body(
        &format!("const LOCK: {lock} ="),
        &[&format!("_0: {lock}")],
        "_0 = lend() -> [return: bb1, unwind continue];",
    );
    let lend = body(
        &format!("fn lend() -> {lock}"),
        &[&format!("_0: {lock}")],
        "_0 = const {alloc1: &std::sync::Mutex<u32>}; return;",
    );
    let user = body(
        "fn user() -> ()",
        &["_0: ()", "_1: std::sync::LockResult<std::sync::MutexGuard<'_, u32>>"],
        "_1 = std::sync::Mutex::<u32>::lock(const LOCK) -> [return: bb1, unwind continue];",
    );
    found(&format!("{made}{lend}{user}"));
}

#[test]
fn what_is_dropped_is_looked_at_before_wherever_its_place_ends() {
    let drop = body(
        "fn <impl at golden.rs:2:1: 2:20>::drop(_1: &mut Inner) -> ()",
        &["_0: ()"],
        "goto -> bb1;",
    );
    let user = body(
        "fn user(_1: Outer) -> ()",
        &["_0: ()"],
        "drop((*(_1.0: std::boxed::Box<Inner>))) -> [return: bb1, unwind continue];",
    );
    let source = "struct Inner;\nimpl Drop for Inner {\n    fn drop(&mut self) {}\n}\n";
    let text = format!("{drop}{user}");
    let (part, _root) = with_source(source, &text);
    found_in(part);
}

/// A body of several blocks, each with one statement, of which all but the last end in a call.
fn blocks(header: &str, locals: &[&str], statements: &[&str]) -> String {
    let locals: String = locals
        .iter()
        .map(|local| format!("    let mut {local}; // in scope 0 at golden.rs:1:1: 1:2\n"))
        .collect();
    let blocks: String = statements
        .iter()
        .enumerate()
        .map(|(at, statement)| {
            let line = at + 2;
            let to = match statement.starts_with("return") {
                true => String::new(),
                false => format!(" -> [return: bb{}, unwind continue]", at + 1),
            };
            format!(
                "\n    bb{at}: {{\n        {statement}{to}; // scope 0 at golden.rs:{line}:1: \
                 {line}:2\n    }}\n"
            )
        })
        .collect();
    format!("{header} {{\n{locals}{blocks}}}\n\n")
}

const GUARD: &str = "std::sync::MutexGuard<'_, u32>";

#[test]
fn a_lock_named_by_a_constant_is_no_lock_of_the_caller() {
    let lock = "std::sync::Mutex::<u32>::lock(const {alloc1: &std::sync::Mutex<u32>})";
    let text = blocks(
        "fn twice() -> ()",
        &["_0: ()", &format!("_1: {GUARD}"), &format!("_2: {GUARD}")],
        &[&format!("_1 = {lock}"), &format!("_2 = {lock}"), "return"],
    );
    let named = "alloc1 (static: TOTAL, size: 12, align: 4) {\n}\n\n";
    assert_eq!(found(&format!("{text}{named}")), [Rule::DoubleLock]);
}

#[test]
fn a_guard_that_is_handed_in_is_called_by_its_type() {
    let text = blocks(
        &format!("fn under(_1: {GUARD}, _2: F) -> ()"),
        &["_0: ()", "_3: ()"],
        &["_3 = <F as std::ops::Fn<()>>::call(copy _2, const ())", "return"],
    );
    let messages: Vec<String> =
        findings(part(&text)).into_iter().map(|finding| finding.message).collect();
    assert_eq!(messages, ["`under` calls a closure of the caller while it holds a `MutexGuard`"]);
}

#[test]
fn what_is_a_closure_of_the_caller_is_told_by_its_bounds() {
    let user = |call: &str, given: &str| {
        blocks(
            &format!(
                "fn user(_1: &std::sync::Mutex<u32>, _2: std::vec::IntoIter<u32>, _3: {given}) -> ()"
            ),
            &["_0: ()", &format!("_4: {GUARD}"), "_5: ()"],
            &["_4 = std::sync::Mutex::<u32>::lock(copy _1)", &format!("_5 = {call}"), "return"],
        )
    };
    let found = |source: &str, text: &str| {
        let (part, _root) = with_source(source, text);
        found_in(part)
    };
    let each = "<std::vec::IntoIter<u32> as std::iter::Iterator>::for_each::<W>(move _2, move _3)";
    let text = user(each, "W");
    let source = "fn user<W: FnMut(u32)>(lock: &Mutex<u32>, all: IntoIter<u32>, work: W) {";
    assert_eq!(found(source, &text), [Rule::GuardAcrossCallback]);

    let chain =
        "<std::vec::IntoIter<u32> as std::iter::Iterator>::max_by_key::<F>(move _2, move _3)";
    let text = user(chain, "F");
    let source = "fn user<F: IntoIterator>(lock: &Mutex<u32>, all: IntoIter<u32>, more: F) {";
    assert_eq!(found(source, &text), []);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(96) })]

    /// Whatever can be read is analysed, if it makes sense or not.
    #[test]
    fn no_change_of_the_mir_makes_the_analysis_panic(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..24), 1..16
        )
    ) {
        let mut lines: Vec<&str> = GOLDEN.lines().collect();
        for (from, to, count) in edits {
            // Lines of one body in another are more likely to be read than broken ones.
            let from = from.index(lines.len());
            let moved: Vec<&str> = lines.iter().skip(from).take(count).copied().collect();
            let to = to.index(lines.len());
            lines.splice(to..(to + count / 2).min(lines.len()), moved);
        }
        let text = lines.join("\n");
        lint(vec![part(&text)], Path::new("/nowhere"), &user_config::Lint::default());
    }
}
