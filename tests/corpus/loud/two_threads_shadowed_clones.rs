//! Two threads with clones under the names of what they are clones of.
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let left = Arc::new(Mutex::new(1));
    let right = Arc::new(Mutex::new(2));
    let first = {
        let left = Arc::clone(&left);
        let right = Arc::clone(&right);
        thread::spawn(move || {
            let l = left.lock().unwrap();
            let r = right.lock().unwrap(); // found: lock-order
            println!("{l} {r}");
        })
    };
    let second = {
        let left = Arc::clone(&left);
        let right = Arc::clone(&right);
        thread::Builder::new()
            .spawn(move || {
                let r = right.lock().unwrap();
                let l = left.lock().unwrap(); // found: lock-order
                println!("{l} {r}");
            })
            .unwrap()
    };
    first.join().unwrap();
    second.join().unwrap();
}
