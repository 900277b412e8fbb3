//! What is late, and what happens then.

use std::io::Write;
use std::sync::mpsc as plain;
use std::time::Duration;

use lockdep::Finding;
use lockdep::finding::{Rule, Tier};
use lockdep::instrument::{LockKind, LockTag, LockType, Mode};
use lockdep::sync::{Barrier, Mutex, mpsc};
use lockdep::thread;
use lockdep::watchdog::{Heartbeat, Restart, Then, Watchdog};

use crate::isolated::{found, run};

/// A moment that nothing ordinary takes.
const SHORT: Duration = Duration::from_millis(50);
/// A moment that nothing here takes.
const HOUR: Duration = Duration::from_secs(3600);

/// A callback that sends each finding to the receiver, but for those about the locks of the allocator:
/// a busy machine may hold up whoever holds one.
fn sends() -> (impl Fn(&Finding) + Send + Sync + 'static, plain::Receiver<Finding>) {
    let (tx, rx) = plain::channel();
    let callback = move |finding: &Finding| {
        if !finding.locks.iter().any(|lock| lock.created.file().ends_with("allocator.rs")) {
            tx.send(finding.clone()).unwrap_or_default();
        }
    };
    (callback, rx)
}

#[test]
fn a_lock_that_is_held_for_long_is_told_of_while_it_is_held() {
    fn body() {
        let (callback, late) = sends();
        let _watching = Watchdog::new().slow_hold(SHORT).on_expiry(callback).start().unwrap();
        let (slow, line) = (Mutex::new(0), line!());
        let guard = slow.lock().unwrap();
        let finding = late.recv().unwrap();
        drop(guard);
        assert_eq!(finding.rule, Rule::SlowHold);
        assert!(finding.message().contains("has held Mutex created at"), "{finding}");
        assert_eq!(finding.sites[0].1, "acquired here, and still held");
        assert_eq!(finding.locks[0].created.line(), line);
        assert!(found().iter().all(|f| *f == (Rule::SlowHold, Tier::Happened)), "{:?}", found());
        assert!(late.try_recv().is_err(), "it is told of once");
    }
    let name = "watchdog::a_lock_that_is_held_for_long_is_told_of_while_it_is_held";
    let ended = run(name, body).well();
    assert!(ended.stderr.contains("slow-hold (happened)"), "{}", ended.stderr);
    assert!(ended.trace.contains(r#""rule":"slow-hold""#), "{}", ended.trace);
}

/// The watchdog looks once between the first step of an acquisition and its end, sees nothing, and must
/// not go to sleep for ever: nothing else happens that would wake it.
#[test]
fn an_acquisition_that_the_look_falls_into_is_not_missed() {
    fn body() {
        let (callback, late) = sends();
        let _watching = Watchdog::new().slow_hold(SHORT).on_expiry(callback).start().unwrap();
        let ty = const { &LockType::of::<()>(LockKind::Mutex) };
        let tag = LockTag::new(ty);
        let attempt = || {
            // It has looked, and the next look finds no promise any more.
            let heart = Heartbeat::new("probe", SHORT);
            let finding = late.recv().unwrap();
            drop(heart);
            // Three more looks.
            late.recv_timeout(3 * SHORT).expect_err("nothing is late");
            Some(finding.rule)
        };
        let site = std::panic::Location::caller();
        let first = tag.acquire(ty, Mode::Write, site, attempt, || unreachable!());
        assert_eq!(first, Rule::MissedHeartbeat);
        assert_eq!(late.recv().unwrap().rule, Rule::SlowHold);
        tag.release(Mode::Write);
    }
    run("watchdog::an_acquisition_that_the_look_falls_into_is_not_missed", body).well();
}

#[test]
fn a_thread_that_waits_for_long_is_told_of_with_who_holds() {
    fn body() {
        let (callback, late) = sends();
        let watchdog = Watchdog::new().slow_wait(SHORT).log(false);
        let _watching = watchdog.on_expiry(callback).start().unwrap();
        let lock = Mutex::new(0);
        let held = Barrier::new(2);
        thread::scope(|s| {
            let (tx, rx) = mpsc::channel::<()>();
            let (lock, held) = (&lock, &held);
            s.spawn(move || {
                let _guard = lock.lock().unwrap();
                held.wait();
                let _ = rx.recv();
            });
            held.wait();
            let waiter = thread::Builder::new().name("waiter".to_owned());
            waiter.spawn_scoped(s, || drop(lock.lock())).unwrap();
            let finding = late.recv().unwrap();
            assert_eq!(finding.rule, Rule::SlowWait);
            let text = finding.message();
            assert!(text.contains("`waiter` has waited for Mutex created at"), "{text}");
            assert!(text.contains(", which thread ") && text.ends_with(" holds"), "{text}");
            assert_eq!(finding.sites.len(), 2);
            drop(tx);
        });
    }
    let ended =
        run("watchdog::a_thread_that_waits_for_long_is_told_of_with_who_holds", body).well();
    assert!(!ended.stderr.contains("slow-wait"), "{}", ended.stderr);
}

#[test]
fn what_is_not_late_is_not_told_of() {
    fn body() {
        let (callback, late) = sends();
        let watchdog = Watchdog::new().slow_hold(HOUR).slow_wait(HOUR);
        let watching = watchdog.on_expiry(callback).start().unwrap();
        let heart = Heartbeat::new("heart", HOUR);
        let lock = Mutex::new(0);
        thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..1000 {
                        *lock.lock().unwrap() += 1;
                        heart.beat();
                    }
                });
            }
        });
        drop(watching);
        *lock.lock().unwrap() += 1;
        assert!(late.try_recv().is_err());
        assert_eq!(found(), []);
    }
    run("watchdog::what_is_not_late_is_not_told_of", body).well();
}

#[test]
fn locks_released_in_any_order_keep_their_times() {
    fn body() {
        let (callback, late) = sends();
        let _watching = Watchdog::new().slow_hold(SHORT).on_expiry(callback).start().unwrap();
        let locks: Vec<Mutex<()>> = (0..40).map(|_| Mutex::new(())).collect();
        let mut guards: Vec<_> = locks.iter().map(|l| l.lock().unwrap()).collect();
        let first = late.recv().unwrap();
        assert_eq!(first.rule, Rule::SlowHold);
        drop(guards.swap_remove(0));
        guards.truncate(20);
        drop(guards.remove(7));
        drop(guards);
        lockdep::assert_quiescent();
    }
    run("watchdog::locks_released_in_any_order_keep_their_times", body).well();
}

#[test]
fn a_missed_heartbeat_tells_what_the_thread_does() {
    fn body() {
        let (callback, late) = sends();
        let _watching = Watchdog::new().on_expiry(callback).start().unwrap();
        let lock = Mutex::new(0);
        let _guard = lock.lock().unwrap();
        let heart = Heartbeat::new("indexer", SHORT);
        let finding = late.recv().unwrap();
        assert_eq!(finding.rule, Rule::MissedHeartbeat);
        let text = finding.message();
        assert!(text.contains("`indexer` has given no sign of life for"), "{text}");
        assert!(text.contains("it runs and holds Mutex created at"), "{text}");
        heart.beat();
        let again = late.recv().unwrap();
        assert_eq!(again.rule, Rule::MissedHeartbeat);
        assert_eq!(found().len(), 1, "reported once");
    }
    let ended = run("watchdog::a_missed_heartbeat_tells_what_the_thread_does", body).well();
    assert!(ended.stderr.contains("missed-heartbeat"), "{}", ended.stderr);
}

#[test]
fn the_process_is_aborted_with_a_dump() {
    fn body() {
        let watchdog = Watchdog::new().slow_hold(SHORT).dump(true).then(Then::Abort);
        watchdog.start().unwrap().detach();
        let lock = Mutex::new(0);
        let _guard = lock.lock().unwrap();
        loop {
            std::thread::park();
        }
    }
    let ended = run("watchdog::the_process_is_aborted_with_a_dump", body);
    assert!(!ended.ok);
    assert!(ended.stderr.contains("slow-hold"), "{}", ended.stderr);
    assert!(ended.stderr.contains("runs\n  holds Mutex created at"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn the_process_is_started_again_until_it_is_enough() {
    fn body() {
        let _ = writeln!(std::io::stderr(), "begun");
        let restart = Restart::at_most(2).back_off(Duration::from_millis(1));
        let watchdog = Watchdog::new().slow_hold(SHORT).then(Then::Restart(restart));
        watchdog.start().unwrap().detach();
        let lock = Mutex::new(0);
        let _guard = lock.lock().unwrap();
        loop {
            std::thread::park();
        }
    }
    let ended = run("watchdog::the_process_is_started_again_until_it_is_enough", body);
    assert!(!ended.ok);
    assert_eq!(ended.stderr.matches("begun").count(), 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("restarted 2 times already"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_signal_brings_a_dump() {
    unsafe extern "C" {
        fn raise(signal: std::ffi::c_int) -> std::ffi::c_int;
    }
    const QUIT: std::ffi::c_int = 3;

    fn body() {
        lockdep::watchdog::dump_on_signal(QUIT).unwrap();
        let (callback, late) = sends();
        let lock = Mutex::new(0);
        let _guard = lock.lock().unwrap();
        // From here on this thread's name is known.
        drop(lockdep::dump());
        // SAFETY: the handler was just set.
        assert_eq!(unsafe { raise(QUIT) }, 0);
        // Whatever is late now comes after the dump.
        let _watching = Watchdog::new().on_expiry(callback).start().unwrap();
        let _heart = Heartbeat::new("after", SHORT);
        late.recv().unwrap();
        assert_eq!(found(), [(Rule::MissedHeartbeat, Tier::Happened)]);
    }
    let ended = run("watchdog::a_signal_brings_a_dump", body).well();
    assert!(ended.stderr.contains("a_signal_brings_a_dump` runs\n  holds"), "{}", ended.stderr);
    assert!(ended.stderr.contains("holds Mutex created at"), "{}", ended.stderr);
}
