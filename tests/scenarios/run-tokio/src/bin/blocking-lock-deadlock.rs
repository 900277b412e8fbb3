//! Two threads wait for each other's locks, which they have taken as tasks do not.
//!
//! expect: deadlock happened

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::Mutex;

fn nested(outer: Arc<Mutex<u32>>, inner: Arc<Mutex<u32>>) {
    let outer = outer.blocking_lock();
    thread::sleep(Duration::from_millis(50));
    *inner.blocking_lock() += *outer;
}

fn main() {
    let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let one = thread::spawn({
        let (a, b) = (Arc::clone(&a), Arc::clone(&b));
        move || nested(a, b)
    });
    let other = thread::spawn(move || nested(b, a));
    let ends = [one.join().is_err(), other.join().is_err()];
    assert_eq!(ends.iter().filter(|failed| **failed).count(), 1, "the one that closes the cycle ends");
}
