//! Projects of every make build and behave as they do under cargo alone.

use std::fs;

use lockcheck_tests::{Checked, Project, workspace};

fn assert_passes(checked: &Checked) {
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), [""; 0]);
}

/// Editions, crate types, doctests, a build script, a procedural macro, `no_std` crates, denied
/// warnings, a dependency named `lockdep`, and cargo's configuration, in one workspace. The tests
/// inside tell by type names whose locks they have.
#[test]
fn a_workspace_of_all_kinds() {
    let project = Project::fixture("whole", "whole");
    let lock = fs::read(project.root().join("Cargo.lock")).expect("there is a lock file");
    let checked = project.check(&["test", "--workspace", "--locked", "--offline"]);
    assert_passes(&checked);
    assert!(!checked.stderr.contains("warning"), "the facade makes no noise: {checked}");
    assert!(checked.stderr.contains("Doc-tests edition_2024"), "{checked}");
    assert_eq!(fs::read(project.root().join("Cargo.lock")).expect("it is still there"), lock);

    // Again, for the one package whose program has a code and arguments of its own.
    let checked = project.check(&["run", "-p", "edition-2024", "--", "--format", "two"]);
    assert_eq!(checked.code, 2, "{checked}");
    assert!(checked.stdout.contains(r#"["--format", "two"] lockdep::"#), "{checked}");
}

#[test]
fn panics_that_abort_and_optimisation_at_link_time() {
    let project = Project::fixture("whole", "abort");
    let checked = project.check(&["run", "--profile=abort", "--package=edition-2024"]);
    assert_passes(&checked);
    assert!(checked.stdout.contains("[] lockdep::"), "{checked}");
}

/// The user's wrapper is called for each crate, from the environment and from the configuration.
#[cfg(unix)]
#[test]
fn a_wrapper_of_the_users() {
    use std::os::unix::fs::PermissionsExt;

    let project = Project::fixture("single", "wrapped");
    let root = project.root();
    let wrapper = root.join("wrapper.sh");
    fs::write(&wrapper, "#!/bin/sh\necho \"$0 $*\" >> \"$WRAPPED\"\nexec \"$@\"\n")
        .and_then(|()| fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)))
        .expect("the wrapper is made");
    let calls = root.join("calls");
    let run = |configure: &dyn Fn(&mut std::process::Command)| {
        // Both are left over from an earlier run, where they exist.
        let _ = fs::remove_file(&calls);
        let _ = fs::remove_dir_all(root.join("target/lockcheck/build"));
        let mut command = project.lockcheck(&["run"]);
        command.env("WRAPPED", &calls);
        configure(&mut command);
        let checked = project.finish(command);
        assert_eq!(checked.found(), ["lock-order needs-thread"], "{checked}");
        let calls = fs::read_to_string(&calls).expect("the wrapper was called");
        assert!(calls.contains("--crate-name single") && calls.contains("std="), "{calls}");
    };
    run(&|command| {
        command.env("RUSTC_WRAPPER", &wrapper);
    });
    fs::create_dir_all(root.join(".cargo")).expect("the directory is made");
    fs::write(root.join(".cargo/config.toml"), "build.rustc-wrapper = './wrapper.sh'\n")
        .expect("the configuration is written");
    run(&|_| ());
}

#[test]
fn nextest() {
    let project = Project::fixture("single", "nextest");
    let version = std::process::Command::new("cargo").args(["nextest", "--version"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        // Nothing else of these tests needs more than a Rust toolchain.
        return;
    }
    let checked = project.check(&["nextest", "run", "--lib"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.report().coverage.processes, 1, "only one test takes locks");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
}

/// The program uses the library: each lock is watched, and none twice.
#[test]
fn a_program_that_uses_the_runtime_as_a_library() {
    let program = "use std::sync as own;
use lockdep::sync as library;
macro_rules! both_ways {
    ($a:expr, $b:expr) => {
        let (a, b) = ($a, $b);
        drop((a.lock().unwrap(), b.lock().unwrap()));
        drop((b.lock().unwrap(), a.lock().unwrap()));
    };
}
fn main() {
    both_ways!(own::Mutex::new(1), own::Mutex::new(2));
    both_ways!(library::Mutex::new(1), library::Mutex::new(2));
}
";
    let files = [("both".to_owned(), program.to_owned())];
    let project = Project::binaries("library", "2024", &files);
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the manifest");
    let path = workspace().join("lockdep");
    let more = format!(
        "[features]\ninstrument = [\"lockdep/instrument\"]\n\
         [dependencies]\nlockdep = {{ path = {path:?}, default-features = false }}\n"
    );
    fs::write(&manifest, text + &more).expect("it can be written");
    for features in ["", "instrument"] {
        let checked = project.check(&["run", "--offline", "--features", features]);
        assert_eq!(checked.code, 0, "{checked}");
        assert_eq!(checked.found(), ["lock-order needs-thread"], "{checked}");
        assert_eq!(checked.report().findings.len(), 2, "{checked}");
        assert_eq!(checked.report().coverage.locks, 4, "{checked}");
        assert_eq!(checked.report().coverage.processes, 1, "{checked}");
    }
}

/// Which runtime is linked depends on the lock file, and cargo does not know of the runtime.
#[test]
fn a_lock_file_that_is_missing_or_behind() {
    const ONE: &str =
        "fn main() {\n    println!(\"{}\", parking_lot::Mutex::new(1).into_inner());\n}\n";
    const OTHER: &str = "fn main() {\n    drop(lockdep::sync::Semaphore::new(1).acquire());\n}\n";
    let sources = [("one".to_owned(), ONE.to_owned()), ("two".to_owned(), ONE.to_owned())];
    let project = Project::binaries("lock-file", "2024", &sources);
    _ = fs::remove_file(project.root().join("Cargo.lock"));
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("it has been written");
    let with_lock = format!("{text}[dependencies]\nparking_lot = \"=0.12.5\"\n");
    fs::write(&manifest, &with_lock).expect("it can be written");
    // The second check has the lock file that the first has written.
    assert_passes(&project.check(&["run", "--bin", "one"]));
    assert_passes(&project.check(&["run", "--bin", "two"]));

    let library = workspace().join("lockdep");
    fs::write(&manifest, format!("{with_lock}lockdep.path = {library:?}\n"))
        .expect("it can be written");
    fs::write(project.root().join("src/bin/two.rs"), OTHER).expect("it can be written");
    assert_passes(&project.check(&["run", "--bin", "two"]));
}
