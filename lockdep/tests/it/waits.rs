//! Waits of every kind: the reference scenarios on condition variables (H), channels, barriers and
//! semaphores (I), what is Rust's own (R) and the watching of a live process (W), each with the test
//! or program that holds it. Those in this file have the id in their comment; `run-std/` and `run-pl/`
//! are programs of `tests/scenarios`.
//!
//! | | |
//! |---|---|
//! | H01 | `handing_over::a_notification` |
//! | H03 | `run-std/cv-wait-holding-other`, `run-pl/pl-cv-wait-holding-other` for what hangs. Over three links nothing is predicted (nor H12, H13): the third thread may always come before the wait or after the event, and of such an order only the beginning is known (`publishing`), so hangs would be told of that cannot be |
//! | H05 | `examples/04-lost-wake-up`, `run-std/cv-lost-wakeup` |
//! | H07 | `condvar-unlocked-predicate` of the linter: an atomic store is not seen in a run |
//! | H09 | `run-std/cv-bounded-buffer` |
//! | I01 | `examples/03-channel-and-lock`, `run-std/ch-recv-holding-lucky` |
//! | I03, I03b | `two_that_send_before_they_receive` |
//! | I05 | `run-std/ch-forgotten-clone`, `run-std/ch-recv-after-drop` |
//! | I07 | `a_barrier_under_a_lock_that_is_taken_behind_it` |
//! | I09 | `handing_over::phases_between_barriers`: `potential`, and not hidden, as another run may order it otherwise |
//! | I10, I11, I12 | `semaphore::two_permits_each_are_enough_for_two_threads`, `…one_permit_each_is_a_deadlock_of_two_threads`, `…two_permits_each_are_too_few_for_four_threads` |
//! | I13 | `run-std/live-philosophers`, `examples/11-philosophers` |
//! | R01, R02, R03 | `run-std/k-aa-mutex`, `…guard-match-scrutinee`, `…guard-if-let-else` |
//! | R04, R05 | `run-std/k-aa-write-read`, `parking_lot::threads_that_wait_for_each_other` |
//! | R06, R07 | `run-std/once-get-or-init-reentrant`, `…once-cross-threads` |
//! | R08 | `examples/02-join-under-lock`, `run-std/join-holding-hang` |
//! | R09, R10 | `run-std/panic-releases-lock`, `orphans` |
//! | R11 | `sent_guards` |
//! | R12, R13 | `instances_of_one_class` |
//! | R14, R15 | `run-std/class-tree-bottom-up`, `…bulk-reuse-stack-slot` |
//! | R17 | `a_receiver_that_keeps_a_sender` |
//! | R18, R19, R21 | `process::locks_in_destructors_of_thread_locals_work_to_the_end`, `quiescence::the_trace_ends_with_the_threads_that_still_wait`, `allocator` |
//! | R20, R22, R23 | `peers::statics_and_unsized_values`, `peers::wait_while_waits_while_the_predicate_holds`, `run-std/drop-inversion` |
//! | W01, W02, W10 | `run-std/live-abba`, `…live-with-bystanders`, `…live-partial-ticker` |
//! | W03, W07 | `a_slow_holder_is_no_deadlock`, `a_receiver_with_the_lock_that_its_sender_needs` |
//! | W04, W05 | `run-pl/pl-timed-collision`, `run-std/live-two-readers-upgrade` |
//! | W06, W08 | `run-std/cv-lone-wait`, `semaphore` |
//!
//! R16 is rayon's, and a test of the command on a program (`runtimes`). W09 is no program: what is read
//! of a thread that moves meanwhile is thrown away (`waiting`).

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, mpsc as plain};
use std::time::{Duration, Instant};

use lockdep::finding::{Rule, Tier};
use lockdep::instrument::{EventKind, EventTag};
use lockdep::sync::{Barrier, Condvar, Mutex, mpsc};
use lockdep::thread;

use crate::isolated::{found, run, shown};

/// Whether the step would have hung.
fn hangs(step: impl FnOnce()) -> bool {
    panic::catch_unwind(AssertUnwindSafe(step)).is_err()
}

/// Returns once another thread joins one, so that whoever asks here is told of a hang, and not that
/// one, which would be the last to wait.
fn until_joined() {
    while !lockdep::dump().contains("waits for the end of") {
        std::thread::yield_now();
    }
}

/// Each of two threads sends twice to the other, then receives twice. Returns how many would hang.
fn send_first(room: usize) -> usize {
    let (to_one, one) = mpsc::sync_channel(room);
    let (to_two, two) = mpsc::sync_channel(room);
    let pass = |to: mpsc::SyncSender<u8>, from: mpsc::Receiver<u8>| {
        until_joined();
        hangs(move || {
            // The other may have given up.
            let _ = (to.send(1), to.send(2));
            let _ = (from.recv(), from.recv());
        })
    };
    thread::scope(|s| {
        let both = [s.spawn(move || pass(to_two, one)), s.spawn(move || pass(to_one, two))];
        both.into_iter().map(|t| usize::from(t.join().unwrap())).sum()
    })
}

/// I03, I03b.
#[test]
fn two_that_send_before_they_receive() {
    fn body() {
        assert_eq!((send_first(2), found()), (0, vec![]));
        assert_eq!(send_first(1), 1);
        assert_eq!(found(), [(Rule::StuckWait, Tier::Happened)]);
    }
    run("waits::two_that_send_before_they_receive", body).well();
}

/// I07.
#[test]
fn a_barrier_under_a_lock_that_is_taken_behind_it() {
    fn body() {
        let (lock, both) = (Mutex::new(0), Barrier::new(2));
        thread::scope(|s| {
            s.spawn(|| {
                let _held = lock.lock().unwrap();
                both.wait();
            });
            s.spawn(|| {
                both.wait();
                drop(lock.lock());
            });
        });
        assert_eq!(shown(), []);
    }
    run("waits::a_barrier_under_a_lock_that_is_taken_behind_it", body).well();
}

/// Two threads nest two of these locks, one after the other, so that none waits.
fn nest_both(locks: &[Mutex<u8>], first: [usize; 2], second: [usize; 2]) {
    let nest = |[outer, inner]: [usize; 2]| {
        let _outer = locks[outer].lock();
        drop(locks[inner].lock());
    };
    let (done, is_done) = plain::channel();
    thread::scope(|s| {
        s.spawn(move || {
            nest(first);
            done.send(()).unwrap();
        });
        s.spawn(move || {
            is_done.recv().unwrap();
            nest(second);
        });
    });
}

/// R13, then R12.
#[test]
fn instances_of_one_class() {
    fn body() {
        let locks: Vec<Mutex<u8>> = (0..3).map(Mutex::new).collect();
        nest_both(&locks, [0, 1], [1, 2]);
        nest_both(&locks, [0, 2], [0, 1]);
        assert_eq!(found(), []);
        nest_both(&locks, [1, 2], [2, 1]);
        assert!(shown().contains(&(Rule::LockOrder, Tier::Reachable)), "{:?}", found());
    }
    run("waits::instances_of_one_class", body).well();
}

/// Each thread numbers what it meets first from a multiple of the same number on.
#[test]
fn a_notification_of_another_condition_variable() {
    fn body() {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let others = [const { Condvar::new() }; 4];
        let waiter = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (ready, meant) = &*shared;
                let mut guard = ready.lock().unwrap();
                *guard = true;
                drop(meant.wait_while(guard, |ready| *ready).unwrap());
            }
        });
        let (ready, meant) = &*shared;
        while !*ready.lock().unwrap() {
            thread::yield_now();
        }
        let notifier = thread::spawn(move || others.iter().for_each(Condvar::notify_all));
        notifier.join().unwrap();
        assert!(hangs(|| waiter.join().unwrap()));
        assert_eq!(found(), [(Rule::StuckWait, Tier::Happened)]);
        *ready.lock().unwrap() = false;
        meant.notify_all();
    }
    run("waits::a_notification_of_another_condition_variable", body).well();
}

/// R17.
#[test]
fn a_receiver_that_keeps_a_sender() {
    fn body() {
        let (tx, rx) = mpsc::channel();
        let worker = {
            let tx = tx.clone();
            thread::spawn(move || tx.send(1).unwrap())
        };
        worker.join().unwrap();
        let mut received = 0;
        assert!(hangs(|| rx.iter().for_each(|n: u8| received += n)));
        drop(tx);
        assert_eq!((received, found()), (1, vec![(Rule::StuckWait, Tier::Happened)]));
    }
    run("waits::a_receiver_that_keeps_a_sender", body).well();
}

/// W03.
#[test]
fn a_slow_holder_is_no_deadlock() {
    fn body() {
        let lock = Mutex::new(0);
        let held = std::sync::Barrier::new(4);
        thread::scope(|s| {
            s.spawn(|| {
                let _held = lock.lock().unwrap();
                held.wait();
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_secs(1) {
                    std::hint::spin_loop();
                }
            });
            for _ in 0..3 {
                s.spawn(|| {
                    held.wait();
                    *lock.lock().unwrap() += 1;
                });
            }
        });
        assert_eq!((lock.into_inner().unwrap(), found()), (3, vec![]));
    }
    run("waits::a_slow_holder_is_no_deadlock", body).well();
}

/// W07: nothing while the sender runs; a hang once it waits for the lock of the receiver.
#[test]
fn a_receiver_with_the_lock_that_its_sender_needs() {
    fn body() {
        let lock = Mutex::new(0);
        let (tx, rx) = mpsc::channel::<u8>();
        let (go, goes) = plain::channel::<()>();
        thread::scope(|s| {
            let (lock, rx) = (&lock, AssertUnwindSafe(rx));
            let receiver = s.spawn(move || {
                let rx = rx;
                let _held = lock.lock().unwrap();
                _ = rx.recv();
            });
            while !lockdep::dump().contains("waits for channel") {
                std::thread::yield_now();
            }
            assert_eq!(found(), [], "the sender runs");
            go.send(()).unwrap();
            let sender = s.spawn(move || {
                goes.recv().unwrap();
                until_joined();
                let hung = hangs(|| drop(lock.lock()));
                drop(tx);
                hung
            });
            assert_eq!((sender.join().unwrap(), receiver.join().is_ok()), (true, true));
        });
        assert!(found().contains(&(Rule::WaitWhileHolding, Tier::Happened)), "{:?}", found());
    }
    run("waits::a_receiver_with_the_lock_that_its_sender_needs", body).well();
}

#[test]
fn a_scope_that_unwinds_waits_for_its_threads_too() {
    fn body() {
        let both = Barrier::new(2);
        thread::scope(|s| {
            s.spawn(|| both.wait());
            panic!("of its own");
        });
    }
    let ended = run("waits::a_scope_that_unwinds_waits_for_its_threads_too", body);
    assert!(!ended.ok);
    for said in ["of its own", "stuck-wait"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    assert!(ended.trace.contains("stuck-wait"), "{}", ended.trace);
}

/// The last sender is gone before the receiver's wait can be seen, and so is not counted.
#[test]
fn what_comes_between_the_attempt_and_the_wait_is_not_missed() {
    fn body() {
        let (tag, mut attempts) = (EventTag::new(), 0);
        let attempt = || {
            attempts += 1;
            (attempts > 1).then_some(())
        };
        let site = std::panic::Location::caller();
        tag.wait(EventKind::Receive, false, site, attempt, || ());
        assert_eq!((attempts, found()), (2, vec![]));
    }
    run("waits::what_comes_between_the_attempt_and_the_wait_is_not_missed", body).well();
}
