//! The cured form of `loud/try_what_it_holds.rs`: a loop tries a lock that the function itself
//! holds.
use std::sync::Mutex;
use std::thread;

pub struct Slot {
    value: Mutex<Option<u32>>,
}

impl Slot {
    pub fn put(&self, value: u32) {
        let current = self.value.lock().unwrap();
        if current.is_none() {
            drop(current);
            loop {
                if let Ok(mut slot) = self.value.try_lock() {
                    *slot = Some(value);
                    break;
                }
                thread::yield_now();
            }
        }
    }
}

fn main() {
    Slot { value: Mutex::new(None) }.put(3);
}
