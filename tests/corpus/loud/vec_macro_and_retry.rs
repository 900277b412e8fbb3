//! Several invocations of one macro in a function, each for a lock.
use std::sync::Mutex;

macro_rules! locked {
    ($lock:expr) => {
        $lock.lock().unwrap_or_else(|error| error.into_inner())
    };
}

pub struct Ring {
    head: Mutex<usize>,
    slots: Mutex<Vec<u8>>,
}

impl Ring {
    pub fn put(&self, byte: u8) {
        let mut head = locked!(self.head);
        locked!(self.slots)[*head] = byte; // found: lock-order
        *head += 1;
    }
    pub fn clear(&self) {
        let mut slots = locked!(self.slots);
        *locked!(self.head) = 0; // found: lock-order
        slots.fill(0);
    }
}

fn main() {
    let ring = Ring { head: Mutex::new(0), slots: Mutex::new(vec![0; 8]) };
    std::thread::scope(|s| {
        s.spawn(|| ring.put(1));
        ring.clear();
    });
}
