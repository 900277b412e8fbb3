//! What a team lives with: findings that are known, new ones that fail, and what is asked of them later.

use std::fs;

use lockcheck_tests::{Checked, Project};

/// A program that locks the statics of each pair in both orders.
fn program(pairs: &[[&str; 2]]) -> String {
    let mut text = String::from("use std::sync::Mutex;\n");
    let mut calls = String::new();
    for [a, b] in pairs {
        text += &format!(
            "static {a}: Mutex<u8> = Mutex::new(0);\nstatic {b}: Mutex<u8> = Mutex::new(0);\n"
        );
        for [first, second] in [[a, b], [b, a]] {
            let name = format!("{first}_{second}").to_lowercase();
            text += &format!(
                "fn {name}() {{\n    let first = {first}.lock().unwrap();\n    \
                 *{second}.lock().unwrap() += *first;\n}}\n"
            );
            calls += &format!("    {name}();\n");
        }
    }
    text + "fn main() {\n" + &calls + "}\n"
}

fn write(project: &Project, pairs: &[[&str; 2]]) {
    fs::write(project.root().join("src/bin/bank.rs"), program(pairs)).expect("it can be written");
}

const FIRST: [&str; 2] = ["ACCOUNTS", "AUDIT"];
const SECOND: [&str; 2] = ["CLIENTS", "RATES"];
const CHECK: &[&str] = &["run", "-q", "--deny", "needs-thread"];

fn project(user: &str) -> Project {
    let project = Project::binaries(user, "2024", &[("bank".to_owned(), program(&[FIRST]))]);
    for file in ["lockcheck.toml", "lockcheck-baseline.toml", "before.json"] {
        let _ = fs::remove_file(project.root().join(file));
    }
    project
}

/// A command that makes no report of its own, and leaves the last one.
fn ask(project: &Project, args: &[&str]) -> Checked {
    let output = project.lockcheck(args).output().expect("the command starts");
    Checked::new(output, &project.report_path())
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[test]
fn what_is_known_passes_and_what_is_new_fails() {
    let project = project("baseline");
    let baseline = project.root().join("lockcheck-baseline.toml");
    let before = project.root().join("before.json");
    let found = project.check(CHECK);
    assert_eq!(found.code, 100, "{found}");
    let known = found.report().findings[0].id.clone();

    let written = ask(&project, &["baseline", "--reason", "from before"]);
    assert_eq!(written.code, 0, "{written}");
    assert_says(&written.stderr, &["wrote lockcheck-baseline.toml: 1 added, 0 kept"]);
    let text = fs::read_to_string(&baseline).expect("it is written");
    assert_says(&text, &["version = 1", &known, "from before", "src/bin/bank.rs"]);
    let passes = project.check(&[CHECK, &["--output", "json=before.json"]].concat());
    assert_eq!((passes.code, passes.found().len()), (0, 0), "{passes}");
    assert_says(&passes.stderr, &["1 accepted: --show accepted"]);
    assert_says(&passes.report().suppressed[0].reason, &["lockcheck-baseline.toml:6: from before"]);
    // What was added by hand stays, and nothing is added twice.
    let again = ask(&project, &["baseline"]);
    assert_says(&again.stderr, &["0 added, 1 kept"]);
    assert_eq!(fs::read_to_string(&baseline).expect("it is there"), text);

    write(&project, &[FIRST, SECOND]);
    let fails = project.check(CHECK);
    assert_eq!((fails.code, fails.report().findings.len()), (100, 1), "{fails}");
    let new = fails.report().findings[0].id.clone();
    assert_ne!(new, known);
    let difference = ask(&project, &["diff", "before.json", "target/lockcheck/report.json"]);
    assert_eq!(difference.code, 100, "{difference}");
    assert_says(&difference.stdout, &[&new, "`CLIENTS`", "lockcheck: 1 new, 0 gone, 0 in both"]);
    assert!(!difference.stdout.contains(&known), "{difference}");
    let back = ask(&project, &["diff", "target/lockcheck/report.json", "before.json"]);
    assert_eq!(back.code, 0, "{back}");
    assert_says(&back.stdout, &[&format!("gone: {new}"), "0 new, 1 gone"]);
    let json =
        ask(&project, &["diff", "before.json", "target/lockcheck/report.json", "--format=json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(json["new"][0]["id"], *new);

    // All about the new one.
    let explained = ask(&project, &["explain", &new]);
    assert_eq!(explained.code, 0, "{explained}");
    let parts = [
        "error[lock-order]",
        "tier needs-thread: One thread did all of it",
        "lock `CLIENTS`: Mutex of u8, created at src/bin/bank.rs",
        "0: bank::",
        "`cargo lockcheck explain lock-order` is about the rule",
    ];
    assert_says(&explained.stdout, &parts);
    let gone = ask(&project, &["explain", "lock-order-00000000"]);
    assert_eq!(gone.code, 102, "{gone}");
    assert_says(&gone.stderr, &["the last report has no finding `lock-order-00000000`", &new]);

    // The first is cured, the second accepted.
    write(&project, &[SECOND]);
    let cured = project.check(CHECK);
    assert_says(
        &cured.stderr,
        &["1 finding of `lockcheck-baseline.toml` not found this time", &known],
    );
    let pruned = ask(&project, &["baseline", "--prune"]);
    assert_says(&pruned.stderr, &["1 added, 0 kept, 1 taken out"]);
    let text = fs::read_to_string(&baseline).expect("it is there");
    assert!(text.contains(&new) && !text.contains(&known), "{text}");
    assert_eq!(project.check(CHECK).code, 0);
    fs::remove_file(before).expect("it is there");
}

#[test]
fn findings_that_are_alike_are_accepted_and_parts_have_levels() {
    let project = project("alike");
    let settings = project.root().join("lockcheck.toml");
    let with = |text: &str| {
        fs::write(&settings, text).expect("it can be written");
        project.check(CHECK)
    };
    let accepted = with(
        "[[allow]]\nrule = \"lock-order\"\nlocks = [\"ACCOUNTS\", \"A*\"]\npaths = [\"src/bin/*\"]\n\
         crates = [\"probe\"]\nreason = \"one thread\"\n",
    );
    assert_eq!((accepted.code, accepted.found().len()), (0, 0), "{accepted}");
    assert_says(&accepted.report().suppressed[0].reason, &["lockcheck.toml:2: one thread"]);
    let other = with("[[allow]]\nrule = \"lock-order\"\nlocks = [\"CLIENTS\"]\nreason = \"r\"\n");
    assert_eq!(other.code, 100, "{other}");
    assert_says(&other.stderr, &["lockcheck.toml:2 allows some `lock-order`, which was not found"]);

    // The command line wins over a part, and a part over the whole.
    let part = "[[override]]\npaths = [\"src/bin/**\"]\nlevels = { lock-order = \"allow\" }\n";
    fs::write(&settings, part).expect("it can be written");
    let hidden = project.check(&["run", "-q"]);
    assert_eq!((hidden.code, hidden.found().len()), (0, 0), "{hidden}");
    assert_says(&hidden.stderr, &["1 not shown (allow)"]);
    assert_eq!(project.check(CHECK).code, 100);

    // The manifest may have it too.
    fs::remove_file(&settings).expect("it is there");
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("it is there");
    let more = format!("{text}[workspace.metadata.lockcheck.levels]\nneeds-thread = \"allow\"\n");
    fs::write(&manifest, more).expect("it can be written");
    let hidden = project.check(&["run", "-q"]);
    assert_says(&hidden.stderr, &["1 not shown (allow)"]);
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is_run() {
    let project = project("unreadable");
    let refused = |file: &str, text: &str, parts: &[&str]| {
        fs::write(project.root().join(file), text).expect("it can be written");
        let checked = project.check(&["run", "-q"]);
        assert_eq!(checked.code, 102, "{checked}");
        assert!(checked.report.is_none(), "{checked}");
        assert_says(&checked.stderr, parts);
        fs::remove_file(project.root().join(file)).expect("it is there");
    };
    refused(
        "lockcheck-baseline.toml",
        "version = 2\n",
        &["version 2", "help: Update cargo-lockcheck"],
    );
    refused("lockcheck-baseline.toml", "[[finding\n", &["is not understood", "help: Mend it"]);
    refused("lockcheck.toml", "[lint]\nordre = []\n", &["`ordre`", "help: Write `order`"]);
    let missing = ask(&project, &["diff", "no.json", "no.json"]);
    assert_eq!(missing.code, 102, "{missing}");
    assert_says(&missing.stderr, &["there is no report at `no.json`", "help: "]);
    let _ = fs::remove_file(project.report_path());
    let none = ask(&project, &["baseline"]);
    assert_says(&none.stderr, &["there is no report at", "help: Run `cargo lockcheck test`"]);
    let unknown = ask(&project, &["explain", "lock-odour"]);
    assert_eq!(unknown.code, 102, "{unknown}");
    assert_says(&unknown.stderr, &["neither a rule nor the id", "help: Write `lock-order`"]);
}

#[test]
fn rules_are_explained_anywhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let explain = |args: &[&str]| {
        let mut command = std::process::Command::new(lockcheck_tests::command_path());
        command.args(["lockcheck", "explain"]).args(args).current_dir(directory.path());
        let output = command.output().expect("the command starts");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_says(
        &explain(&[]),
        &["deadlock (deny) Threads wait for each other", "spin-no-progress"],
    );
    assert_says(&explain(&["lock-order"]), &["# lock-order", "```rust", "**Cure.**"]);
}
