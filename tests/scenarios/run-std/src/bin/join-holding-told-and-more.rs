//! id: join-holding-told-and-more
//! expect: deadlock happened
//! accept: wait-while-holding happened
//! note: the thread takes the lock once more after it has told that it is done

use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Lets the other thread go on.
fn pause() {
    thread::sleep(std::time::Duration::from_millis(20));
}

fn main() {
    let done = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&done);
    let worker = thread::spawn(move || {
        let (done, changed) = &*other;
        let mut done = done.lock().unwrap();
        *done = true;
        changed.notify_all();
        drop(done);
        pause();
        drop(other.0.lock().unwrap());
    });
    let (flag, changed) = &*done;
    let mut told = flag.lock().unwrap();
    while !*told {
        told = changed.wait(told).unwrap();
    }
    let _ = worker.join();
    drop(told);
}
