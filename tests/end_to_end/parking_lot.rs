//! Both versions of `parking_lot` in one program, with each of their features, and what guards that may
//! be sent to another thread change.

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
