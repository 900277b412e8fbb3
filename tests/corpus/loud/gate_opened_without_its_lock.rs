//! A one-shot gate: opened by the main thread, awaited by workers.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

struct Gate {
    open: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Gate {
    fn open(&self) {
        self.open.store(true, Ordering::Release);
        self.changed.notify_all(); // found: condvar-unlocked-predicate
    }
    fn pass(&self) {
        let mut guard = self.lock.lock().unwrap();
        while !self.open.load(Ordering::Acquire) {
            guard = self.changed.wait(guard).unwrap(); // found: condvar-unlocked-predicate
        }
        drop(guard);
    }
}

fn main() {
    let gate = Arc::new(Gate { open: AtomicBool::new(false), lock: Mutex::new(()), changed: Condvar::new() });
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let gate = gate.clone();
            thread::spawn(move || gate.pass())
        })
        .collect();
    gate.open();
    for w in workers {
        w.join().unwrap();
    }
}
