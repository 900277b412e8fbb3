//! The compiled runtime is made once for all workspaces.

use std::fs;
use std::path::Path;

use lockcheck_tests::{Checked, Project};

const BUILDING: &str = "building the runtime for";

fn project(user: &str) -> Project {
    let program = "fn main() { drop(std::sync::Mutex::new(0).lock()) }\n".to_owned();
    Project::binaries(user, "2021", &[("locks".to_owned(), program)])
}

/// Runs the program with its runtime in this cache.
fn run(project: &Project, cache: &Path) -> Checked {
    let mut command = project.lockcheck(&["run"]);
    command.env("LOCKCHECK_CACHE_DIR", cache);
    let checked = project.finish(command);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.report().coverage.acquisitions, 1, "{checked}");
    checked
}

#[test]
fn a_second_workspace_has_the_runtime_of_the_first() {
    let (first, second) = (project("cache-first"), project("cache-second"));
    let cache = first.root().join("target/cache");
    let _ = fs::remove_dir_all(&cache);
    assert!(run(&first, &cache).stderr.contains(BUILDING));
    assert!(!run(&second, &cache).stderr.contains(BUILDING));
    assert!(!second.root().join("target/lockcheck/runtime").exists());

    let mut clean = second.lockcheck(&["clean"]);
    clean.env("LOCKCHECK_CACHE_DIR", &cache);
    let said = clean.output().expect("it starts");
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("removed 1 compiled runtime ("), "{said}");
    assert!(said.contains(&*cache.to_string_lossy()), "{said}");
    assert_eq!(fs::read_dir(&cache).expect("it is there").count(), 0);
}

/// Nobody can write below a file, whoever he is.
#[test]
fn a_cache_that_cannot_be_written_is_told_and_the_workspace_has_its_own() {
    let project = project("cache-unwritable");
    let checked = run(&project, &project.root().join("Cargo.toml"));
    let told = "warning: the compiled runtime cannot be kept for all workspaces, as `";
    assert!(checked.stderr.contains(told), "{checked}");
    assert!(project.root().join("target/lockcheck/runtime").is_dir(), "{checked}");
    let again = run(&project, &project.root().join("Cargo.toml"));
    assert!(again.stderr.contains(told) && !again.stderr.contains(BUILDING), "{again}");
}
