//! A waiter waits once, whether it was woken or not.
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

struct Signal {
    ready: Mutex<bool>,
    bell: Condvar,
}

fn wait(signal: &Signal) {
    let ready = signal.ready.lock().unwrap();
    if *ready {
        return;
    }
    let ready = signal.bell.wait(ready).unwrap(); // found: condvar-no-loop
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
