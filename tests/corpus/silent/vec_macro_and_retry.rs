//! The cured form of `loud/vec_macro_and_retry.rs`: several invocations of one macro in a
//! function, each for a lock.
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
        locked!(self.slots)[*head] = byte;
        *head += 1;
    }
    pub fn clear(&self) {
        *locked!(self.head) = 0;
        locked!(self.slots).fill(0);
    }
}

fn main() {
    let ring = Ring { head: Mutex::new(0), slots: Mutex::new(vec![0; 8]) };
    std::thread::scope(|s| {
        s.spawn(|| ring.put(1));
        ring.clear();
    });
}
