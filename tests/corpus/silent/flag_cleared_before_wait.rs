//! The cured form of `loud/flag_cleared_before_wait.rs`: a waiter waits once, whether it was
//! woken or not.
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

struct Signal {
    ready: Mutex<bool>,
    bell: Condvar,
}

fn wait(signal: &Signal) {
    let mut ready = signal.ready.lock().unwrap();
    while !*ready {
        ready = signal.bell.wait(ready).unwrap();
    }
    println!("{ready}");
}

fn main() {
    let signal = Arc::new(Signal { ready: Mutex::new(false), bell: Condvar::new() });
    let other = signal.clone();
    let t = thread::spawn(move || wait(&other));
    *signal.ready.lock().unwrap() = true;
    signal.bell.notify_one();
    t.join().unwrap();
}
