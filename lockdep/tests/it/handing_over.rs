//! Orders of locks in threads that events kept apart in this run.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{Barrier, Condvar, Mutex, mpsc};
use lockdep::thread;

use crate::isolated::{found, run};

const POTENTIAL: [(Rule, Tier); 1] = [(Rule::LockOrder, Tier::Potential)];
const REACHABLE: [(Rule, Tier); 1] = [(Rule::LockOrder, Tier::Reachable)];

fn nest(outer: &Mutex<()>, inner: &Mutex<()>) {
    let _outer = outer.lock();
    let _inner = inner.lock();
}

#[test]
fn phases_between_barriers() {
    fn body() {
        let (a, b, phase) = (Mutex::new(()), Mutex::new(()), Barrier::new(2));
        thread::scope(|s| {
            s.spawn(|| {
                nest(&a, &b);
                phase.wait();
            });
            phase.wait();
            nest(&b, &a);
        });
        assert_eq!(found(), POTENTIAL);
    }
    run("handing_over::phases_between_barriers", body).well();
}

#[test]
fn a_message_and_the_end_of_all_senders() {
    fn body() {
        let (a, b, c) = (Mutex::new(()), Mutex::new(()), Mutex::new(()));
        thread::scope(|s| {
            let ((send, receive), (last, end)) = (mpsc::channel(), mpsc::channel::<()>());
            let (a, b, c) = (&a, &b, &c);
            s.spawn(move || {
                nest(a, b);
                send.send(()).unwrap();
                nest(b, c);
                drop(last);
            });
            receive.recv().unwrap();
            nest(b, a);
            end.recv().unwrap_err();
            nest(c, b);
        });
        assert_eq!(found(), [POTENTIAL[0]; 2]);
    }
    run("handing_over::a_message_and_the_end_of_all_senders", body).well();
}

#[test]
fn a_notification() {
    fn body() {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        let (queue, changed) = (Mutex::new(VecDeque::new()), Condvar::new());
        let (waits, is_waiting) = mpsc::channel();
        thread::scope(|s| {
            s.spawn(|| {
                let queued = queue.lock().unwrap();
                waits.send(()).unwrap();
                drop(changed.wait_while(queued, |queued| queued.is_empty()));
                nest(&b, &a);
            });
            is_waiting.recv().unwrap();
            nest(&a, &b);
            // It waits once the queue can be had.
            queue.lock().unwrap().push_back(());
            changed.notify_one();
        });
        assert_eq!(found(), POTENTIAL);
    }
    run("handing_over::a_notification", body).well();
}

/// Tells another thread to go on, in a way that the engine does not see.
fn until(flag: &AtomicBool) {
    while !flag.load(SeqCst) {
        thread::yield_now();
    }
}

#[test]
fn what_is_done_again_after_the_message_is_not_kept_apart() {
    fn body() {
        let (a, b, go) = (Mutex::new(()), Mutex::new(()), AtomicBool::new(false));
        thread::scope(|s| {
            let (send, receive) = mpsc::channel();
            let (a, b, go) = (&a, &b, &go);
            s.spawn(move || {
                nest(a, b);
                send.send(()).unwrap();
                until(go);
                nest(a, b);
            });
            receive.recv().unwrap();
            nest(b, a);
            go.store(true, SeqCst);
        });
        assert_eq!(found(), [POTENTIAL[0], REACHABLE[0]]);
    }
    run("handing_over::what_is_done_again_after_the_message_is_not_kept_apart", body).well();
}

#[test]
fn a_message_that_tells_nothing_of_the_locks() {
    fn body() {
        let (a, b, go) = (Mutex::new(()), Mutex::new(()), AtomicBool::new(false));
        thread::scope(|s| {
            let (send, receive) = mpsc::channel();
            let (a, b, go) = (&a, &b, &go);
            s.spawn(move || {
                send.send(()).unwrap();
                until(go);
                nest(a, b);
            });
            receive.recv().unwrap();
            nest(b, a);
            go.store(true, SeqCst);
        });
        assert_eq!(found(), REACHABLE);
    }
    run("handing_over::a_message_that_tells_nothing_of_the_locks", body).well();
}
