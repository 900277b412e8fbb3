//! The thread that opens the scope disagrees with the one that it starts there.
use std::sync::{Mutex, RwLock};
use std::thread;

fn main() {
    let names = RwLock::new(vec![String::new()]);
    let count = Mutex::new(0usize);
    thread::scope(|s| {
        let worker = s.spawn(|| {
            let names = names.read().unwrap();
            *count.lock().unwrap() += names.len(); // found: lock-order
        });
        let count = count.lock().unwrap();
        names.write().unwrap().push(count.to_string()); // found: lock-order
        drop(count);
        worker.join().unwrap();
    });
}
