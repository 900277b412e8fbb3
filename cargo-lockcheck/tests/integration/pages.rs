//! The HTML report. What a browser makes of it is checked by `.ci/browser`, which opens the pages that are
//! written here, in `target/tmp/pages`.

use std::fs;
use std::path::Path;

use cargo_lockcheck::report::graph::{GraphLock, LockOrder, OrderGraph};
use cargo_lockcheck::report::model::{Finding, Level, Place, Report};
use cargo_lockcheck::report::render::{Format, Show};
use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::report::times::{LockTimes, Longest};
use serde_json::Value;

use crate::formats::{awkward, cycle, place};
use crate::report::{case_reports_with_sources, printed};
use crate::synthetic::no_sources;

/// A large program: 5,000 locks in 20 packages, 20,000 orders, and 500 findings.
fn large() -> Report {
    const LOCKS: usize = 5_000;
    const PACKAGES: usize = 20;
    let package = |lock: usize| format!("package-{}", lock % PACKAGES);
    let lock = |lock: usize| GraphLock {
        name: format!("Service{lock}.state"),
        kind: Some("Mutex".to_owned()),
        created: Some(place(&format!("{}/src/service_{lock}.rs", package(lock)), 10)),
        package: Some(package(lock)),
    };
    let order = |from: usize, to: usize| LockOrder {
        from,
        to,
        from_site: place(&format!("{}/src/service_{from}.rs", package(from)), 20),
        to_site: place(&format!("{}/src/service_{to}.rs", package(to)), 30),
        ways: 1 + (from % 3) as u64,
    };
    // Upwards there is no cycle; a few lead back.
    let upwards = (0..LOCKS).flat_map(|from| {
        [1, 7, 61, 331]
            .into_iter()
            .filter(move |step| from + step < LOCKS)
            .map(move |step| (from, from + step))
    });
    let back = (0..250).map(|number| (number * 19 + 1, number * 19));
    let orders = upwards.chain(back).map(|(from, to)| order(from, to)).collect();
    let finding = |number: usize| {
        let (one, two) = (number * 9, number * 9 + 1);
        let names = [one, two].map(|lock| format!("Service{lock}.state"));
        let stack = |edge: usize| {
            (0..12)
                .map(|frame| {
                    format!("package::module::function_{frame} at src/a.rs:{}:5", edge + frame)
                })
                .collect()
        };
        let mut finding = cycle([&names[0], &names[1]], ["worker", "janitor"]);
        for (number, edge) in finding.edges.iter_mut().enumerate() {
            edge.stack = stack(number);
        }
        Finding {
            id: format!("lock-order-{number:08x}"),
            level: if number.is_multiple_of(3) { Level::Deny } else { Level::Warn },
            package: Some(package(one)),
            tests: vec![format!("tests::test_{}", number % 50)],
            ..finding
        }
    };
    Report {
        findings: (0..500).map(finding).collect(),
        order_graph: OrderGraph { locks: (0..LOCKS).map(lock).collect(), orders },
        ..Report::default()
    }
}

fn with_times() -> Report {
    let times = |number: u64| LockTimes {
        lock: format!("Bank.accounts{number}"),
        acquisitions: 1_234_567 / number,
        contended: 99 * number,
        wait: vec![0, 0, 0, 0, 0, 0, 1, 40, 300 / number, 10, 2, 0, 1],
        hold: vec![0, 0, 0, 5, 900, 80, 7],
        longest_wait: Some(Longest { ns: 7_654_321, site: place("src/bank.rs", 40) }),
        longest_hold: None,
    };
    Report { times: (1..60).map(times).collect(), ..Report::default() }
}

/// The pages that browsers are tried on, by name.
fn pages() -> Vec<(&'static str, Report, Sources)> {
    let case = case_reports_with_sources().into_iter().find(|(name, ..)| name.ends_with("/abba"));
    let (_, sources, abba) = case.expect("the case is there");
    vec![
        ("abba", abba, sources),
        ("awkward", awkward(), no_sources()),
        ("empty", Report::default(), no_sources()),
        ("times", with_times(), no_sources()),
        ("large", large(), no_sources()),
    ]
}

/// What is between two marks.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no `{begin}`"));
    rest.split_once(end).unwrap_or_else(|| panic!("no `{end}`")).0
}

#[test]
fn a_page_has_all_of_the_report_and_nothing_of_it_is_markup() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&directory).expect("it can be made");
    for (name, report, sources) in pages() {
        let page = printed(&report, Format::Html, &sources, &Show::default());
        fs::write(directory.join(name).with_extension("html"), &page).expect("it can be written");
        assert_eq!(page.matches("<script").count(), 3, "{name}");
        assert_eq!(page.matches("</script>").count(), 3, "{name}");
        assert!(!page.contains("<!--data-->") && !page.contains("<!--scripts-->"), "{name}");
        for outside in ["src=\"", "href=\"http", "@import", "url(http"] {
            assert!(!page.contains(outside), "{name} needs something else: {outside}");
        }
        let data = between(&page, "id=\"report\">\n", "\n</script>");
        let data: Value = serde_json::from_str(data).expect("the data is JSON");
        let shown = data["findings"].as_array().expect("a list");
        assert_eq!(shown.len(), report.findings.len() + report.suppressed.len(), "{name}");
        assert_eq!(
            data["graph"]["locks"].as_array().map(Vec::len),
            Some(report.order_graph.locks.len())
        );
        for finding in shown {
            let rule = finding["rule"].as_str().expect("a rule");
            assert!(
                data["rules"][rule]["html"].as_str().is_some_and(|html| html.contains("<pre>")),
                "{rule}"
            );
        }
    }
}

#[test]
fn sources_are_quoted_around_each_place() {
    let (_, report, sources) = pages().swap_remove(0);
    let page = printed(&report, Format::Html, &sources, &Show::default());
    let data: Value =
        serde_json::from_str(between(&page, "id=\"report\">\n", "\n</script>")).expect("JSON");
    let places: Vec<&Place> = report.findings.iter().flat_map(Finding::places).collect();
    assert!(!places.is_empty());
    for place in places {
        let quoted = &data["sources"][place.to_string()];
        let at = u64::from(place.line) - quoted["first"].as_u64().expect("a first line");
        let line = quoted["lines"][at as usize].as_str().expect("the line is there");
        let text = sources.text(&place.file).expect("the file is there");
        assert_eq!(text.lines().nth(place.line as usize - 1), Some(line), "{place}");
    }
}
