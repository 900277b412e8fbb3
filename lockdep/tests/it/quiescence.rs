//! What is left at the end of a test or of the process, and the dump of all threads.

use std::panic;
use std::sync::Barrier;

use lockdep::sync::{Mutex, mpsc};
use lockdep::thread;

use crate::isolated::run;

/// The text of the panic of [`lockdep::assert_quiescent`], if it does.
fn objection() -> Option<String> {
    let result = panic::catch_unwind(|| lockdep::assert_quiescent());
    result.err().map(|payload| match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(_) => panic!("the panic carries a text"),
    })
}

/// A dump in which somebody waits at a place whose text contains `what`, waited for.
fn dump_with(what: &str) -> String {
    loop {
        let text = lockdep::dump();
        if text.contains(what) {
            return text;
        }
        std::thread::yield_now();
    }
}

#[test]
fn nothing_is_left_where_all_threads_have_ended() {
    fn body() {
        let (tx, rx) = mpsc::channel();
        let lock = Mutex::new(0);
        let thread = thread::spawn(move || rx.iter().sum::<i32>());
        for i in 0..10 {
            *lock.lock().unwrap() += i;
            tx.send(i).unwrap();
        }
        drop(tx);
        assert_eq!(thread.join().unwrap(), 45);
        assert_eq!(objection(), None);
    }
    run("quiescence::nothing_is_left_where_all_threads_have_ended", body).well();
}

#[test]
fn a_thread_that_still_waits_is_named() {
    fn body() {
        let (tx, rx) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("drain".to_owned()).spawn(move || rx.recv());
        dump_with("`drain` waits for channel");
        let text = objection().expect("a thread waits");
        assert!(text.contains("`drain` waits for channel created at"), "{text}");
        assert!(text.contains("tests/it/quiescence.rs"), "{text}");
        drop(tx);
        assert!(thread.unwrap().join().unwrap().is_err());
        assert_eq!(objection(), None);
    }
    run("quiescence::a_thread_that_still_waits_is_named", body).well();
}

#[test]
fn guards_that_nobody_will_drop_are_named() {
    fn body() {
        let leaked = Mutex::new(0);
        std::mem::forget(leaked.lock());
        let text = objection().expect("this thread holds a lock");
        assert!(text.contains(" runs\n  holds Mutex created at"), "{text}");
        assert!(text.contains("(write)\n    acquired at"), "{text}");
    }
    run("quiescence::guards_that_nobody_will_drop_are_named", body).well();
}

#[test]
fn locks_of_threads_that_have_ended_are_named() {
    fn body() {
        let leaked = Mutex::new(0);
        thread::scope(|s| {
            // The scope itself waits for the closure only.
            s.spawn(|| std::mem::forget(leaked.lock())).join().unwrap();
        });
        let text = objection().expect("a lock is held for ever");
        assert!(text.contains("has ended\n  holds Mutex created at"), "{text}");
    }
    run("quiescence::locks_of_threads_that_have_ended_are_named", body).well();
}

#[test]
fn a_dump_tells_who_holds_and_who_waits() {
    fn body() {
        let lock = Mutex::new(0);
        let held = Barrier::new(2);
        thread::scope(|s| {
            let holder = thread::Builder::new().name("holder".to_owned());
            let (tx, rx) = mpsc::channel::<()>();
            let (lock, held) = (&lock, &held);
            holder
                .spawn_scoped(s, move || {
                    let _guard = lock.lock().unwrap();
                    held.wait();
                    let _ = rx.recv();
                })
                .unwrap();
            held.wait();
            let waiter = thread::Builder::new().name("waiter".to_owned());
            waiter.spawn_scoped(s, || drop(lock.lock())).unwrap();
            let text = dump_with("`waiter` waits for Mutex");
            let text = text + &dump_with("`holder` waits for channel");
            assert!(text.contains("holds Mutex created at"), "{text}");
            assert!(text.contains(" since "), "{text}");
            drop(tx);
        });
    }
    run("quiescence::a_dump_tells_who_holds_and_who_waits", body).well();
}

#[test]
fn the_trace_ends_with_the_threads_that_still_wait() {
    fn body() {
        let (tx, rx) = mpsc::channel::<()>();
        std::mem::forget(tx);
        let outer = Mutex::new(());
        thread::Builder::new()
            .name("stays".to_owned())
            .spawn(move || {
                let _outer = outer.lock();
                rx.recv()
            })
            .unwrap();
        dump_with("`stays` waits for channel");
    }
    let ended = run("quiescence::the_trace_ends_with_the_threads_that_still_wait", body).well();
    let line = ended.trace.lines().find(|l| l.contains(r#""t":"blocked""#)).unwrap_or_default();
    assert!(line.contains(r#""for":"event","class":"#), "{}", ended.trace);
    assert!(line.contains(r#""held":[{"class":"#), "{line}");
}
