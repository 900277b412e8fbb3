//! Programs whose verdict stands in their header; see `tests/scenarios/README.md`.

use std::fs;
use std::path::Path;

use cargo_lockcheck::report::model::Report;
use lockcheck_tests::{Project, workspace};
use lockdep::finding::Tier;

/// Programs whose verdict is not reached, each with the reason. They are not run: some hang.
const MISSED: &[(&str, &str)] = &[(
    "order-barrier",
    "that a barrier kept the threads apart makes it `potential`, not `reachable`",
)];

struct Verdict {
    expected: Vec<(String, Option<Tier>)>,
    accepted: Vec<(String, Option<Tier>)>,
    silence_accepted: bool,
    suppressed: Vec<(String, Option<Tier>)>,
}

fn pairs(text: &str) -> Vec<(String, Option<Tier>)> {
    text.split(';')
        .map(|pair| pair.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first().is_some_and(|&rule| rule != "none"))
        .map(|words| (words[0].to_owned(), words.get(1).and_then(|t| Tier::from_code(t))))
        .collect()
}

impl Verdict {
    fn read(program: &Path) -> Verdict {
        let text = fs::read_to_string(program).expect("the program can be read");
        let header = |key: &str| {
            let prefix = format!("//! {key}: ");
            text.lines().filter_map(|l| l.strip_prefix(&prefix)).collect::<Vec<_>>().join(";")
        };
        let accept = header("accept");
        Verdict {
            expected: pairs(&header("expect")),
            silence_accepted: accept.split(';').any(|part| part.trim() == "none"),
            accepted: pairs(&accept),
            suppressed: pairs(&header("suppressed")),
        }
    }

    /// What is wrong with the report, if anything.
    fn check(&self, report: &Report) -> Option<String> {
        let found: Vec<(String, Tier)> =
            report.findings.iter().map(|f| (f.rule.to_string(), f.tier)).collect();
        let said = format!("{found:?}");
        let is = |want: &(String, Option<Tier>), got: &(String, Tier)| {
            want.0 == got.0 && want.1.is_none_or(|tier| !exact(&want.0) || surer(got.1, tier))
        };
        let missing = self.suppressed.iter().find(|want| {
            !report
                .suppressed
                .iter()
                .any(|s| s.finding.rule.to_string() == want.0 && Some(s.finding.tier) == want.1)
        });
        if let Some(missing) = missing {
            return Some(format!("{missing:?} is not among what is not shown"));
        }
        if found.is_empty() {
            let silent = self.silence_accepted || self.expected.is_empty();
            return (!silent).then(|| format!("silent, expected {:?}", self.expected));
        }
        let all = || self.expected.iter().chain(&self.accepted);
        if found.iter().any(|got| !all().any(|want| is(want, got))) {
            return Some(format!("found {said}, expected {:?}", self.expected));
        }
        let instead = self.accepted.iter().any(|want| found.iter().any(|got| is(want, got)));
        let reached = |want: &&(String, Option<Tier>)| found.iter().any(|got| is(want, got));
        if !self.expected.iter().all(|want| reached(&want)) && !instead {
            return Some(format!("found {said}, expected {:?}", self.expected));
        }
        let hangs = self.expected.iter().any(|want| want.1 == Some(Tier::Happened));
        (hangs && !found.iter().any(|got| got.1 == Tier::Happened))
            .then(|| format!("it hangs, but only {said} was found"))
    }
}

/// Whether the tier of this rule is more than a word.
fn exact(rule: &str) -> bool {
    matches!(rule, "lock-order" | "wait-while-holding")
}

/// Whether a finding of this tier is the expected one, or one that is as good as seen.
fn surer(got: Tier, expected: Tier) -> bool {
    let may_grow = matches!(expected, Tier::Potential | Tier::Reachable | Tier::Happened);
    got == expected || (may_grow && got >= expected.max(Tier::Reachable))
}

fn run_all(package: &str) {
    let project = Project::scenarios(package);
    let programs = workspace().join("tests/scenarios").join(package).join("src/bin");
    let mut names: Vec<String> = fs::read_dir(&programs)
        .expect("the programs are there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| !MISSED.iter().any(|(missed, _)| missed == name))
        .collect();
    names.sort_unstable();
    assert!(!names.is_empty());
    let mut wrong = Vec::new();
    for name in &names {
        let verdict = Verdict::read(&programs.join(name).with_extension("rs"));
        let checked = project.check(&["run", "-q", "--bin", name]);
        if let Some(what) = verdict.check(checked.report()) {
            wrong.push(format!("{name}: {what}\n{checked}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), names.len(), wrong.join("\n"));
}

#[test]
fn programs_on_the_standard_library() {
    run_all("run-std");
}

#[test]
fn programs_on_parking_lot() {
    run_all("run-pl");
}

#[test]
fn programs_on_tokio() {
    run_all("run-tokio");
}
