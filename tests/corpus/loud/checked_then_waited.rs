//! A predicate is looked at, the mutex let go, and then waited for once.
use std::sync::{Arc, Condvar, Mutex};

struct Latch {
    open: Mutex<bool>,
    signal: Condvar,
}

impl Latch {
    fn is_open(&self) -> bool {
        *self.open.lock().unwrap()
    }
    fn pass(&self) {
        if !self.is_open() {
            let open = self.open.lock().unwrap();
            let _open = self.signal.wait(open).unwrap(); // found: condvar-no-loop
        }
    }
    fn release(&self) {
        *self.open.lock().unwrap() = true;
        self.signal.notify_all();
    }
}

fn main() {
    let latch = Arc::new(Latch { open: Mutex::new(false), signal: Condvar::new() });
    let other = Arc::clone(&latch);
    let t = std::thread::spawn(move || other.release());
    latch.pass();
    println!("{}", latch.is_open());
    t.join().unwrap();
}
