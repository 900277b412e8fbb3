//! The cured form of `loud/notify_one_between_two_checks.rs`: a waiter that does not look again
//! after it was woken.
use std::sync::{Condvar, Mutex};

pub struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub fn wait(&self) {
        let mut open = self.open.lock().unwrap();
        loop {
            if *open {
                break;
            }
            open = self.changed.wait(open).unwrap();
        }
    }

    pub fn open(&self) {
        let mut open = self.open.lock().unwrap();
        *open = true;
        self.changed.notify_all();
    }
}

fn main() {
    let gate = Gate { open: Mutex::new(false), changed: Condvar::new() };
    std::thread::scope(|s| {
        s.spawn(|| gate.wait());
        gate.open();
    });
}
