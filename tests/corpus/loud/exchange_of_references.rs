//! A function takes two locks by reference, and is called with them both ways around.
use std::sync::{Mutex, MutexGuard, PoisonError};

fn grab<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn exchange<T>(left: &Mutex<T>, right: &Mutex<T>) {
    let mut first = grab(left);
    let mut second = grab(right);
    std::mem::swap(&mut *first, &mut *second);
}

#[derive(Default)]
pub struct Buffers {
    front: Mutex<Vec<u8>>,
    back: Mutex<Vec<u8>>,
}

impl Buffers {
    pub fn flip(&self) {
        exchange(&self.front, &self.back); // found: lock-order
    }
    pub fn unflip(&self) {
        exchange(&self.back, &self.front); // found: lock-order
    }
}

fn main() {
    let buffers = std::sync::Arc::new(Buffers::default());
    let other = buffers.clone();
    let t = std::thread::spawn(move || other.unflip());
    buffers.flip();
    t.join().unwrap();
}
