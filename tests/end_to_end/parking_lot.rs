//! Both versions of `parking_lot` in one program, with each of their features, and what guards that may
//! be sent to another thread change.

use std::fs;

use lockcheck_tests::{Checked, Project};

/// Runs a program of the fixture that only `user` uses, with these features.
fn run(user: &str, program: &str, features: &str) -> Checked {
    let project = Project::fixture("versions", user);
    project.check(&["run", "-q", "--locked", "--features", features, "--bin", program])
}

/// Each feature alone, and all that go together: `parking_lot` itself refuses to have guards sent while
/// it looks for deadlocks.
#[test]
fn features_of_both_versions() {
    let features = [
        "",
        "arc_lock",
        "deadlock_detection",
        "hardware-lock-elision",
        "owning_ref",
        "send_guard",
        "serde",
        "arc_lock,deadlock_detection,hardware-lock-elision,owning_ref,serde",
        "arc_lock,hardware-lock-elision,owning_ref,send_guard,serde",
    ];
    for features in features {
        let checked = run("features", "features", features);
        assert_eq!(checked.found(), ["lock-order needs-thread"], "{features}: {checked}");
        assert_eq!(checked.code, 0, "{features}: {checked}");
        assert_eq!(checked.stdout, "both versions\n", "{features}: {checked}");
        let mut names: Vec<&str> =
            checked.report().findings[0].locks.iter().map(|lock| &*lock.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b"], "{features}: {checked}");
    }
}

#[test]
fn a_guard_that_is_sent_away_for_the_first_time() {
    let checked = run("send-guard", "sent", "send_guard");
    assert_eq!(checked.found(), [""; 0], "{checked}");
    assert_eq!(checked.code, 0, "{checked}");
}

#[test]
fn a_guard_that_could_have_been_sent_away_and_was_not() {
    for features in ["", "send_guard"] {
        let checked = run("send-guard", "kept", features);
        assert_eq!(checked.found(), ["double-lock happened"], "{features}: {checked}");
    }
}

/// The versions of `parking_lot` and `lock_api` that lock files have. Before 0.4.13, `lock_api` tells nobody
/// by whom a lock is acquired; before 0.4.11 it makes no guards, before 0.4.7 no locks in constants, and
/// before 0.4.6 it does not tell writers from readers.
#[test]
fn versions_of_old_lock_files() {
    let project = Project::fixture("older", "versions");
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the fixture has a manifest");
    for (parking_lot, lock_api) in [
        ("0.12.0", "0.4.6"),
        ("0.12.1", "0.4.10"),
        ("0.12.3", "0.4.12"),
        ("0.11.2", "0.4.14"),
        ("0.11.0", "0.4.0"),
        ("0.11.2", "0.4.5"),
    ] {
        let versions = text.replace("0.12.0", parking_lot).replace("0.4.6", lock_api);
        fs::write(&manifest, versions).expect("it can be written");
        let _ = fs::remove_file(project.root().join("Cargo.lock"));
        let checked = project.check(&["run", "-q"]);
        let at = format!("parking_lot {parking_lot}, lock_api {lock_api}: {checked}");
        assert_eq!(checked.stdout, "1\n", "{at}");
        assert_eq!(checked.found(), ["lock-order needs-thread"], "{at}");
        let findings = &checked.report().findings;
        let mut locks: Vec<Vec<&str>> = findings
            .iter()
            .map(|finding| finding.locks.iter().map(|lock| &*lock.name).collect())
            .collect();
        locks.iter_mut().for_each(|names| names.sort_unstable());
        locks.sort_unstable();
        assert_eq!(locks, [["Shop.log", "Shop.stock"], ["Shop.prices", "Shop.stock"]], "{at}");
        let places = findings.iter().flat_map(|finding| &finding.edges);
        assert!(places.clone().all(|edge| edge.to_site.file == "src/main.rs"), "{at}");
        assert!(!checked.stderr.contains("not watched"), "{at}");
    }
}

#[test]
fn a_version_that_is_not_known_is_said_not_to_be_watched() {
    let project = Project::fixture("older", "unknown");
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the fixture has a manifest");
    let versions = text.replace("0.12.0", "0.10.2").replace("0.4.6", "0.3.4");
    fs::write(&manifest, versions).expect("it can be written");
    let checked = project.check(&["run", "-q"]);
    assert_eq!((&*checked.stdout, checked.code), ("1\n", 0), "{checked}");
    assert!(
        checked.stderr.contains("not watched: locks of its own make (parking_lot)"),
        "{checked}"
    );
}
