//! Handles out of a vector, by constants, in opposite orders.
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let shelves: Vec<Arc<Mutex<u32>>> = (0..3).map(|n| Arc::new(Mutex::new(n))).collect();
    let first = Arc::clone(&shelves[0]);
    let last = Arc::clone(&shelves[2]);
    let mover = thread::spawn(move || {
        let mut from = first.lock().unwrap();
        let mut to = last.lock().unwrap(); // found: lock-order
        *to += *from;
        *from = 0;
    });
    let last = shelves[2].lock().unwrap();
    let first = shelves[0].lock().unwrap(); // found: lock-order
    println!("{}", *first + *last);
    drop((first, last));
    mover.join().unwrap();
}
