//! A bounded pool of connections: one mutex for the count and the waiters.
use std::sync::{Condvar, Mutex};

#[derive(Default)]
struct Inner {
    free: usize,
    waiters: u32,
}

struct Pool {
    inner: Mutex<Inner>,
    returned: Condvar,
}

impl Pool {
    fn checkout(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.waiters += 1;
        while inner.free == 0 {
            inner = self.returned.wait(inner).unwrap();
        }
        inner.waiters -= 1;
        inner.free -= 1;
    }
    fn give_back(&self) {
        self.inner.lock().unwrap().free += 1;
        self.returned.notify_one();
    }
}

fn main() {
    let pool = Pool { inner: Mutex::new(Inner { free: 1, waiters: 0 }), returned: Condvar::new() };
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                pool.checkout();
                pool.give_back();
            });
        }
    });
}
