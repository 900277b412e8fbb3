//! Two locks of a function, taken in opposite orders by it and by a thread with clones of them.
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _b = b2.lock().unwrap();
        let _a = a2.lock().unwrap(); // found: lock-order
    });
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap(); // found: lock-order
    }
    t.join().unwrap();
}
