//! Two values of one type have handles of the same two locks, in their two orders.
use std::sync::{Arc, Mutex};
use std::thread;

struct Replicator {
    source: Arc<Mutex<Vec<u64>>>,
    target: Arc<Mutex<Vec<u64>>>,
}

impl Replicator {
    fn copy(&self) {
        let source = self.source.lock().unwrap();
        let mut target = self.target.lock().unwrap(); // found: lock-order
        target.clear();
        target.extend_from_slice(&source);
    }
}

fn main() {
    let east = Arc::new(Mutex::new(vec![1, 2]));
    let west = Arc::new(Mutex::new(vec![3]));
    let forth = Replicator { source: east.clone(), target: west.clone() };
    let back = Replicator { source: west, target: east };
    let t = thread::spawn(move || forth.copy());
    back.copy();
    t.join().unwrap();
}
