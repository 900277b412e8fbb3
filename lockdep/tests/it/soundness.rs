//! Programs in safe code, or with a fork, under which the runtime wrote or read what it must not, hung or
//! said what is not so.

#![forbid(unsafe_op_in_unsafe_fn)]

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use lockdep::config::{OnDeadlock, Print};
use lockdep::finding::{Rule, Tier};
use lockdep::instrument::{LockKind, LockTag, LockType};
use lockdep::sync::{Condvar, Mutex};
use lockdep::{Config, thread};

use crate::isolated::{found, run, run_with};

/// One initialiser runs in one call, so there is one hold, however large the stack.
#[test]
fn initialisers_inside_of_initialisers_find_room() {
    fn nest(depth: u32) {
        if depth == 0 {
            return;
        }
        let ty = const { &LockType::of::<u8>(LockKind::Once) };
        let tag = LockTag::new(ty);
        tag.initialize(ty, Location::caller(), |initializer| {
            let _running = initializer.enter();
            nest(depth - 1);
        });
    }
    fn body() {
        nest(200);
        assert_eq!(found(), []);
    }
    run("soundness::initialisers_inside_of_initialisers_find_room", body).well();
}

/// A callback that keeps a guard takes the room that was made for the lock of the acquisition that it was
/// called from.
#[test]
fn a_callback_that_keeps_a_guard() {
    static LOG: Mutex<u32> = Mutex::new(0);
    fn body() {
        let depth: usize = std::env::var("DEPTH").expect("set below").parse().expect("a number");
        lockdep::configure(
            Config::from_env().on_deadlock(OnDeadlock::Report).print(Print::None).on_finding(
                |_| {
                    std::mem::forget(LOG.try_lock().expect("nobody holds it"));
                },
            ),
        );
        let locks: Vec<Mutex<u32>> = (0..depth).map(|_| Mutex::new(0)).collect();
        let (a, b) = (Mutex::new(0), Mutex::new(0));
        {
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        }
        let mut held: Vec<_> = locks.iter().map(|lock| lock.try_lock().unwrap()).collect();
        held.push(a.lock().unwrap());
        held.push(b.lock().unwrap());
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)]);
        for lock in locks.iter().chain([&a, &b, &LOG]) {
            lockdep::order::assert_held(lock, "lock");
        }
        drop(held);
        for lock in locks.iter().chain([&a, &b]) {
            lockdep::order::assert_not_held(lock, "lock");
        }
    }
    // Around the first sizes at which a stack grows.
    for depth in (27..32).chain(59..64) {
        let depth = depth.to_string();
        run_with("soundness::a_callback_that_keeps_a_guard", &[("DEPTH", &depth)], body).well();
    }
}

/// The raw lock inside of a raw lock is pushed between the room that is made for the outer one and its
/// push.
#[cfg(feature = "parking_lot")]
#[test]
fn a_raw_lock_inside_of_a_raw_lock() {
    use lock_api::RawMutex as _;
    use lockdep::parking_lot::{Mutex, RawMutex};

    fn body() {
        type Nested = lockdep::parking_lot::lock_api::Mutex<RawMutex, u32>;
        let locks: Vec<Nested> = (0..40).map(|_| Nested::new(0)).collect();
        let guards: Vec<_> = locks.iter().map(|lock| lock.lock()).collect();
        let raw = <RawMutex as lock_api::RawMutex>::INIT;
        raw.lock();
        assert!(!raw.try_lock());
        // SAFETY: locked above, by this thread.
        unsafe { raw.unlock() };
        drop(guards);
        drop(Mutex::new(0));
    }
    run("soundness::a_raw_lock_inside_of_a_raw_lock", body).well();
}

/// The number of a thread is none of a lock.
#[test]
fn a_dump_does_not_take_a_parked_thread_for_one_that_waits_for_a_lock() {
    fn body() {
        let parked = thread::spawn(|| thread::park_timeout(Duration::from_secs(60)));
        let text = loop {
            let text = lockdep::dump();
            if text.contains("unparked") {
                break text;
            }
            std::thread::yield_now();
        };
        parked.thread().unpark();
        parked.join().unwrap();
        assert!(text.contains("waits to be unparked since"), "{text}");
        assert!(!text.contains("waits for Mutex"), "{text}");
    }
    let name = "soundness::a_dump_does_not_take_a_parked_thread_for_one_that_waits_for_a_lock";
    run(name, body).well();
}

/// Nobody can wait for a lock that is gone, so a guard of it that was leaked is no orphan.
#[test]
fn a_leaked_guard_of_a_lock_that_is_gone() {
    fn body() {
        thread::spawn(|| {
            let lock = Arc::new(Mutex::new(0));
            std::mem::forget(lock.lock().unwrap());
            drop(lock);
        })
        .join()
        .unwrap();
        assert_eq!(found(), []);
    }
    run("soundness::a_leaked_guard_of_a_lock_that_is_gone", body).well();
}

/// The counterpart: somebody can wait for this one.
#[test]
fn a_leaked_guard_of_a_lock_that_is_there() {
    fn body() {
        let lock = Arc::new(Mutex::new(0));
        let other = Arc::clone(&lock);
        thread::spawn(move || std::mem::forget(other.lock().unwrap())).join().unwrap();
        // The thread may not have ended quite yet.
        while found().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(found(), [(Rule::OrphanedLock, Tier::Happened)]);
        drop(lock);
    }
    run("soundness::a_leaked_guard_of_a_lock_that_is_there", body).well();
}

/// A condition variable's wait is one of the code, whether or not the condition is true already.
#[test]
fn a_wait_whose_condition_is_true_already() {
    fn body() {
        let outer = Arc::new(Mutex::new(()));
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let (other_outer, other_pair) = (Arc::clone(&outer), Arc::clone(&pair));
        thread::spawn(move || {
            let _outer = other_outer.lock().unwrap();
            *other_pair.0.lock().unwrap() = true;
            other_pair.1.notify_all();
        })
        .join()
        .unwrap();
        let (lock, changed) = &*pair;
        let _outer = outer.lock().unwrap();
        drop(changed.wait_while(lock.lock().unwrap(), |done| !*done).unwrap());
        let waits = found().iter().any(|(rule, _)| *rule == Rule::WaitWhileHolding);
        assert!(waits, "{:?}", found());
    }
    run("soundness::a_wait_whose_condition_is_true_already", body).well();
}

/// One notification wakes one of two, and nobody is left to wake the other.
#[test]
fn one_notification_for_two_that_wait() {
    fn body() {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let waiting = || {
            let pair = Arc::clone(&pair);
            thread::spawn(move || {
                let mut waiting = pair.0.lock().unwrap();
                *waiting += 1;
                drop(pair.1.wait(waiting).unwrap());
            })
        };
        let threads = [waiting(), waiting()];
        while *pair.0.lock().unwrap() < 2 {
            std::thread::yield_now();
        }
        pair.1.notify_one();
        let ends: Vec<bool> = threads.into_iter().map(|t| t.join().is_ok()).collect();
        panic!("{ends:?}: one of them waits for ever, or has been told so");
    }
    let ended = run("soundness::one_notification_for_two_that_wait", body);
    assert!(!ended.ok);
    assert!(ended.stderr.contains("stuck-wait"), "{}", ended.stderr);
}

#[cfg(unix)]
mod forks {
    use std::ffi::c_int;
    use std::ptr;
    use std::time::{Duration, Instant};

    use lockdep::finding::Rule;
    use lockdep::sync::{Mutex, Semaphore};

    use crate::isolated::run;

    unsafe extern "C" {
        fn fork() -> c_int;
        fn _exit(code: c_int) -> !;
        fn kill(process: c_int, signal: c_int) -> c_int;
        fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    }

    /// Runs `child` in a forked process, which then ends. Whether it did so, with success, within a minute.
    fn forked(child: fn()) -> bool {
        // SAFETY: the child runs alone and only uses what works after a fork.
        let process = unsafe { fork() };
        if process == 0 {
            child();
            // SAFETY: always.
            unsafe { _exit(0) };
        }
        let (begin, mut status) = (Instant::now(), -1);
        // SAFETY: a valid place for the status; 1 is WNOHANG.
        while unsafe { waitpid(process, &mut status, 1) } != process {
            if begin.elapsed() > Duration::from_secs(60) {
                // SAFETY: a child of this process; 9 is SIGKILL.
                unsafe {
                    kill(process, 9);
                    waitpid(process, ptr::null_mut(), 0);
                }
                return false;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        status == 0
    }

    #[test]
    fn a_fork_in_the_destructor_of_a_thread_local() {
        struct Forks;
        impl Drop for Forks {
            fn drop(&mut self) {
                assert!(forked(|| ()));
            }
        }
        thread_local! {
            static FORKS: Forks = const { Forks };
        }
        fn body() {
            let thread = std::thread::spawn(|| {
                FORKS.with(|_| ());
                *Mutex::new(0).lock().unwrap() += 1;
                assert!(forked(|| ()));
            });
            thread.join().unwrap();
        }
        run("soundness::forks::a_fork_in_the_destructor_of_a_thread_local", body).well();
    }

    static PERMITS: Semaphore = Semaphore::new(1_000);

    /// Threads that take permits all the time, so that the process is forked while they do.
    fn busy_with_permits() {
        drop(PERMITS.acquire());
        for _ in 0..2 {
            std::thread::spawn(|| {
                loop {
                    drop(PERMITS.acquire_many(2));
                }
            });
        }
    }

    #[test]
    fn a_child_can_dump_while_others_were_busy() {
        fn body() {
            busy_with_permits();
            assert!((0..200).all(|_| forked(|| assert!(lockdep::dump().starts_with("1 thread")))));
        }
        run("soundness::forks::a_child_can_dump_while_others_were_busy", body).well();
    }

    #[test]
    fn a_child_can_exit_while_others_were_busy() {
        fn body() {
            busy_with_permits();
            assert!((0..200).all(|_| forked(|| std::process::exit(0))));
        }
        run("soundness::forks::a_child_can_exit_while_others_were_busy", body).well();
    }

    #[test]
    fn a_child_is_told_of_a_lock_that_a_thread_held_which_it_does_not_have() {
        static HELD: Mutex<u32> = Mutex::new(0);
        fn body() {
            let (taken, is_taken) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let _held = HELD.lock().unwrap();
                taken.send(()).unwrap();
                loop {
                    std::thread::park();
                }
            });
            is_taken.recv().unwrap();
            let is_told = forked(|| {
                let panics = std::panic::catch_unwind(|| drop(HELD.lock())).is_err();
                let orphaned = |f: &std::sync::Arc<lockdep::Finding>| f.rule == Rule::OrphanedLock;
                assert!(panics && lockdep::findings().iter().any(orphaned));
            });
            assert!(is_told);
        }
        let name =
            "soundness::forks::a_child_is_told_of_a_lock_that_a_thread_held_which_it_does_not_have";
        run(name, body).well();
    }
}
