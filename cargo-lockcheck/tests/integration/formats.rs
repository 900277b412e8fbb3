//! Every format, read by others: the schemas that are published for it, and the programs that it is
//! made for, where they are installed.
//!
//! A program that is missing leaves its part out, with a line that says so; with `LOCKCHECK_READERS=all`
//! in the environment, as `.ci/readers` has it, it is an error.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use cargo_lockcheck::report::graph::{GraphLock, LockOrder, OrderGraph};
use cargo_lockcheck::report::model::{
    Edge, Finding, Level, Lock, Mode, Place, Report, Site, Suppressed,
};
use cargo_lockcheck::report::render::{Format, Show, markdown};
use cargo_lockcheck::report::sources::Sources;
use lockdep::finding::{Rule, Tier};
use serde_json::Value;

use crate::report::{case_reports_with_sources, printed};
use crate::synthetic::no_sources;

/// The reports of all cases, and two that strain a format: one with what has a meaning in it, one with
/// many findings.
fn reports() -> Vec<(String, Sources, Report)> {
    let mut reports = case_reports_with_sources();
    reports.push(("awkward".to_owned(), no_sources(), awkward()));
    reports.push(("many".to_owned(), no_sources(), many(400)));
    reports.push(("empty".to_owned(), no_sources(), Report::default()));
    reports
}

pub(crate) fn place(file: &str, line: u32) -> Place {
    Place { file: file.to_owned(), line, column: 9 }
}

/// A cycle of two locks with these names, and threads with these.
pub(crate) fn cycle(names: [&str; 2], threads: [&str; 2]) -> Finding {
    let lock = |name: &str| Lock {
        name: name.to_owned(),
        kind: "RwLock".to_owned(),
        ty: "Vec<u8>".to_owned(),
        created: place("src/a b.rs", 3),
        unwatched: false,
    };
    let edge = |from, thread: &str| Edge {
        from,
        to: 1 - from,
        thread: thread.to_owned(),
        process: None,
        function: Some("<T as Trait>::f".to_owned()),
        from_mode: Mode::Write,
        to_mode: Mode::Read,
        from_site: place("src/a b.rs", 10 + from as u32),
        to_site: place("dep-1.0.0/src/100%.rs", 20),
        stack: vec!["<T as Trait>::f at src/a b.rs:11:9".to_owned()],
        from_stack: vec!["g::{{closure}} at src/a b.rs:10:9".to_owned()],
    };
    let mut finding = Finding::new(Rule::LockOrder, Tier::Reachable, "");
    finding.message =
        format!("`{}` & `{}` are \"locked\" in <opposite> orders", names[0], names[1]);
    finding.level = Level::Deny;
    finding.locks = names.map(lock).to_vec();
    finding.edges = vec![edge(0, threads[0]), edge(1, threads[1])];
    finding
}

/// Names, threads, paths and sentences with what has a meaning in some format.
pub(crate) fn awkward() -> Report {
    let mut finding = cycle(
        ["Bank<\"x\">.a]]>", "r#\\\"é`|\u{1F512}"],
        ["tests::a,b:c%\n::error::", "<b>&amp;--></b>"],
    );
    finding.id = "lock-order-00000001".to_owned();
    finding.sites = vec![Site { place: place("src/a b.rs", 0), label: "```\n| here |".to_owned() }];
    finding.tests = vec!["tests::<a>".to_owned()];
    let mut accepted = cycle(["A", "B"], ["one", "two"]);
    accepted.id = "lock-order-00000002".to_owned();
    let placeless = Finding {
        id: "stuck-wait-00000003".to_owned(),
        ..Finding::new(Rule::StuckWait, Tier::Happened, "nobody is left")
    };
    let lock = |name: &str| GraphLock {
        name: name.to_owned(),
        kind: Some("RwLock".to_owned()),
        created: Some(place("src/a b.rs", 3)),
        package: None,
    };
    let order = |from| LockOrder {
        from,
        to: 1 - from,
        from_site: place("src/\"q\".rs", 1),
        to_site: place("src/a\\b.rs", 2),
        ways: 2,
    };
    Report {
        findings: vec![finding, placeless],
        suppressed: vec![Suppressed {
            finding: accepted,
            reason: "accepted at src/a.rs:4: only at night".to_owned(),
            accepted: Some(place("src/a.rs", 4)),
        }],
        order_graph: OrderGraph {
            locks: vec![lock("Bank<\"x\">.a]]>"), lock("r#\\\"é`|{}\u{1F512}")],
            orders: vec![order(0), order(1)],
        },
        warnings: vec!["a <comment> allows | nothing".to_owned()],
        notes: vec!["one\nnote".to_owned()],
        ..Report::default()
    }
}

fn many(count: usize) -> Report {
    let finding = |number: usize| Finding {
        id: format!("lock-order-{number:08x}"),
        level: if number.is_multiple_of(2) { Level::Deny } else { Level::Warn },
        ..cycle([&format!("A{number}"), "B"], ["one", "two"])
    };
    Report { findings: (0..count).map(finding).collect(), ..Report::default() }
}

fn text(report: &Report, format: Format, sources: &Sources) -> String {
    printed(report, format, sources, &Show::default())
}

/// What speaks against `json` in the schema of this name.
fn faults(schema: &str, json: &Value) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/schemas").join(schema);
    let schema = fs::read_to_string(path).expect("the schema is there");
    // The published schema of SARIF has a `]` too many in what a language is, which is no regular
    // expression to strict readers; no report names a language.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Value = serde_json::from_str(&schema).expect("it is JSON");
    let validator = jsonschema::options().build(&schema).expect("it is a schema");
    let errors = validator.iter_errors(json);
    errors.map(|error| format!("{error} at {}", error.instance_path())).collect()
}

fn json(report: &Report, format: Format, sources: &Sources) -> Value {
    serde_json::from_str(&text(report, format, sources)).expect("it is JSON")
}

/// Each log is also written to `target/tmp/sarif`, where `.ci/readers` has another tool judge it.
#[test]
fn sarif_keeps_to_its_schema() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sarif");
    fs::create_dir_all(&directory).expect("it can be made");
    for (number, (name, sources, report)) in reports().into_iter().enumerate() {
        let log = json(&report, Format::Sarif, &sources);
        let path = directory.join(format!("{number}.sarif"));
        fs::write(path, log.to_string()).expect("it can be written");
        assert_eq!(faults("sarif-2.1.0.json", &log), [""; 0], "{name}");
    }
    let mut broken = json(&awkward(), Format::Sarif, &no_sources());
    broken["runs"][0]["results"][0]["level"] = "deny".into();
    assert_eq!(faults("sarif-2.1.0.json", &broken).len(), 1, "the schema takes anything");
}

#[test]
fn sarif_tells_each_thread_and_what_is_accepted() {
    for (name, sources, report) in reports() {
        let log = json(&report, Format::Sarif, &sources);
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("results");
        let accepted = report.suppressed.iter().filter(|one| one.accepted.is_some());
        let told: Vec<&Finding> =
            report.findings.iter().chain(accepted.map(|one| &one.finding)).collect();
        assert_eq!(results.len(), told.len(), "{name}");
        for (result, finding) in results.iter().zip(told) {
            assert_eq!(result["partialFingerprints"]["lockcheckFindingId/v1"], *finding.id);
            let rule = result["ruleIndex"].as_u64().expect("an index") as usize;
            assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], finding.rule.code());
            let threads = finding.edges.len().max(finding.waits.len());
            let flows = result["codeFlows"][0]["threadFlows"].as_array();
            assert_eq!(flows.map_or(0, Vec::len), threads, "{name}: {}", finding.id);
            let orders = flows.into_iter().flatten().flat_map(|flow| {
                let steps = flow["locations"].as_array().expect("a flow has steps");
                steps.iter().map(|step| step["executionOrder"].as_u64().expect("an order"))
            });
            let distinct: BTreeSet<u64> = orders.clone().collect();
            assert_eq!(distinct.len(), orders.count(), "{name}: {}", finding.id);
        }
    }
    let log = json(&awkward(), Format::Sarif, &no_sources());
    let suppression = &log["runs"][0]["results"][2]["suppressions"][0];
    assert_eq!(
        (&suppression["kind"], &suppression["status"]),
        (&"inSource".into(), &"accepted".into())
    );
    assert_eq!(suppression["justification"], "accepted at src/a.rs:4: only at night");
}

#[test]
fn paths_are_those_of_the_repository() {
    let case = case_reports_with_sources().into_iter().find(|(name, ..)| name.ends_with("/abba"));
    let (_, sources, report) = case.expect("the case is there");
    let location = |format: Format, path: &[&str]| {
        let mut json = json(&report, format, &sources);
        for key in path {
            json = match key.parse::<usize>() {
                Ok(index) => json[index].take(),
                Err(_) => json[*key].take(),
            };
        }
        json
    };
    let artifact =
        ["runs", "0", "results", "0", "locations", "0", "physicalLocation", "artifactLocation"];
    let artifact = location(Format::Sarif, &artifact);
    assert_eq!(artifact["uriBaseId"], "REPOSITORY");
    assert!(artifact["uri"].as_str().is_some_and(|uri| uri.starts_with("src/")), "{artifact}");
    assert!(
        location(Format::Gitlab, &["0", "location", "path"])
            .as_str()
            .is_some_and(|path| path.starts_with("src/"))
    );
    // What is in no file of the repository is shown where it comes from.
    let strange = json(&awkward(), Format::Sarif, &no_sources());
    let artifact =
        &strange["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(artifact["uri"], "dep-1.0.0/src/100%25.rs");
    assert_eq!(artifact["uriBaseId"], "DEPENDENCIES");
    assert_eq!(
        json(&awkward(), Format::Gitlab, &no_sources())[0]["location"]["path"],
        "Cargo.lock"
    );
}

/// Each list is also written to `target/tmp/gitlab`, where `.ci/readers` has another reader judge it.
#[test]
fn code_quality_keeps_to_what_gitlab_asks() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gitlab");
    fs::create_dir_all(&directory).expect("it can be made");
    for (number, (name, sources, report)) in reports().into_iter().enumerate() {
        let issues = json(&report, Format::Gitlab, &sources);
        let path = directory.join(format!("{number}.json"));
        fs::write(path, issues.to_string()).expect("it can be written");
        assert_eq!(faults("code-quality.json", &issues), [""; 0], "{name}");
        let issues = issues.as_array().expect("a list");
        let fingerprints: BTreeSet<&str> =
            issues.iter().filter_map(|issue| issue["fingerprint"].as_str()).collect();
        assert_eq!(fingerprints.len(), report.findings.len(), "{name}");
    }
}

#[test]
fn annotations_keep_to_githubs_limits() {
    for (name, sources, report) in reports() {
        let text = text(&report, Format::Github, &sources);
        let count = |command: &str| text.lines().filter(|line| line.starts_with(command)).count();
        let of_level =
            |level| report.findings.iter().filter(|finding| finding.level == level).count();
        assert_eq!(count("::error "), of_level(Level::Deny).min(10), "{name}");
        assert_eq!(count("::warning "), of_level(Level::Warn).min(10), "{name}");
        let all = count("::error ") + count("::warning ") + count("::notice ");
        assert_eq!(text.lines().count(), all, "a name has made a line of its own: {text}");
        assert_eq!(
            count("::notice "),
            usize::from(of_level(Level::Deny).max(of_level(Level::Warn)) > 10)
        );
    }
    let text = text(&many(40), Format::Github, &no_sources());
    assert!(text.contains("::20 more findings are in the summary"), "{text}");
}

#[test]
fn markdown_keeps_to_githubs_limits_and_says_what_is_left_out() {
    for (name, sources, report) in reports() {
        let text = text(&report, Format::Markdown, &sources);
        assert!(text.len() <= markdown::COMMENT, "{name}: {} bytes", text.len());
        assert!(text.starts_with(markdown::MARKER), "{name}");
        let opened = text.matches("<details>").count();
        assert_eq!(opened, text.matches("</details>").count(), "{name}");
        let left = report.findings.len() - opened;
        assert_eq!(text.contains("left out here"), left > 0, "{name}");
        assert!(
            left == 0 || text.contains(&format!("{left} more findings are left out")),
            "{name}"
        );
    }
}

/// Gives `input` to a program that is to take it without complaint; what it printed. Nothing where
/// there is no such program.
fn read_by(program: &str, args: &[&str], input: &str) -> Option<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("input");
    fs::write(&path, input).expect("it can be written");
    let output = match Command::new(program).args(args).arg(&path).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let must_be = env::var_os("LOCKCHECK_READERS").is_some_and(|value| value == "all");
            assert!(!must_be, "`{program}` is not installed");
            return None;
        }
        output => output.expect("it starts"),
    };
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {complaints}\n{input}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn junit_is_read_with_its_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/schemas/junit-10.xsd");
    for (name, sources, report) in reports() {
        let xml = text(&report, Format::Junit, &sources);
        let denied = report.findings.iter().filter(|finding| finding.level == Level::Deny).count();
        assert_eq!(xml.matches("<failure").count(), denied, "{name}");
        // The count of skipped cases in the outermost element is younger than the schema.
        let (first, rest) = xml.split_once("<testsuite ").expect("there is a suite");
        let (before, skipped) = first.split_once(" skipped=\"").expect("it is counted");
        let (_, after) = skipped.split_once('"').expect("the attribute ends");
        let xml = format!("{before}{after}<testsuite {rest}");
        read_by("xmllint", &["--noout", "--schema", schema], &xml);
    }
}

#[test]
fn graphviz_draws_the_order_graph() {
    for (name, sources, report) in reports() {
        let graph = text(&report, Format::Dot, &sources);
        let Some(drawn) = read_by("dot", &["-Tsvg"], &graph) else { return };
        assert_eq!(
            drawn.matches("class=\"node\"").count(),
            report.order_graph.locks.len(),
            "{name}"
        );
        assert_eq!(
            drawn.matches("class=\"edge\"").count(),
            report.order_graph.orders.len(),
            "{name}"
        );
    }
}

#[test]
fn graphml_is_read_by_another_program() {
    for (name, sources, report) in reports() {
        let graph = text(&report, Format::Graphml, &sources);
        let Some(read) = read_by("graphml2gv", &[], &graph) else { return };
        assert_eq!(read.matches("->").count(), report.order_graph.orders.len(), "{name}: {read}");
    }
}
