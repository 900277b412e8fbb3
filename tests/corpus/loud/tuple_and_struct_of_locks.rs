//! The pair of locks lives in a tuple behind one handle.
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let pair = Arc::new((Mutex::new(0u8), Mutex::new(0u8)));
    let theirs = Arc::clone(&pair);
    let t = thread::spawn(move || {
        let one = theirs.1.lock().unwrap();
        let two = theirs.0.lock().unwrap(); // found: lock-order
        println!("{}", *one + *two);
    });
    let one = pair.0.lock().unwrap();
    let two = pair.1.lock().unwrap(); // found: lock-order
    println!("{}", *one + *two);
    drop(two);
    drop(one);
    t.join().unwrap();
}
