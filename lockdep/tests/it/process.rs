//! What the process-wide instance survives: re-entrancy, the end of threads, forks, crowds.

use std::cell::RefCell;
use std::ffi::c_int;
use std::io::Write as _;
use std::panic::{self, Location};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{Condvar, Mutex, MutexGuard, RwLock};
use lockdep::thread;

use crate::isolated::{found, run, run_with, shown};

#[cfg(unix)]
unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
}

#[test]
fn opposite_orders_are_found_and_the_program_goes_on() {
    fn body() {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        thread::scope(|s| {
            let (a, b) = (&a, &b);
            let first = s.spawn(move || {
                let a = a.lock().unwrap();
                *b.lock().unwrap() += *a;
            });
            let _ = first.thread();
            s.spawn(move || {
                while !first.is_finished() {
                    std::thread::yield_now();
                }
                let b = b.lock().unwrap();
                *a.lock().unwrap() += *b;
            });
        });
        assert_eq!(found(), [(Rule::LockOrder, Tier::Reachable)]);
    }
    let name = "process::opposite_orders_are_found_and_the_program_goes_on";
    let ended = run(name, body).well();
    assert!(ended.trace.contains(r#""rule":"lock-order","tier":"reachable""#), "{}", ended.trace);
    assert!(ended.trace.contains(r#"{"t":"end"}"#));
}

#[test]
fn a_deadlock_ends_in_a_report_and_a_panic() {
    fn body() {
        let pair = Arc::new((Mutex::new(0), Mutex::new(0), std::sync::Barrier::new(2)));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            let a = other.0.lock().unwrap();
            other.2.wait();
            *other.1.lock().unwrap_or_else(PoisonError::into_inner) += *a;
        });
        let b = pair.1.lock().unwrap();
        pair.2.wait();
        let mine = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            *pair.0.lock().unwrap_or_else(PoisonError::into_inner) += *b;
        }));
        drop(b);
        let theirs = thread.join();
        assert!(mine.is_err() != theirs.is_err(), "exactly one thread gives way");
        assert!(found().contains(&(Rule::Deadlock, Tier::Happened)));
    }
    let ended = run("process::a_deadlock_ends_in_a_report_and_a_panic", body).well();
    assert!(ended.stderr.contains("wait for each other over"), "{}", ended.stderr);
    assert!(ended.stderr.contains("tests/it/process.rs"), "{}", ended.stderr);
}

#[test]
fn a_hang_is_only_reported_when_asked() {
    fn body() {
        static REPORTED: AtomicBool = AtomicBool::new(false);
        let config = lockdep::Config::from_env();
        lockdep::configure(config.on_finding(|_| REPORTED.store(true, SeqCst)));
        let m = Mutex::new(0);
        let _first = m.lock().unwrap();
        std::thread::spawn(|| {
            while !REPORTED.load(SeqCst) {
                std::thread::yield_now();
            }
            std::process::exit(7);
        });
        let _second = m.lock();
    }
    let name = "process::a_hang_is_only_reported_when_asked";
    let ended = run_with(name, &[("LOCKDEP_ON_DEADLOCK", "report")], body);
    assert!(ended.stderr.contains("double-lock"), "{}", ended.stderr);
    assert!(!ended.ok);
}

#[test]
fn a_hang_ends_the_process_at_once_when_asked() {
    fn body() {
        struct Never;
        impl Drop for Never {
            fn drop(&mut self) {
                // Not by the macro, whose output the test harness keeps.
                let _ = writeln!(std::io::stderr(), "dropped");
            }
        }
        let _never = Never;
        let m = Mutex::new(0);
        let _first = m.lock().unwrap();
        let _second = m.lock();
    }
    let name = "process::a_hang_ends_the_process_at_once_when_asked";
    let ended = run_with(name, &[("LOCKDEP_ON_DEADLOCK", "exit")], body);
    assert!(!ended.ok && ended.stderr.contains("double-lock"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("dropped"), "{}", ended.stderr);
    assert!(ended.trace.contains(r#""rule":"double-lock","tier":"happened""#), "{}", ended.trace);
}

#[test]
fn a_plan_that_cannot_be_read_is_said_once_and_holds_nobody() {
    fn body() {
        let m = Mutex::new(0);
        (0..3).for_each(|_| *m.lock().unwrap() += 1);
        assert_eq!(*m.lock().unwrap(), 3);
    }
    let name = "process::a_plan_that_cannot_be_read_is_said_once_and_holds_nobody";
    let ended = run_with(name, &[("LOCKDEP_CONFIRM", "not/there")], body).well();
    assert_eq!(ended.stderr.matches("no plan that could be read").count(), 1, "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_child_of_a_process_with_a_plan_holds_nobody() {
    fn body() {
        let plan = std::env::var_os("LOCKDEP_CONFIRM").expect("a path");
        let text = "lockdep-plan\t1\npatience\t60000\nthreads\t2\nway\tprocess.rs:1:1\n";
        std::fs::write(&plan, text).expect("it can be written");
        let m = Mutex::new(0);
        *m.lock().unwrap() += 1;
        // SAFETY: the child only locks, and ends.
        let child = unsafe { fork() };
        *m.lock().unwrap() += 1;
        if child == 0 {
            std::process::exit(0);
        }
        let mut status = 0;
        // SAFETY: `status` is there for the call.
        assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
    }
    let name = "process::a_child_of_a_process_with_a_plan_holds_nobody";
    let plan = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-of-a-parent");
    let plan = plan.to_str().expect("the path is text");
    run_with(name, &[("LOCKDEP_CONFIRM", plan)], body).well();
}

#[test]
fn a_callback_may_use_locks() {
    fn body() {
        static SEEN: Mutex<Vec<Rule>> = Mutex::new(Vec::new());
        let config = lockdep::Config::from_env()
            .on_finding(|finding| SEEN.lock().unwrap().push(finding.rule));
        lockdep::configure(config);
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        drop((a.lock(), b.lock()));
        drop((b.lock(), a.lock()));
        assert_eq!(*SEEN.lock().unwrap(), [Rule::LockOrder]);
    }
    run("process::a_callback_may_use_locks", body).well();
}

#[test]
fn a_panic_hook_that_locks_is_tracked() {
    fn body() {
        static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
        panic::set_hook(Box::new(|info| {
            LOG.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
        }));
        let m = Mutex::new(());
        let failed = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            let _guard = m.lock().unwrap();
            panic!("under a lock");
        }));
        assert!(failed.is_err() && m.is_poisoned());
        assert_eq!(LOG.lock().unwrap().len(), 1);
        assert_eq!(found(), []);
        // The other way round is an inversion of what the hook did.
        let log = LOG.lock().unwrap();
        drop(m.lock().unwrap_or_else(PoisonError::into_inner));
        drop(log);
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("process::a_panic_hook_that_locks_is_tracked", body).well();
}

#[test]
fn a_detectors_panic_poisons_only_what_the_thread_holds() {
    fn body() {
        let (held, other) = (Mutex::new(()), Mutex::new(()));
        drop(other.lock());
        let relock = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            let _guard = held.lock().unwrap();
            let _again = held.lock();
        }));
        assert!(relock.is_err());
        assert!(held.is_poisoned() && !other.is_poisoned());
        drop(held.lock().unwrap_or_else(PoisonError::into_inner));
        drop(other.lock().unwrap());
    }
    run("process::a_detectors_panic_poisons_only_what_the_thread_holds", body).well();
}

#[test]
fn locks_in_destructors_of_thread_locals_work_to_the_end() {
    struct Locks;
    static A: Mutex<u32> = Mutex::new(0);
    static B: Mutex<u32> = Mutex::new(0);
    impl Drop for Locks {
        fn drop(&mut self) {
            let _a = A.lock().unwrap();
            *B.lock().unwrap() += 1;
        }
    }
    thread_local! {
        static EARLY: RefCell<Option<Locks>> = const { RefCell::new(None) };
        static GUARD: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
    }
    static HELD: Mutex<()> = Mutex::new(());
    fn body() {
        for _ in 0..3 {
            thread::spawn(|| {
                // Registered before the engine's first step in this thread, so destroyed after it.
                EARLY.set(Some(Locks));
                GUARD.with(|_| ());
                GUARD.set(Some(HELD.lock().unwrap()));
            })
            .join()
            .unwrap();
        }
        assert_eq!(*B.lock().unwrap(), 3);
        assert_eq!(found(), [], "a guard that a destructor releases is no orphan");
    }
    run("process::locks_in_destructors_of_thread_locals_work_to_the_end", body).well();
}

#[test]
fn a_guard_that_outlives_its_thread_is_an_orphan() {
    fn body() {
        static CONFIG: Mutex<u32> = Mutex::new(0);
        thread::Builder::new()
            .name("setup".into())
            .spawn(|| std::mem::forget(CONFIG.lock().unwrap()))
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(found(), [(Rule::OrphanedLock, Tier::Happened)]);
        let wait = panic::catch_unwind(|| drop(CONFIG.lock()));
        assert!(wait.is_err(), "the wait would never end");
    }
    let ended = run("process::a_guard_that_outlives_its_thread_is_an_orphan", body).well();
    assert!(ended.stderr.contains("`setup` held when it ended"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_forked_child_goes_on_with_a_trace_of_its_own() {
    fn nest(outer: &Mutex<()>, inner: &Mutex<()>) {
        let _outer = outer.lock();
        let _inner = inner.lock();
    }
    fn body() {
        let (a, b, held) = (Mutex::new(()), Mutex::new(()), Mutex::new(()));
        nest(&a, &b);
        let _held = held.lock();
        // SAFETY: the child only uses what works after a fork: locks that no other thread holds.
        let child = unsafe { fork() };
        if child == 0 {
            nest(&b, &a);
            let found = shown().contains(&(Rule::LockOrder, Tier::NeedsThread));
            std::process::exit(if found { 0 } else { 1 });
        }
        let mut status = -1;
        // SAFETY: a valid place for the status.
        let waited = unsafe { waitpid(child, &mut status, 0) };
        assert_eq!((waited, status), (child, 0));
        assert_eq!(found(), [], "what the child learnt is the child's");
    }
    let ended = run("process::a_forked_child_goes_on_with_a_trace_of_its_own", body).well();
    assert_eq!(ended.trace.matches(r#"{"t":"trace""#).count(), 2, "{}", ended.trace);
    assert_eq!(ended.trace.matches(r#""rule":"lock-order""#).count(), 1);
}

#[test]
fn a_killed_process_loses_nothing() {
    fn body() {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        drop((a.lock(), b.lock()));
        drop((b.lock(), a.lock()));
        std::process::abort();
    }
    let ended = run("process::a_killed_process_loses_nothing", body);
    assert!(!ended.ok);
    assert!(ended.trace.contains(r#""rule":"lock-order","tier":"needs-thread""#));
    assert!(ended.trace.ends_with('\n'));
}

#[test]
fn five_thousand_locks_held_at_once() {
    fn body() {
        let locks: Vec<Mutex<usize>> = (0..5_000).map(Mutex::new).collect();
        let held: Vec<_> = locks.iter().map(|m| m.lock().unwrap()).collect();
        // Released from the middle, then from both ends.
        let mut held: Vec<Option<_>> = held.into_iter().map(Some).collect();
        held[2_500] = None;
        held.clear();
        let last = locks[4_999].lock().unwrap();
        drop(locks[0].lock().unwrap());
        drop(last);
        assert!(found().contains(&(Rule::LockOrder, Tier::NeedsThread)));
    }
    run("process::five_thousand_locks_held_at_once", body).well();
}

#[test]
fn a_hundred_thousand_live_locks_in_order() {
    fn body() {
        let locks: Vec<Mutex<usize>> = (0..100_000).map(Mutex::new).collect();
        for pair in locks.windows(2) {
            let _outer = pair[0].lock().unwrap();
            drop(pair[1].lock().unwrap());
        }
        assert_eq!(found(), []);
        let _last = locks[99_999].lock().unwrap();
        drop(locks[0].lock().unwrap());
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("process::a_hundred_thousand_live_locks_in_order", body).well();
}

#[cfg(target_os = "linux")]
#[test]
fn a_million_locks_that_come_and_go_leave_no_memory() {
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0) * 4096
    }
    fn churn(total: &Mutex<u64>, cache: &Mutex<u64>, n: u64) {
        for i in 0..n {
            let job = Mutex::new(i);
            {
                // Under a lasting lock, and with a lasting lock under it.
                let mut total = total.lock().unwrap();
                let mut job = job.lock().unwrap();
                *cache.lock().unwrap() += *job;
                *total += 1;
                *job = 0;
            }
        }
    }
    fn body() {
        let (total, cache) = (Mutex::new(0), Mutex::new(0));
        churn(&total, &cache, 50_000);
        let before = resident();
        churn(&total, &cache, 950_000);
        let grown = resident().saturating_sub(before);
        assert!(grown < 4 << 20, "grown by {grown} bytes");
        assert_eq!(*total.lock().unwrap(), 1_000_000);
        assert_eq!(found(), []);
    }
    run("process::a_million_locks_that_come_and_go_leave_no_memory", body).well();
}

#[test]
fn a_wait_that_takes_its_mutex_again_has_orders() {
    fn body() {
        let (m, other, changed) = (Mutex::new(()), Mutex::new(()), Condvar::new());
        let guard = m.lock().unwrap();
        let _other = other.lock().unwrap();
        let soon = std::time::Duration::from_millis(1);
        drop(changed.wait_timeout(guard, soon).unwrap());
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
    }
    run("process::a_wait_that_takes_its_mutex_again_has_orders", body).well();
}

#[test]
fn a_joined_thread_is_waited_for() {
    fn body() {
        let results = Arc::new(Mutex::new(()));
        let theirs = Arc::clone(&results);
        let guard = results.lock().unwrap();
        let worker = thread::spawn(move || drop(theirs.lock()));
        let joined = panic::catch_unwind(panic::AssertUnwindSafe(|| worker.join()));
        // Whoever blocked last gave way: the worker's panic, or this thread's.
        assert!(joined.is_err() || joined.is_ok_and(|j| j.is_err()));
        drop(guard);
        assert!(found().contains(&(Rule::Deadlock, Tier::Happened)));
    }
    run("process::a_joined_thread_is_waited_for", body).well();
}

#[test]
fn a_writer_in_the_queue_blocks_the_reader_that_lets_it_wait() {
    fn body() {
        static BLOCK: RwLock<u32> = RwLock::new(0);
        let first = BLOCK.read().unwrap();
        let writer = thread::spawn(|| *BLOCK.write().unwrap_or_else(PoisonError::into_inner) += 1);
        while BLOCK.try_read().is_ok() {
            std::thread::yield_now();
        }
        let again = panic::catch_unwind(|| drop(BLOCK.read()));
        assert!(again.is_err());
        drop(first);
        writer.join().unwrap();
        assert!(found().contains(&(Rule::Deadlock, Tier::Happened)), "{:?}", found());
    }
    run("process::a_writer_in_the_queue_blocks_the_reader_that_lets_it_wait", body).well();
}

#[test]
fn the_last_thread_to_end_leaves_nobody_to_help() {
    fn body() {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        let pairs = std::sync::Barrier::new(2);
        thread::scope(|s| {
            s.spawn(|| {
                let mut ready = ready.lock().unwrap();
                pairs.wait();
                while !*ready {
                    ready = changed.wait(ready).unwrap();
                }
            });
            s.spawn(|| {
                pairs.wait();
                // The predicate, but not the notification.
                *ready.lock().unwrap() = true;
            });
        });
    }
    let ended = run("process::the_last_thread_to_end_leaves_nobody_to_help", body);
    assert!(!ended.ok);
    assert!(ended.trace.contains(r#""rule":"stuck-wait","tier":"happened""#), "{}", ended.stderr);
}

#[test]
fn waits_that_somebody_ends_are_not_stuck() {
    fn body() {
        use std::sync::atomic::AtomicUsize;

        // Each thread blocks until the other wakes it, so at most one of them runs at any time.
        static TURN: AtomicUsize = AtomicUsize::new(0);
        let main = std::thread::current();
        let other = thread::spawn(move || {
            for round in 0..500 {
                while TURN.load(SeqCst) != 2 * round + 1 {
                    thread::park();
                }
                TURN.store(2 * round + 2, SeqCst);
                main.unpark();
            }
        });
        for round in 0..500 {
            TURN.store(2 * round + 1, SeqCst);
            other.thread().unpark();
            while TURN.load(SeqCst) != 2 * round + 2 {
                thread::park();
            }
        }
        other.join().unwrap();

        let (to, from) = (Mutex::new(0_u32), Condvar::new());
        thread::scope(|s| {
            for mine in 0..2 {
                let (to, from) = (&to, &from);
                s.spawn(move || {
                    for _ in 0..500 {
                        let mut turn = from.wait_while(to.lock().unwrap(), |t| *t % 2 != mine);
                        *turn.as_deref_mut().unwrap() += 1;
                        drop(turn);
                        from.notify_all();
                    }
                });
            }
        });
        assert_eq!(found(), []);
    }
    run("process::waits_that_somebody_ends_are_not_stuck", body).well();
}

#[test]
fn a_thread_that_ends_before_it_is_waited_for_lets_the_waiter_go_on() {
    fn body() {
        use lockdep::instrument::Child;

        let child = Child::spawn(Location::caller());
        let entered = child.clone();
        std::thread::spawn(move || drop(entered.enter())).join().unwrap();
        // It ended after whoever joins it had looked.
        child.join(Location::caller(), false, || ());
        assert_eq!(found(), []);
    }
    run("process::a_thread_that_ends_before_it_is_waited_for_lets_the_waiter_go_on", body).well();
}

#[test]
fn a_thread_that_ends_alone_loses_no_time() {
    fn body() {
        static TAKEN: Mutex<u32> = Mutex::new(0);
        let slow = (0..20).filter(|_| {
            let start = Instant::now();
            std::thread::spawn(|| *TAKEN.lock().unwrap() += 1).join().unwrap();
            // Looking for threads that are stuck would take that long each time.
            start.elapsed() >= Duration::from_millis(600)
        });
        assert!(slow.count() < 10);
        assert_eq!(*TAKEN.lock().unwrap(), 20);
    }
    run("process::a_thread_that_ends_alone_loses_no_time", body).well();
}

#[test]
fn a_value_that_is_not_known_is_said_once() {
    fn body() {
        drop(Mutex::new(0).lock());
        drop(lockdep::Config::from_env());
    }
    let name = "process::a_value_that_is_not_known_is_said_once";
    let ended = run_with(name, &[("LOCKDEP_ON_DEADLOCK", "bogus")], body).well();
    let line = "lockdep: LOCKDEP_ON_DEADLOCK=bogus is not known and taken for `panic`; \
                the values are panic, abort, exit, report\n";
    assert_eq!(ended.stderr.matches(line).count(), 1, "{}", ended.stderr);
}
