//! The report in several forms at once, as they are asked for and as a service takes them.

use std::fs;
use std::path::Path;

use lockcheck_tests::{Checked, Project};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A check of one program, of which other reports than the text are made.
fn check(project: &Project, args: &[&str], variables: &[(&str, &Path)]) -> Checked {
    let mut command = project.lockcheck(&[&["run", "-q", "--deny", "needs-thread"], args].concat());
    command.envs(variables.iter().copied());
    project.finish(command)
}

#[test]
fn several_forms_at_once_and_where_services_want_them() {
    let project = Project::fixture("single", "formats");
    let root = project.root();
    // The root of a repository of its own.
    fs::create_dir_all(root.join(".git")).expect("it can be made");
    let kept = |name: &str| root.join("target/lockcheck").join(name);
    let names = [
        "report.sarif",
        "junit.xml",
        "gl-code-quality-report.json",
        "report.md",
        "lock-order.dot",
        "lock-order.graphml",
        "report.txt",
    ];
    for name in names {
        _ = fs::remove_file(kept(name));
    }
    let mut args: Vec<&str> = Vec::new();
    for format in ["sarif", "junit", "gitlab", "markdown", "dot", "graphml", "text", "github"] {
        args.extend(["--output", format]);
    }
    args.extend(["--output", "sarif=elsewhere/named.sarif"]);
    let checked = check(&project, &args, &[]);
    assert_eq!(checked.code, 100, "{checked}");
    let finding = &checked.report().findings[0];
    assert_eq!(finding.package.as_deref(), Some("single"), "{checked}");
    for name in names {
        let text = read(&kept(name));
        let is_graph = name.starts_with("lock-order");
        assert!(is_graph || text.contains(&finding.id), "{name}: {text}");
        assert!(!is_graph || finding.locks.iter().all(|lock| text.contains(&lock.name)), "{text}");
    }
    assert_eq!(read(&root.join("elsewhere/named.sarif")), read(&kept("report.sarif")));
    let annotation = "::error file=src/lib.rs,line=";
    assert!(checked.stdout.contains(annotation), "{checked}");

    // The services that show reports get theirs unasked, beside the text.
    let summary = root.join("summary.md");
    fs::write(&summary, "of another step\n").expect("it can be written");
    let on = Path::new("true");
    let in_github = [("GITHUB_ACTIONS", on), ("GITHUB_STEP_SUMMARY", &summary)];
    let checked = check(&project, &[], &in_github);
    assert!(checked.stdout.contains(annotation), "{checked}");
    assert!(checked.stderr.contains("error[lock-order]"), "{checked}");
    let text = read(&summary);
    assert!(text.starts_with("of another step\n") && text.contains(&finding.id), "{text}");
    // JSON on stdout stays JSON.
    let checked = check(&project, &["--format", "json"], &in_github);
    assert!(checked.stdout.starts_with('{') && !checked.stdout.contains("::error"), "{checked}");

    _ = fs::remove_file(kept("gl-code-quality-report.json"));
    let checked = check(&project, &[], &[("GITLAB_CI", on)]);
    assert!(!checked.stdout.contains("::error"), "{checked}");
    assert!(read(&kept("gl-code-quality-report.json")).contains(&finding.id), "{checked}");
}
