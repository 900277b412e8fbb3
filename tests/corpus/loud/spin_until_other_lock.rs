//! A loop turns without a pause for one lock while it holds another.
use std::sync::{Mutex, TryLockError};

pub struct Pair {
    a: Mutex<u32>,
    b: Mutex<u32>,
}

impl Pair {
    pub fn both(&self) -> u32 {
        let a = self.a.lock().unwrap();
        let b = loop {
            match self.b.try_lock() { // found: try-lock-spin
                Ok(b) => break b,
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Poisoned(error)) => break error.into_inner(),
            }
        };
        *a + *b
    }
}

fn main() {
    println!("{}", Pair { a: Mutex::new(1), b: Mutex::new(2) }.both());
}
