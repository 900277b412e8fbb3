//! The lint on whole workspaces: cycles across crates, its settings, what an editor is told, and
//! its findings joined with those of runs.

use std::collections::BTreeSet;

use cargo_lockcheck::report::model::{Evidence, Finding, Level, Report};
use lockcheck_tests::{Checked, Project};
use lockdep::finding::Rule;
use serde_json::Value;

fn cycle<'r>(report: &'r Report, locks: &[&str]) -> &'r Finding {
    let names = |finding: &Finding| {
        let mut names: Vec<String> = finding.locks.iter().map(|lock| lock.name.clone()).collect();
        names.sort();
        names
    };
    let is_it = |finding: &&Finding| finding.rule == Rule::LockOrder && names(finding) == locks;
    report
        .findings
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no cycle of {locks:?}: {report:?}"))
}

#[test]
fn cycles_over_three_locks_and_across_crates_are_found() {
    let checked = Project::fixture("linted", "lint-cycles").check(&["check"]);
    assert_eq!(checked.code, 100, "{checked}");
    let three = cycle(checked.report(), &["FIRST", "SECOND", "THIRD"]);
    assert_eq!((three.level, three.edges.len()), (Level::Deny, 3), "{checked}");
    let across = cycle(checked.report(), &["INDEX", "Store.blocks"]);
    let files: Vec<&str> = across.edges.iter().map(|edge| &*edge.to_site.file).collect();
    assert!(files.contains(&"app/src/lib.rs"), "{files:?}");
    assert!(files.contains(&"storage/src/lib.rs"), "{files:?}");
}

#[test]
fn a_comment_allows_what_stands_there_and_is_noted_when_it_allows_nothing() {
    let checked = Project::fixture("linted", "lint-comments").check(&["check"]);
    let report = checked.report();
    let reasons: Vec<&str> = report.suppressed.iter().map(|entry| &*entry.reason).collect();
    let allowed = "accepted at app/src/lib.rs:36: the example of a comment that is needed";
    assert!(reasons.contains(&allowed), "{reasons:?}");
    let unneeded = "the comment at app/src/lib.rs:40 allows `double-lock`, which the \
                    source does not show; a run may";
    assert_eq!(report.notes, [unneeded], "{checked}");
}

#[test]
fn rules_that_the_corpus_has_no_case_of_fire() {
    let checked = Project::fixture("linted", "lint-rules").check(&["check"]);
    for (rule, function) in [
        (Rule::CondvarNoLoop, "waits_once"),
        (Rule::WaitWhileHolding, "Worker::joins_under_lock"),
        (Rule::DeclaredOrder, "against_the_declared_order"),
    ] {
        let fires = |finding: &&Finding| finding.rule == rule && finding.message.contains(function);
        let count = checked.report().findings.iter().filter(fires).count();
        assert_eq!(count, 1, "{rule} in {function}: {checked}");
    }
}

#[test]
fn the_locks_of_well_known_crates_are_known() {
    let project = Project::fixture("locks", "lint-locks");
    let checked = project.check(&["check", "--lib"]);
    let text = std::fs::read_to_string(project.root().join("src/lib.rs")).expect("it is there");
    let functions = text.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    let names = functions.filter_map(|line| {
        let (_, rest) = line.split_once("fn ")?;
        rest.split_once('(').map(|(name, _)| name).filter(|name| *name != "enter")
    });
    let found = &checked.report().findings;
    let mut count = 0;
    for name in names {
        count += 1;
        let told = found.iter().any(|finding| {
            finding.rule == Rule::DoubleLock && finding.message.contains(&format!("{name}` "))
        });
        assert_eq!(told, !name.starts_with("fine"), "{name}: {checked}");
    }
    assert!(count > 20, "the functions of the fixture are not seen");
}

#[test]
fn a_lock_that_the_settings_name_is_one() {
    let checked = Project::fixture("linted", "lint-named").check(&["check"]);
    let twice = checked.report().findings.iter().filter(|found| found.rule == Rule::DoubleLock);
    let messages: Vec<&str> = twice.map(|found| &*found.message).collect();
    let [message] = messages.as_slice() else { panic!("not one: {checked}") };
    assert!(message.starts_with("`enters_twice` locks "), "{message}");
}

#[test]
fn an_editor_gets_the_findings_as_messages_of_the_compiler() {
    let project = Project::fixture("linted", "lint-editor");
    let checked = project.check(&["check", "--message-format=json"]);
    let messages: Vec<Value> = checked
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is a message"))
        .collect();
    assert_eq!(messages.last().expect("there are some")["reason"], "build-finished");
    let is_artifact = |message: &&Value| message["reason"] == "compiler-artifact";
    assert!(messages.iter().find(is_artifact).is_some(), "cargo's own go on: {checked}");
    let found = messages.iter().find(|message| {
        message["message"]["code"]["code"] == "lockcheck::lock-order"
            && message["message"]["message"].as_str().is_some_and(|text| text.contains("INDEX"))
    });
    let found = found.unwrap_or_else(|| panic!("no message: {checked}"));
    assert_eq!(found["reason"], "compiler-message");
    let diagnostic = &found["message"];
    assert_eq!(diagnostic["level"], "warning");
    let spans = diagnostic["spans"].as_array().expect("they are a list");
    assert!(spans.len() >= 4, "{diagnostic}");
    assert_eq!(spans.iter().filter(|span| span["is_primary"] == true).count(), 1);
    for span in spans {
        let file = project.root().join(span["file_name"].as_str().expect("a name"));
        let text = std::fs::read_to_string(file).expect("it is there");
        let [begin, end] =
            ["byte_start", "byte_end"].map(|key| span[key].as_u64().expect("a number"));
        let word = &text[begin as usize..end as usize];
        assert!(["lock", "blocks"].contains(&word), "{word} in {span}");
        assert!(span["label"].is_string() && span["text"][0]["highlight_end"].is_u64(), "{span}");
    }
    let children = diagnostic["children"].as_array().expect("they are a list");
    assert!(children.iter().any(|child| child["level"] == "help"), "{children:?}");
    let rendered = diagnostic["rendered"].as_str().expect("it is a text");
    for part in
        ["warning[lock-order]", "INDEX", "app/src/lib.rs:", "holds `INDEX` since here", "help: "]
    {
        assert!(rendered.contains(part), "{part} is missing in {rendered}");
    }
    assert!(found["package_id"].is_string() && found["target"]["name"].is_string(), "{found}");
}

#[test]
fn what_the_source_shows_and_what_a_run_shows_are_one_finding() {
    let project = Project::fixture("joined", "lint-joined");
    let ran = project.check(&["test", "--lib"]);
    assert_eq!(ran.code, 0, "{ran}");
    let checked = project.check(&["check", "--with-trace"]);
    let report = checked.report();
    let seen = cycle(report, &["Bank.accounts", "Bank.audit"]);
    assert_eq!(seen.evidence, [Evidence::Source, Evidence::Run], "{checked}");
    let unseen = cycle(report, &["Bank.accounts", "Bank.rates"]);
    assert_eq!(unseen.evidence, [Evidence::Source], "{checked}");
    let note =
        "no recorded run has taken `Bank.rates` under `Bank.accounts`, as `Bank::revise` does";
    assert!(unseen.notes.iter().any(|known| known == note), "{:?}", unseen.notes);
    let mut orders: Vec<(&str, &str, bool)> =
        report.orders.iter().map(|order| (&*order.from, &*order.to, order.seen)).collect();
    orders.sort_unstable();
    let expected = [
        ("Bank.accounts", "Bank.audit", true),
        ("Bank.accounts", "Bank.rates", false),
        ("Bank.audit", "Bank.accounts", true),
        ("Bank.rates", "Bank.accounts", true),
    ];
    assert_eq!(orders, expected);
    assert!(report.coverage.processes > 0 && report.coverage.functions_analyzed > 0);
    assert!(checked.stderr.contains("have taken 3 of the 4 orders of the source"), "{checked}");
}

#[test]
fn a_cycle_that_a_run_has_found_is_told_with_its_threads() {
    let project = Project::example("01-abba");
    project.check(&["test", "--lib"]);
    let checked = project.check(&["check", "--with-trace"]);
    let finding = cycle(checked.report(), &["Bank.accounts", "Bank.audit"]);
    assert_eq!(finding.evidence, [Evidence::Source, Evidence::Run], "{checked}");
    assert_eq!(checked.found(), ["lock-order reachable"], "they are one: {checked}");
    assert!(finding.edges.iter().any(|edge| edge.thread == "teller"), "{checked}");
}

#[test]
fn closures_and_what_a_task_keeps_are_told_in_the_words_of_the_source() {
    let text = "use std::sync::Mutex;\n\
                static LOG: Mutex<u8> = Mutex::new(0);\n\
                fn twice() {\n\
                    let add = || {\n\
                        let log = LOG.lock().unwrap();\n\
                        *LOG.lock().unwrap() += *log;\n\
                    };\n\
                    add();\n\
                }\n\
                async fn later() {\n\
                    let kept = LOG.lock().unwrap();\n\
                    std::future::ready(()).await;\n\
                    drop(kept);\n\
                }\n\
                fn main() {\n\
                    twice();\n\
                    drop(later());\n\
                }\n";
    let files = [("words".to_owned(), text.to_owned())];
    let checked = Project::binaries("lint-words", "2024", &files).check(&["check"]);
    let found = |rule| {
        let mut findings = checked.report().findings.iter();
        findings.find(|finding| finding.rule == rule).unwrap_or_else(|| panic!("{checked}"))
    };
    let twice = found(Rule::DoubleLock);
    assert!(twice.message.starts_with("`closure in twice` locks `LOG`"), "{checked}");
    let later = found(Rule::GuardAcrossAwait);
    assert!(later.message.starts_with("`later` awaits while it holds `LOG`"), "{checked}");
    let kept = "the guard of `LOG` is kept in `kept` (line 11) and not dropped on this path";
    assert_eq!(later.notes, [kept], "{checked}");
}

/// A program that takes a lock twice.
const TWICE: &str = "use std::sync::Mutex;\n\
                     static ONE: Mutex<u8> = Mutex::new(0);\n\
                     fn main() {\n    let one = ONE.lock().unwrap();\n    \
                     *ONE.lock().unwrap() = *one;\n}\n";

/// Checks with the compiler in use, under the name of another version; after each of its calls this line of
/// a shell script runs.
#[cfg(unix)]
fn check_with_another_compiler(user: &str, release: &str, afterwards: &str) -> Checked {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    let files = [("twice".to_owned(), TWICE.to_owned())];
    let project = Project::binaries(user, "2024", &files);
    let other = project.root().join("other-rustc");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n-vV) rustc -vV | sed 's/^release: .*/release: {release}/' ;;\n\
         *) rustc \"$@\" && {afterwards} ;;\nesac\n"
    );
    fs::write(&other, script).expect("it can be written");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut command = project.lockcheck(&["check"]);
    command.env("RUSTC", &other);
    project.finish(command)
}

#[cfg(unix)]
#[test]
fn the_version_of_a_compiler_is_no_matter_where_its_mir_is_read() {
    for (release, user) in [("1.80.1", "lint-older"), ("1.240.0", "lint-newer")] {
        let checked = check_with_another_compiler(user, release, "true");
        assert_eq!(checked.found(), ["double-lock potential"], "{checked}");
        assert_eq!(checked.report().notes, [""; 0], "{checked}");
    }
}

#[cfg(unix)]
#[test]
fn functions_that_cannot_be_read_are_counted_in_one_line() {
    let unreadable =
        r#"find . -name '*.mir' -exec sh -c 'printf "fn f(_1 {\n}\n" >>"$1"' _ {} ';'"#;
    let checked = check_with_another_compiler("lint-unread", "1.240.0", unreadable);
    assert_eq!(checked.found(), ["double-lock potential"], "{checked}");
    let coverage = &checked.report().coverage;
    let (skipped, all) =
        (coverage.functions_skipped, coverage.functions_skipped + coverage.functions_analyzed);
    assert!(skipped > 0, "{checked}");
    let told = format!(
        "{skipped} of {all} functions could not be read as Rust 1.240.0 writes them, and were not looked at"
    );
    assert_eq!(checked.report().notes, [told], "{checked}");
}

#[test]
fn what_does_not_compile_is_not_called_clean_and_hides_nothing_else() {
    let broken = ("broken".to_owned(), "fn main() { nothing() }\n".to_owned());
    let files = [broken, ("twice".to_owned(), TWICE.to_owned())];
    let checked = Project::binaries("lint-broken", "2024", &files).check(&["check"]);
    assert_eq!(checked.code, 102, "{checked}");
    assert!(checked.stderr.contains("not everything compiles"), "{checked}");
    assert_eq!(checked.found(), ["double-lock potential"], "{checked}");
}

#[test]
fn mir_that_is_gone_or_damaged_is_written_anew() {
    let files = [("twice".to_owned(), TWICE.to_owned())];
    let project = Project::binaries("lint-damaged", "2024", &files);
    let written = || {
        let built = project.report_path().with_file_name("lint/debug/deps");
        let files = std::fs::read_dir(built).expect("something is built");
        let paths = files.map(|file| file.expect("an entry").path());
        paths
            .filter(|path| path.extension().is_some_and(|ext| ext == "mir"))
            .collect::<BTreeSet<_>>()
    };
    let looks = || {
        let checked = project.check(&["check"]);
        assert_eq!(checked.found(), ["double-lock potential"], "{checked}");
    };
    looks();
    for path in written() {
        std::fs::remove_file(path).expect("it is there");
    }
    looks();
    let anew = written();
    assert!(!anew.is_empty());
    let damaged = [0xff; 64];
    for path in &anew {
        std::fs::write(path, damaged).expect("it can be written");
    }
    looks();
    assert_eq!(written(), anew);
    for path in &anew {
        assert_ne!(std::fs::read(path).expect("it is there"), damaged, "{}", path.display());
    }
}
