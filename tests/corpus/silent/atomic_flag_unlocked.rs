//! The cured form of `loud/atomic_flag_unlocked.rs`: a flag that waiters look at is set without
//! their mutex.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

struct Flusher {
    stopping: AtomicBool,
    pending: Mutex<Vec<u8>>,
    wake: Condvar,
}

impl Flusher {
    fn run(&self) {
        let mut pending = self.pending.lock().unwrap();
        while !self.stopping.load(Ordering::SeqCst) {
            pending.clear();
            pending = self.wake.wait(pending).unwrap();
        }
    }

    fn stop(&self) {
        let _pending = self.pending.lock().unwrap();
        self.stopping.store(true, Ordering::SeqCst);
        self.wake.notify_all();
    }
}

fn main() {
    let flusher = Arc::new(Flusher { stopping: AtomicBool::new(false), pending: Mutex::default(), wake: Condvar::new() });
    let worker = thread::spawn({
        let flusher = flusher.clone();
        move || flusher.run()
    });
    flusher.stop();
    worker.join().unwrap();
}
