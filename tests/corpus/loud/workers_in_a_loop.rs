//! Threads of a loop, and two locks whose order depends on the thread's number.
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let total = Arc::new(Mutex::new(0usize));
    let mut workers = vec![];
    for number in 0..4 {
        let log = log.clone();
        let total = total.clone();
        workers.push(thread::spawn(move || {
            if number % 2 == 0 {
                let mut log = log.lock().unwrap();
                log.push(*total.lock().unwrap()); // found: lock-order
            } else {
                let mut total = total.lock().unwrap();
                *total += log.lock().unwrap().len(); // found: lock-order
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
}
