//! id: join-holding-told
//! expect: none
//! note: the thread has told that it is done before the lock, which it needs for nothing else, is held around its join

use std::sync::{Arc, Condvar, Mutex};
use std::thread;

fn main() {
    let done = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&done);
    let worker = thread::spawn(move || {
        let (done, changed) = &*other;
        let mut done = done.lock().unwrap();
        *done = true;
        changed.notify_all();
    });
    let (flag, changed) = &*done;
    let mut told = flag.lock().unwrap();
    while !*told {
        told = changed.wait(told).unwrap();
    }
    worker.join().unwrap();
    drop(told);
}
