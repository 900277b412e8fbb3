//! Findings that are accepted one by one: by a comment at one of their places, or by their id.

use std::fs;

use cargo_lockcheck::report::model::Level;
use lockcheck_tests::{Checked, Project};

/// A bank whose two functions lock in opposite orders; `{a}` and `{b}` are where comments may stand.
const BANK: &str = r#"
use std::sync::{Arc, Barrier, Mutex};

struct Bank {
    accounts: Mutex<Vec<u64>>,
    audit: Mutex<Vec<String>>,
}

impl Bank {
    fn transfer(&self) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts[0] += 1;
        {a}
        self.audit
            .lock()
            .unwrap()
            .push("transfer".to_owned());
    }

    fn statement(&self) -> u64 {
        {b}
        let audit = self.audit.lock().unwrap();
        let total: u64 = self.accounts.lock().unwrap().iter().sum();
        total + audit.len() as u64
    }
}

fn main() {
    let bank = Bank { accounts: Mutex::new(vec![1, 2]), audit: Mutex::new(Vec::new()) };
    let (bank, both) = (Arc::new(bank), Arc::new(Barrier::new(2)));
    let (teller, start) = (Arc::clone(&bank), Arc::clone(&both));
    let teller = std::thread::spawn(move || {
        teller.transfer();
        start.wait();
    });
    both.wait();
    println!("{}", bank.statement());
    teller.join().unwrap();
}
"#;

fn bank(user: &str, at_transfer: &str, at_statement: &str) -> Project {
    let text = BANK.replace("{a}", at_transfer).replace("{b}", at_statement);
    let project = Project::binaries(user, "2021", &[("bank".to_owned(), text)]);
    // What an earlier run of this test has written is not of this one.
    let _ = fs::remove_file(project.root().join("lockcheck.toml"));
    project
}

/// What the command has said, as one line.
fn said(checked: &Checked) -> String {
    checked.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_says(checked: &Checked, sentences: &[&str]) {
    let said = said(checked);
    for sentence in sentences {
        assert!(said.contains(sentence), "`{sentence}` is missing: {checked}");
    }
}

/// All that is done with the one program, so that it is compiled as few times as can be.
#[test]
fn a_finding_of_a_run_is_accepted_at_either_place_or_by_its_id() {
    let run = ["run", "-q", "--deny", "potential"];
    let project = bank("accepted", "", "");
    let found = project.check(&run);
    assert_eq!(found.code, 100, "{found}");
    let [finding] = &*found.report().findings else { panic!("one finding: {found}") };
    let id = finding.id.clone();
    // The report says how to.
    assert_says(&found, &["// lockcheck: allow(lock-order)", "`lockcheck.toml`"]);

    let allow = |entry: &str| {
        fs::write(project.root().join("lockcheck.toml"), entry).expect("it can be written");
        project.check(&run)
    };
    let by_id = allow(&format!("[[allow]]\nid = \"{id}\"\nreason = \"only at night\"\n"));
    assert_eq!((by_id.code, by_id.found().len()), (0, 0), "{by_id}");
    let [accepted] = &*by_id.report().suppressed else { panic!("it is kept: {by_id}") };
    assert_eq!(accepted.reason, "accepted at lockcheck.toml:2: only at night");
    assert_says(&by_id, &["1 accepted: --show accepted"]);
    let shown = project.check(&[&run[..], &["--show", "accepted"]].concat());
    assert_says(&shown, &["only at night", &id]);

    let with_date = |date: &str| {
        allow(&format!("[[allow]]\nid = \"{id}\"\nreason = \"only at night\"\nuntil = {date}\n"))
    };
    assert_eq!(with_date("9999-01-01").code, 0);
    let expired = with_date("2020-02-29");
    assert_eq!(expired.code, 100, "{expired}");
    assert_says(&expired, &["warning: what lockcheck.toml:2 accepts", "until 2020-02-29"]);

    let unknown = allow("[[allow]]\nid = \"lock-odour-00000000\"\nreason = \"no\"\n");
    assert_eq!(unknown.code, 100, "{unknown}");
    assert_says(&unknown, &["`lock-odour-00000000`, which is no id", "`lock-order`"]);
    let unused = allow("[[allow]]\nid = \"lock-order-00000000\"\nreason = \"no\"\n");
    assert_says(&unused, &["`lock-order-00000000`", "was not found"]);
    let mistaken = allow("[[allow]]\nid = \"lock-order-00000000\"\n");
    assert!(mistaken.report.is_none(), "{mistaken}");
    assert_says(&mistaken, &["reason", "[[allow]]"]);
    drop(project);

    for (at_transfer, at_statement) in [
        ("// lockcheck: allow(lock-order) only at night", ""),
        ("", "// lockcheck: allow(lock-order) only at night"),
    ] {
        let project = bank("accepted", at_transfer, at_statement);
        let checked = project.check(&run);
        assert_eq!((checked.code, checked.found().len()), (0, 0), "{checked}");
        assert_says(&checked, &["1 accepted: --show accepted"]);
        assert!(checked.report().suppressed[0].reason.ends_with(": only at night"), "{checked}");
    }
}

#[test]
fn comments_that_accept_nothing_are_told() {
    let comments = "// lockcheck: allow(lock-odour) misspelt\n\
                    /* lockcheck: allow(lock-order) in a block */\n\
                    // lockcheck: allow lock-order\n\
                    // lockcheck: allow(double-lock) not there";
    let project = bank("accepted-nothing", comments, "");
    for args in [&["run", "-q", "--deny", "potential"][..], &["check"]] {
        if args == ["check"] {
            // The source tells that the barrier keeps the two apart in every run, unless it is after both.
            let path = project.root().join("src/bin/bank.rs");
            let text = fs::read_to_string(&path).expect("it can be read");
            let (wait, rest) = ("    both.wait();\n", "    println!(\"{}\", bank.statement());\n");
            let text = text.replace(&format!("{wait}{rest}"), &format!("{rest}{wait}"));
            fs::write(path, text).expect("it can be written");
        }
        let checked = project.check(args);
        assert_eq!(checked.code, 100, "{checked}");
        assert!(checked.report().findings.iter().any(|finding| finding.level == Level::Deny));
        assert_says(
            &checked,
            &[
                "warning: the comment at src/bin/bank.rs:13 allows `lock-odour`, which is no rule: \
                 `lock-order`",
                "warning: the comment at src/bin/bank.rs:14 is in a block",
                "warning: the comment at src/bin/bank.rs:15 is not understood",
                "the comment at src/bin/bank.rs:16 allows `double-lock`",
            ],
        );
    }
}
