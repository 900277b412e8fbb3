//! What is found, how it is reported, and the exit code.

use std::fs;

use cargo_lockcheck::report::model::Level;
use lockcheck_tests::{Checked, Project};

#[test]
fn the_first_example_is_reported_though_its_tests_pass() {
    let project = Project::example("01-abba");
    let checked = project.check(&["test", "--lib"]);
    assert_eq!(checked.code, 100, "{checked}");
    assert!(checked.stdout.contains("test result: ok. 1 passed"), "{checked}");
    assert_eq!(checked.found(), ["lock-order reachable"]);

    let finding = &checked.report().findings[0];
    assert_eq!(finding.level, Level::Deny);
    let mut names: Vec<&str> = finding.locks.iter().map(|lock| &*lock.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["Bank.accounts", "Bank.audit"]);
    for edge in &finding.edges {
        assert!(["teller", "auditor"].contains(&&*edge.thread), "{}", edge.thread);
        assert_eq!(edge.to_site.file, "src/lib.rs");
    }
    for part in ["error[lock-order]", "Bank.audit", "src/lib.rs:", "   Lockcheck"] {
        assert!(checked.stderr.contains(part), "{part} is missing: {checked}");
    }
}

#[test]
fn formats_outputs_and_levels_are_as_asked_for() {
    let project = Project::fixture("single", "formats");
    let checked = project.check(&["run", "--format", "json", "-q", "--output=text=out/report.txt"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.stderr, "done\n", "the program's own output is kept apart");
    let printed: serde_json::Value = serde_json::from_str(&checked.stdout).expect("JSON alone");
    assert_eq!(printed["schema"], "lockcheck-report/1");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
    let text = fs::read_to_string(project.root().join("out/report.txt")).expect("it is written");
    assert!(text.contains("lock-order") && !text.contains('\x1b'), "{text}");

    let denied = project.check(&["run", "-q", "--deny=needs-thread"]);
    assert_eq!(denied.code, 100, "{denied}");
    let allowed = project.check(&["run", "-q", "--allow", "needs-thread"]);
    assert_eq!((allowed.code, allowed.report().findings.len()), (0, 0), "{allowed}");
    assert_eq!(allowed.report().suppressed.len(), 1);
}

#[test]
fn a_deadlock_ends_and_is_reported() {
    let project = Project::fixture("single", "deadlock");
    let checked = project.check(&["run", "--", "together"]);
    assert_eq!(checked.code, 100, "{checked}");
    let found = checked.found();
    assert!(found.contains(&"deadlock happened".to_owned()), "{found:?}");
    // The barrier before it is no problem: its last thread does not wait.
    assert!(!found.iter().any(|pair| pair.contains("stuck-wait")), "{found:?}");
}

#[test]
fn a_failing_program_keeps_its_code_and_is_reported() {
    let project = Project::fixture("single", "failing");
    let mut command = project.lockcheck(&["test", "--lib"]);
    command.env("FAIL", "1");
    let checked = project.finish(command);
    assert_eq!(checked.code, 101, "{checked}");
    assert!(checked.stdout.contains("it was told to fail"), "{checked}");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);

    let checked = project.check(&["run", "code"]);
    assert_eq!(checked.code, 7, "{checked}");
}

/// Checks a program that waits for ever, and sends this signal as soon as it does: to the whole
/// group, as a terminal does, or to the command alone.
#[cfg(unix)]
fn signalled(user: &str, signal: &str, whole_group: bool) -> Checked {
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Command, Output, Stdio};

    let project = Project::fixture("single", user);
    let mut command = project.lockcheck(&["run", "--", "wait"]);
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it can be read");
    assert_eq!(line, "waiting\n");
    let to = if whole_group { format!("-{}", child.id()) } else { child.id().to_string() };
    let sent = Command::new("kill").args([signal, "--", &to]).status().expect("it starts");
    assert!(sent.success());
    // Both ends are closed once the program has ended as well.
    let mut stderr = Vec::new();
    child.stderr.take().expect("it is piped").read_to_end(&mut stderr).expect("it can be read");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), None);
    Checked::new(Output { status, stdout: Vec::new(), stderr }, &project.report_path())
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_reported() {
    let checked = signalled("interrupted", "-INT", true);
    assert_eq!(checked.code, 130, "{checked}");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_to_the_command_alone_ends_the_program() {
    let checked = signalled("interrupted-alone", "-INT", false);
    assert_eq!(checked.code, 130, "{checked}");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
}

#[cfg(unix)]
#[test]
fn a_terminated_run_is_ended_and_reported() {
    let checked = signalled("terminated", "-TERM", false);
    assert_eq!(checked.code, 143, "{checked}");
    assert_eq!(checked.found(), ["lock-order needs-thread"]);
}

/// The processes with a path in their environment, without those that have ended and that nobody has
/// asked for their code.
#[cfg(target_os = "linux")]
fn processes_of(path: &std::path::Path) -> Vec<String> {
    use std::os::unix::ffi::OsStrExt;

    let path = path.as_os_str().as_bytes();
    let all = fs::read_dir("/proc").expect("it is there").flatten();
    let named = all.filter_map(|process| {
        let environment = fs::read(process.path().join("environ")).ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        let (name, rest) = stat.rsplit_once(')')?;
        let is_of = environment.windows(path.len()).any(|part| part == path);
        let is_ended = rest.trim_start().starts_with('Z');
        (is_of && !is_ended).then(|| name.to_owned())
    });
    named.collect()
}

/// Kills some of what checks a test that turns for ever, and says which processes of the check are left.
/// They end within a moment, for which a machine that is busy with other tests needs some seconds.
#[cfg(target_os = "linux")]
fn left_when_killed(user: &str, victims: &dyn Fn(u32) -> Vec<String>) -> Vec<String> {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    let text = "fn main() {}\n\n#[test]\nfn turns() {\n    println!(\"turns\");\n    loop {\n        \
                std::hint::spin_loop();\n    }\n}\n";
    let project = Project::binaries(user, "2024", &[("turns".to_owned(), text.to_owned())]);
    let mut command = project.lockcheck(&["test", "--", "--nocapture"]);
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the command starts");
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let has_begun = stdout.lines().map_while(Result::ok).any(|line| line.contains("turns"));
    assert!(has_begun, "the test begins");
    let runs = project.root().join("target/lockcheck/runs");
    let there = processes_of(&runs);
    assert!(there.len() >= 3, "cargo, the test and the watch are there: {there:?}");
    for victim in victims(child.id()) {
        let sent = Command::new("kill").args(["-KILL", "--", &victim]).status().expect("it starts");
        assert!(sent.success(), "{victim}");
    }
    let begin = Instant::now();
    while !processes_of(&runs).is_empty() && begin.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(20));
    }
    let left = processes_of(&runs);
    if !left.is_empty() {
        child.kill().expect("it can be killed");
    }
    child.wait().expect("it ends");
    left
}

/// The processes of this name that one has started.
#[cfg(target_os = "linux")]
fn children_named(parent: u32, wanted: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").expect("it is there").flatten();
    let found = all.filter_map(|process| {
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        let (begin, rest) = stat.rsplit_once(')')?;
        let (pid, name) = begin.split_once(" (")?;
        let of: u32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (of == parent && name == wanted).then(|| pid.to_owned())
    });
    found.collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_check_that_is_killed() {
    let left = left_when_killed("killed", &|command| vec![command.to_string()]);
    assert_eq!(left, [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_check_whose_whole_group_is_killed() {
    let left = left_when_killed("killed-group", &|command| vec![format!("-{command}")]);
    assert_eq!(left, [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_check_whose_cargo_is_killed_with_it() {
    let both = |command: u32| {
        let mut victims = children_named(command, "cargo");
        assert_eq!(victims.len(), 1, "cargo is found");
        victims.push(command.to_string());
        victims
    };
    assert_eq!(left_when_killed("killed-cargo-too", &both), [""; 0]);
    let cargo = |command: u32| children_named(command, "cargo");
    assert_eq!(left_when_killed("killed-cargo", &cargo), [""; 0]);
}

#[test]
fn stored_traces_are_reported_together() {
    let both = "//! Takes two locks, in the order that its argument says.
use std::sync::Mutex;
static LEFT: Mutex<u8> = Mutex::new(0);
static RIGHT: Mutex<u8> = Mutex::new(0);
fn nest(outer: &Mutex<u8>, inner: &Mutex<u8>) {
    let _outer = outer.lock().unwrap();
    let _inner = inner.lock().unwrap();
}
fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(\"forward\") => nest(&LEFT, &RIGHT),
        _ => nest(&RIGHT, &LEFT),
    }
}
";
    let files = [("both".to_owned(), both.to_owned())];
    let project = Project::binaries("stored", "2024", &files);
    // Runs of an earlier test run.
    let _ = fs::remove_dir_all(project.root().join("target/lockcheck/runs"));
    let nothing = project.check(&["report"]);
    assert_eq!((nothing.code, nothing.report.is_some()), (102, false), "{nothing}");
    assert!(nothing.stderr.contains("Run `cargo lockcheck test` first"), "{nothing}");

    let runs = project.root().join("target/lockcheck/runs");
    let mut stored = Vec::new();
    for (at, argument) in ["forward", "backward"].iter().enumerate() {
        let checked = project.check(&["run", "--", argument]);
        assert_eq!(checked.code, 0, "{checked}");
        assert_eq!(checked.found(), [""; 0], "{checked}");
        let run = fs::read_dir(&runs).expect("the runs").flatten().map(|run| run.path()).max();
        // As another machine's: elsewhere, and with nothing else beside it.
        let shard = project.root().join(format!("shard-{at}"));
        let _ = fs::remove_dir_all(&shard);
        fs::rename(run.expect("a run").join("traces"), &shard).expect("it can be moved");
        stored.push(format!("shard-{at}"));
    }
    let checked = project.check(&["report", &stored[0], &stored[1]]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), ["lock-order potential"], "{checked}");
    let again =
        project.check(&["report", "--deny", "potential", &stored[1], &stored[0], "shard-0"]);
    assert_eq!(again.code, 100, "{again}");
    assert_eq!(again.report().findings[0].id, checked.report().findings[0].id);

    // On a machine where the workspace is elsewhere, as they are and as one file.
    let merged = project.check(&["merge", &stored[1], &stored[0], "-o", "all.lctrace"]);
    assert_eq!(merged.code, 0, "{merged}");
    let elsewhere = Project::binaries("stored-elsewhere", "2024", &files);
    let [first, second, all] = [&*stored[0], &*stored[1], "all.lctrace"]
        .map(|name| project.root().join(name).to_string_lossy().into_owned());
    for traces in [&[&*first, &*second][..], &[&*all], &[&*first, &*all]] {
        let there = elsewhere.check(&[&["report"], traces].concat());
        assert_eq!(there.report().findings, checked.report().findings, "{traces:?}: {there}");
        assert_eq!(there.report().coverage, checked.report().coverage, "{traces:?}: {there}");
    }

    fs::write(project.root().join("shard-0/other.lctrace"), [0x9f, 0x92, 0x96]).expect("a file");
    let merge = ["merge", &stored[0], &stored[1], "-o", "all.lctrace"];
    let partly = project.check(&merge);
    assert_eq!(partly.code, 102, "{partly}");
    assert!(partly.stderr.contains("shard-0/other.lctrace does not begin"), "{partly}");
    let partly = project.check(&[&merge[..], &["--keep-going"]].concat());
    assert_eq!(partly.code, 0, "{partly}");
    assert_eq!(project.check(&["report", "all.lctrace"]).found(), ["lock-order potential"]);
    let partly = project.check(&["report", &stored[0], &stored[1]]);
    assert_eq!(partly.found(), ["lock-order potential"], "{partly}");
    let warning = "warning: 1 of 3 traces could not be used";
    assert!(partly.stderr.contains(warning), "{partly}");

    let missing = project.check(&["report", "nowhere"]);
    assert_eq!(missing.code, 102, "{missing}");
    assert!(missing.stderr.contains("there is no `nowhere`"), "{missing}");
}

/// The tests of a program of one file.
fn tests_of(user: &str, text: &str) -> Checked {
    let project = Project::binaries(user, "2024", &[("probe".to_owned(), text.to_owned())]);
    project.check(&["test", "--bin", "probe"])
}

#[test]
fn a_worker_that_a_test_leaves_idle_is_no_finding() {
    let checked = tests_of(
        "idle",
        "use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

fn main() {}

#[test]
fn on_a_static() {
    static WORK: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
    thread::spawn(|| {
        let mut there = WORK.0.lock().unwrap();
        while !*there {
            there = WORK.1.wait(there).unwrap();
        }
    });
    thread::sleep(Duration::from_millis(5));
}

#[test]
fn on_a_channel() {
    let (jobs, queue) = mpsc::channel::<u8>();
    thread::spawn(move || for _ in queue {});
    std::mem::forget(jobs);
    thread::sleep(Duration::from_millis(5));
}
",
    );
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), [""; 0], "{checked}");
}

#[test]
fn a_lock_that_a_test_never_releases_is_reported_with_its_name() {
    let checked = tests_of(
        "never-released",
        "fn main() {}

#[test]
fn keeps_it() {
    static KEPT: std::sync::Mutex<u8> = std::sync::Mutex::new(0);
    std::mem::forget(KEPT.lock());
}
",
    );
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), ["orphaned-lock happened"], "{checked}");
    let message = &checked.report().findings[0].message;
    assert!(message.contains("`keeps_it`"), "{message}");
}

#[test]
fn what_was_asked_for_before_a_thread_existed_does_not_keep_it_waiting() {
    let text = "use std::sync::{Barrier, Mutex, mpsc};
use std::thread;
static SETTINGS: Mutex<u8> = Mutex::new(0);
fn main() {
    *SETTINGS.lock().unwrap() += 1;
    let (send, receive) = mpsc::channel();
    let worker = thread::spawn(move || {
        let _settings = SETTINGS.lock().unwrap();
        receive.recv().unwrap()
    });
    send.send(1).unwrap();
    worker.join().unwrap();
    *SETTINGS.lock().unwrap() += 1;
    let both = Barrier::new(2);
    thread::scope(|s| {
        s.spawn(|| {
            let _settings = SETTINGS.lock().unwrap();
            both.wait();
        });
        both.wait();
    });
}
";
    let project = Project::binaries("before", "2024", &[("probe".to_owned(), text.to_owned())]);
    let checked = project.check(&["run"]);
    assert_eq!(checked.found(), [""; 0], "{checked}");
}

/// The lock that is held was acquired in functions that have returned since, and the one asked for in others.
#[test]
fn the_callers_of_both_acquisitions_are_told() {
    let text = r#"
use std::sync::{Mutex, MutexGuard};

#[derive(Default)]
struct Store {
    index: Mutex<u32>,
    pages: Mutex<u32>,
}

impl Store {
    fn index(&self) -> MutexGuard<'_, u32> {
        self.index.lock().unwrap()
    }

    fn latest(&self) -> MutexGuard<'_, u32> {
        let mut index = self.index();
        *index += 1;
        index
    }

    fn write(&self) {
        let index = self.latest();
        *self.pages.lock().unwrap() += *index;
    }

    fn compact(&self) {
        let pages = self.pages.lock().unwrap();
        *self.index() += *pages;
    }
}

fn main() {
    let store = Store::default();
    drop(store.index());
    store.write();
    store.compact();
}
"#;
    let project = Project::binaries("callers", "2024", &[("probe".to_owned(), text.to_owned())]);
    let checked = project.check(&["run"]);
    let finding = &checked.report().findings[0];
    let write = finding.edges.iter().find(|edge| edge.to_site.line == 23).expect("`write`");
    assert_eq!(write.from_site.line, 12);
    // The first acquisition at that place was another one, from which nothing follows for this one.
    assert_eq!(write.from_stack, [""; 0], "{checked}");

    let text = text.replace("    drop(store.index());\n", "");
    let project = Project::binaries("callers-once", "2024", &[("probe".to_owned(), text)]);
    let checked = project.check(&["run"]);
    for caller in
        ["`Store::latest` at src/bin/probe.rs:16", "`Store::write` at src/bin/probe.rs:22"]
    {
        let note = format!("was acquired on a call from {caller}");
        assert!(checked.stderr.contains(&note), "{note}: {checked}");
    }
    assert_eq!(checked.stderr.matches("was acquired on a call").count(), 2, "{checked}");
}
