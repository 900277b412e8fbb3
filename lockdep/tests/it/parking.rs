//! Parked threads: found when nobody is left to unpark them, and left alone otherwise.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use lockdep::finding::{Rule, Tier};
use lockdep::sync::{Barrier, Mutex, mpsc};
use lockdep::thread::{self, Thread};
use lockdep::watchdog::{Heartbeat, Then, Watchdog};

use crate::isolated::{found, run};

#[test]
fn whoever_parks_with_the_lock_that_its_waker_needs_is_found() {
    fn body() {
        let queue = Arc::new(Mutex::new(0));
        let (held, holds) = mpsc::channel();
        let sleeper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let _queue = queue.lock().unwrap();
                held.send(()).unwrap();
                thread::park();
            })
        };
        holds.recv().unwrap();
        let pushed = panic::catch_unwind(AssertUnwindSafe(|| *queue.lock().unwrap() += 1));
        sleeper.thread().unpark();
        assert!(pushed.is_err() || sleeper.join().is_err());
        assert_eq!(found(), [(Rule::WaitWhileHolding, Tier::Happened)]);
    }
    let name = "parking::whoever_parks_with_the_lock_that_its_waker_needs_is_found";
    let ended = run(name, body).well();
    assert!(ended.stderr.contains("waits for an unpark while it holds Mutex"), "{}", ended.stderr);
}

#[test]
fn two_unparks_before_the_first_park_are_one() {
    fn body() {
        let unparked = Arc::new(Barrier::new(2));
        let worker = {
            let unparked = Arc::clone(&unparked);
            thread::spawn(move || {
                unparked.wait();
                thread::park();
                thread::park();
            })
        };
        worker.thread().unpark();
        worker.thread().unpark();
        unparked.wait();
        let thread = worker.thread().clone();
        let joined = panic::catch_unwind(AssertUnwindSafe(|| worker.join().is_err()));
        thread.unpark();
        assert!(joined.unwrap_or(true), "one of both is told");
        assert_eq!(found(), [(Rule::StuckWait, Tier::Happened)]);
    }
    let ended = run("parking::two_unparks_before_the_first_park_are_one", body).well();
    assert!(ended.stderr.contains("no thread is left to bring that about"), "{}", ended.stderr);
}

/// Wakes a thread that waits in [`block_on`].
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Is ready once somebody has called [`Turn::pass`].
#[derive(Default)]
struct Turn {
    passed: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Turn {
    fn pass(&self) {
        self.passed.store(true, SeqCst);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }

    async fn taken(&self) {
        std::future::poll_fn(|context| {
            *self.waker.lock().unwrap() = Some(context.waker().clone());
            if self.passed.swap(false, SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[test]
fn an_executor_that_parks_is_never_stuck() {
    fn body() {
        const ROUNDS: usize = 2000;
        let turns = [Turn::default(), Turn::default()];
        let (tx, rx) = mpsc::channel();
        thread::scope(|s| {
            for at in 0..2 {
                let (turns, tx) = (&turns, tx.clone());
                s.spawn(move || {
                    for round in 0..ROUNDS {
                        if at == 1 || round > 0 {
                            block_on(turns[at].taken());
                        }
                        turns[1 - at].pass();
                    }
                    tx.send(()).unwrap();
                });
            }
            drop(tx);
            assert_eq!(rx.iter().count(), 2);
        });
        assert_eq!(found(), []);
    }
    run("parking::an_executor_that_parks_is_never_stuck", body).well();
}

#[test]
fn a_process_of_parked_threads_alone_may_stay() {
    fn body() {
        // Ends the process once it has been idle for long enough.
        Watchdog::new().then(Then::Abort).start().unwrap().detach();
        let idle = Heartbeat::new("idle", Duration::from_secs(2));
        thread::spawn(|| {
            loop {
                thread::park();
            }
        });
        loop {
            thread::park();
            let _ = &idle;
        }
    }
    let ended = run("parking::a_process_of_parked_threads_alone_may_stay", body);
    assert!(ended.stderr.contains("missed-heartbeat"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("stuck-wait"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_signal_may_unpark_a_thread() {
    use std::ffi::{c_int, c_uint};

    unsafe extern "C" {
        fn signal(number: c_int, handler: usize) -> usize;
        fn alarm(seconds: c_uint) -> c_uint;
    }
    const SIGALRM: c_int = 14;
    static MAIN: OnceLock<Thread> = OnceLock::new();
    static RUNG: AtomicBool = AtomicBool::new(false);

    extern "C" fn ring(_number: c_int) {
        RUNG.store(true, SeqCst);
        MAIN.get().expect("set before the handler").unpark();
    }

    fn body() {
        MAIN.set(thread::current()).expect("only here");
        let (tx, rx) = mpsc::channel::<()>();
        let worker = thread::spawn(move || rx.recv().is_err());
        // SAFETY: the handler stores a flag and unparks, which takes no lock.
        unsafe {
            signal(SIGALRM, ring as extern "C" fn(c_int) as usize);
            alarm(2);
        }
        while !RUNG.load(SeqCst) {
            thread::park();
        }
        drop(tx);
        assert!(worker.join().unwrap());
        assert_eq!(found(), []);
    }
    run("parking::a_signal_may_unpark_a_thread", body).well();
}

#[test]
fn a_thread_parked_by_code_that_is_not_watched_may_go_on() {
    fn body() {
        let parked = Arc::new(OnceLock::new());
        let (tx, rx) = mpsc::channel::<()>();
        let plain = {
            let parked = Arc::clone(&parked);
            std::thread::spawn(move || {
                parked.set(std::thread::current()).expect("only here");
                std::thread::park_timeout(Duration::from_secs(2));
                drop(tx);
            })
        };
        parked.wait();
        assert!(rx.recv().is_err());
        plain.join().unwrap();
        assert_eq!(found(), []);
    }
    run("parking::a_thread_parked_by_code_that_is_not_watched_may_go_on", body).well();
}
