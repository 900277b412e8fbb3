//! Programs on runtimes that others wrote: the locks of a runtime are watched, and what its scheduling
//! does to the program's own is seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lockcheck_tests::Project;
use serde_json::Value;

/// All lines of all traces below this directory.
fn lines(directory: &Path) -> Vec<Value> {
    let entries = fs::read_dir(directory).expect("it is there").map(|e| e.expect("it is listed"));
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return lines(&path);
            }
            let is_trace = path.extension().is_some_and(|e| e == "lctrace");
            let text = if is_trace { fs::read_to_string(path) } else { Ok(String::new()) };
            let text = text.expect("a trace is text");
            let line = |line: &str| serde_json::from_str(line).expect("each line is an object");
            text.lines().map(line).collect()
        })
        .collect()
}

#[test]
fn a_multi_threaded_runtime_under_load() {
    let project = Project::fixture("runtime", "load");
    let _ = fs::remove_dir_all(project.root().join("target/lockcheck/runs"));
    let checked = project.check(&["run", "-q", "--stats", "--locked"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), [""; 0], "{checked}");
    let squares: u64 = (0..500).map(|n| n * n).sum();
    assert_eq!(checked.stdout.trim(), squares.to_string(), "{checked}");

    // With statistics, each class of locks that was acquired is in the trace.
    let lines = lines(&project.root().join("target/lockcheck/runs"));
    let of = |kind: &'static str| lines.iter().filter(move |line| line["t"] == *kind);
    let file = |site: &Value| {
        let site = of("site").find(|line| line["id"] == *site).expect("sites come first");
        site["file"].as_str().expect("a path").to_owned()
    };
    let timed: BTreeSet<u64> = of("times").filter_map(|line| line["class"].as_u64()).collect();
    let classes =
        of("class").filter(|line| line["id"].as_u64().is_some_and(|id| timed.contains(&id)));
    let of_runtime = classes.filter(|line| file(&line["site"]).contains("/tokio-1.")).count();
    assert!(of_runtime > 1, "{of_runtime} classes of the runtime's locks were seen: {checked}");
    let acquisitions: u64 = of("counts").filter_map(|line| line["acquisitions"].as_u64()).sum();
    assert!(acquisitions > 1000, "{acquisitions} acquisitions were seen: {checked}");
}

/// R16 of the reference scenarios.
#[test]
fn a_task_that_is_run_by_whoever_waits_for_another() {
    let checked = Project::fixture("stolen", "stolen").check(&["run", "-q", "--locked"]);
    assert_eq!(checked.code, 100, "{checked}");
    assert_eq!(checked.found(), ["double-lock happened"], "{checked}");
    let finding = &checked.report().findings[0];
    assert_eq!(finding.locks[0].name, "TOTAL", "{checked}");
    let stack = &finding.edges[0].stack;
    let at = |function: &str| stack.iter().position(|frame| frame.contains(function));
    let (task, join) = (at("HeapJob"), at("join_context"));
    assert!(task.is_some() && task < join, "the task runs within the join: {stack:?}");
}
