//! Both sides of a comparison read a local lock while a thread writes it.
use std::sync::{Arc, RwLock};
use std::thread;

fn main() {
    let data = Arc::new(RwLock::new(vec![0, 1]));
    let writer = Arc::clone(&data);
    let t = thread::spawn(move || writer.write().unwrap()[0] = 1);
    while data.read().unwrap()[0] != data.read().unwrap()[1] { // found: recursive-read
        thread::yield_now();
    }
    t.join().unwrap();
}
