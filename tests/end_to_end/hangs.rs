//! Programs that hang for reasons that no rule explains: the report says what all threads do.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use cargo_lockcheck::report::model::{Standing, StandingFor, Standstill};
use lockcheck_tests::{Checked, Project};
use rustix::process::{Pid, Signal, kill_process};

/// A thread waits under a lock for what comes from outside and does not come; another waits for that
/// lock, and the main thread for both.
const PROGRAM: &str = r#"
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, mpsc};
use std::thread::Builder;

static CACHE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn main() {
    let (mut here, _there) = UnixStream::pair().unwrap();
    let (ready, is_ready) = mpsc::channel();
    let named = |name: &str| Builder::new().name(name.to_owned());
    let reader = named("reader").spawn(move || {
        let mut cache = CACHE.lock().unwrap();
        ready.send(()).unwrap();
        let mut byte = [0];
        here.read_exact(&mut byte).unwrap();
        cache.push(byte[0]);
    });
    is_ready.recv().unwrap();
    let user = named("user").spawn(|| CACHE.lock().unwrap().len()).unwrap();
    println!("waiting");
    user.join().unwrap();
    reader.unwrap().join().unwrap();
}
"#;

fn thread<'s>(standstill: &'s Standstill, name: &str) -> &'s Standing {
    let found = standstill.threads.iter().find(|thread| thread.thread == name);
    found.unwrap_or_else(|| panic!("there is no {name}: {standstill:?}"))
}

/// What the threads of [`PROGRAM`] do is told.
fn assert_told(checked: &Checked) {
    let [standstill] = &*checked.report().standstills else { panic!("no standstill: {checked}") };
    let reader = thread(standstill, "reader");
    assert!(reader.wait.is_none(), "{checked}");
    assert_eq!(reader.held[0].lock, "CACHE", "{checked}");
    assert_eq!(reader.held[0].site.line, 14, "{checked}");
    let user = thread(standstill, "user").wait.as_ref().expect("it waits");
    assert_eq!((user.awaited, user.name.as_deref()), (StandingFor::Lock, Some("CACHE")));
    assert!(user.ns > 0 && user.site.line == 21, "{checked}");
    let main = thread(standstill, "main").wait.as_ref().expect("it waits");
    assert_eq!((main.awaited, main.name.as_deref()), (StandingFor::Join, Some("user")));
    assert!(!checked.stderr.contains("nothing found"), "{checked}");
    assert!(checked.stderr.contains("no finding, and 1 process did not end"), "{checked}");
    assert!(checked.stderr.contains("waits for the end of `user` since"), "{checked}");
}

fn project(user: &str) -> Project {
    Project::binaries(user, "2024", &[("hangs".to_owned(), PROGRAM.to_owned())])
}

#[test]
fn a_program_that_does_not_get_on_is_ended_and_its_threads_are_told() {
    let project = project("hang-timeout");
    let checked = project.check(&["run", "-q", "--timeout", "3"]);
    assert!(![0, 100, 102].contains(&checked.code), "{checked}");
    assert_told(&checked);
    assert!(
        checked.stderr.contains("1 process was ended, as nothing had got on for 3 s"),
        "{checked}"
    );
}

#[test]
fn tasks_that_stand_are_told_by_where_they_were_spawned() {
    let project = Project::fixture("tasks", "hang-tasks");
    let checked = project.check(&["run", "-q", "--bin", "stands", "--timeout", "3"]);
    let [standstill] = &*checked.report().standstills else { panic!("no standstill: {checked}") };
    let holder = thread(standstill, "task spawned at src/bin/stands.rs:18");
    assert!(holder.wait.is_none(), "{checked}");
    assert_eq!((&*holder.held[0].lock, holder.held[0].site.line), ("state", 19), "{checked}");
    let waiter = thread(standstill, "task spawned at src/bin/stands.rs:24");
    let wait = waiter.wait.as_ref().expect("it waits");
    assert_eq!((wait.name.as_deref(), wait.site.line), (Some("state"), 24), "{checked}");
}

/// The program as a terminal's keys, or a job runner's signal, end it.
#[test]
fn a_program_that_is_interrupted_while_it_hangs_is_told_of() {
    let project = project("hang-interrupt");
    for signal in [Signal::INT, Signal::QUIT, Signal::TERM] {
        let mut command = project.lockcheck(&["run", "-q"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let report = project.report_path();
        let _ = std::fs::remove_file(&report);
        let traces = project.root().join("target/lockcheck/runs");
        // Those of earlier runs.
        let _ = std::fs::remove_dir_all(&traces);
        let child = command.spawn().expect("the command starts");
        let begin = Instant::now();
        while !stands(&traces) && begin.elapsed() < Duration::from_secs(120) {
            thread::sleep(Duration::from_millis(100));
        }
        let process = Pid::from_raw(child.id() as i32).expect("a process");
        kill_process(process, signal).expect("it can be sent");
        let checked = Checked::new(child.wait_with_output().expect("it ends"), &report);
        assert_told(&checked);
    }
}

/// Whether the last run has a trace in which all threads are known.
fn stands(runs: &std::path::Path) -> bool {
    let last = std::fs::read_dir(runs).into_iter().flatten().flatten().map(|run| run.path()).max();
    let traces = last.map(|run| run.join("traces"));
    let files = traces.and_then(|traces| std::fs::read_dir(traces).ok()).into_iter().flatten();
    files.flatten().any(|file| {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        text.contains("\"standing\"")
    })
}

/// Tests that sleep for longer than the limit are not ended: they will go on.
#[test]
fn tests_that_sleep_longer_than_the_limit_are_left_alone() {
    let library = r#"
#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex, mpsc};
    use std::thread;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(5);

    #[test]
    fn under_a_lock() {
        let lock = Mutex::new(1);
        let guard = lock.lock().unwrap();
        thread::sleep(LONG);
        assert_eq!(*guard, 1);
    }

    #[test]
    fn until_a_time() {
        let (lock, changed) = (Mutex::new(1), Condvar::new());
        let guard = lock.lock().unwrap();
        assert!(changed.wait_timeout(guard, LONG).unwrap().1.timed_out());
    }

    #[test]
    fn for_one_that_sleeps() {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            thread::sleep(LONG);
            sender.send(1).unwrap();
        });
        assert_eq!(receiver.recv(), Ok(1));
    }
}
"#;
    let project = Project::binaries("hang-sleeps", "2024", &[]);
    std::fs::write(project.root().join("src/lib.rs"), library).expect("it can be written");
    for test in ["under_a_lock", "until_a_time", "for_one_that_sleeps"] {
        let checked = project.check(&["test", "--lib", "-q", "--timeout", "2", test]);
        assert_eq!(checked.code, 0, "{checked}");
        assert!(checked.report().standstills.is_empty(), "{checked}");
    }
}

/// One that sleeps, or waits for its input, is not disturbed, and one without a limit is left alone.
#[test]
fn a_program_that_only_waits_ends_as_it_would() {
    let program = r#"
use std::sync::Mutex;
use std::time::Duration;

static LOCK: Mutex<u8> = Mutex::new(0);

fn main() {
    let guard = LOCK.lock().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    println!("{guard}");
}
"#;
    let files = [("waits".to_owned(), program.to_owned())];
    let checked = Project::binaries("hang-none", "2024", &files).check(&["run", "-q"]);
    assert_eq!((checked.code, &*checked.stdout), (0, "0\n"), "{checked}");
    assert!(checked.report().standstills.is_empty(), "{checked}");
    assert!(checked.stderr.contains("nothing found"), "{checked}");
}
