//! The cured form of `loud/wait_under_other_lock.rs`: a callee waits to be woken under a lock
//! that whoever wakes it takes.
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct Store {
    index: Mutex<Vec<u32>>,
    pending: Mutex<u32>,
    idle: Condvar,
}

impl Store {
    fn wait_idle(&self) {
        let pending = self.pending.lock().unwrap();
        let pending = self.idle.wait_while(pending, |n| *n > 0).unwrap();
        drop(pending);
    }

    fn compact(&self) {
        let mut index = self.index.lock().unwrap();
        index.dedup();
        drop(index);
        self.wait_idle();
    }

    fn finish(&self, item: u32) {
        self.index.lock().unwrap().push(item);
        *self.pending.lock().unwrap() -= 1;
        self.idle.notify_all();
    }
}

fn main() {
    let store = Arc::new(Store::default());
    *store.pending.lock().unwrap() += 1;
    let other = store.clone();
    let t = thread::spawn(move || other.finish(3));
    store.compact();
    t.join().unwrap();
}
