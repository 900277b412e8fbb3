//! A waiter that does not look again after it was woken.
use std::sync::{Condvar, Mutex};

pub struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub fn wait(&self) {
        let open = self.open.lock().unwrap();
        if !*open {
            drop(self.changed.wait(open).unwrap()); // found: condvar-no-loop
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
