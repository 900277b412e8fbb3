//! A latch that counts down under the lock that the waiters look under.
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

struct Latch {
    left: Mutex<usize>,
    zero: Condvar,
}

impl Latch {
    fn count_down(&self) {
        let mut left = self.left.lock().unwrap();
        *left -= 1;
        if *left == 0 {
            self.zero.notify_all();
        }
    }
    fn wait(&self) {
        let left = self.left.lock().unwrap();
        let _left = self.zero.wait_while(left, |left| *left > 0).unwrap();
    }
}

fn main() {
    let latch = Arc::new(Latch { left: Mutex::new(2), zero: Condvar::new() });
    for _ in 0..2 {
        let latch = latch.clone();
        thread::spawn(move || latch.count_down());
    }
    latch.wait();
}
