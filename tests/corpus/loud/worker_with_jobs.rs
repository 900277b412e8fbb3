//! A worker takes two locks for each message, in the other order than who sends it.
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let (jobs, todo) = mpsc::channel::<u32>();
    let worker = thread::spawn(move || {
        for job in todo {
            let b = b2.lock().unwrap();
            *a2.lock().unwrap() += *b + job; // found: lock-order
        }
    });
    for job in 0..3 {
        jobs.send(job).unwrap();
        let a = a.lock().unwrap();
        *b.lock().unwrap() += *a; // found: lock-order
    }
    drop(jobs);
    worker.join().unwrap();
}
