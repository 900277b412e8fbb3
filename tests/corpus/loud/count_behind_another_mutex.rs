//! A bounded pool of connections: the count has a mutex of its own.
use std::sync::{Condvar, Mutex};

struct Pool {
    free: Mutex<usize>,
    waiters: Mutex<u32>,
    returned: Condvar,
}

impl Pool {
    fn checkout(&self) {
        let mut waiters = self.waiters.lock().unwrap();
        *waiters += 1;
        while *self.free.lock().unwrap() == 0 {
            waiters = self.returned.wait(waiters).unwrap(); // found: condvar-unlocked-predicate
        }
        *waiters -= 1;
        *self.free.lock().unwrap() -= 1;
    }
    fn give_back(&self) {
        *self.free.lock().unwrap() += 1;
        self.returned.notify_one(); // found: condvar-unlocked-predicate
    }
}

fn main() {
    let pool = Pool { free: Mutex::new(1), waiters: Mutex::new(0), returned: Condvar::new() };
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                pool.checkout();
                pool.give_back();
            });
        }
    });
}
