//! A latch that counts down without the lock that the waiters look under.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

struct Latch {
    left: AtomicUsize,
    gate: Mutex<()>,
    zero: Condvar,
}

impl Latch {
    fn count_down(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 { // found: condvar-unlocked-predicate
            self.zero.notify_all(); // found: condvar-unlocked-predicate
        }
    }
    fn wait(&self) {
        let gate = self.gate.lock().unwrap();
        let _gate = self.zero.wait_while(gate, |_| self.left.load(Ordering::Acquire) > 0).unwrap(); // found: condvar-unlocked-predicate
    }
}

fn main() {
    let latch = Arc::new(Latch { left: AtomicUsize::new(2), gate: Mutex::new(()), zero: Condvar::new() });
    for _ in 0..2 {
        let latch = latch.clone();
        thread::spawn(move || latch.count_down());
    }
    latch.wait();
}
