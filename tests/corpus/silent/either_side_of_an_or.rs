//! The sides of a lazy operator have their temporaries dropped each for itself.
use std::sync::{Arc, RwLock};
use std::thread;

fn main() {
    let data = Arc::new(RwLock::new(vec![true, false]));
    for i in 0..2 {
        let data = data.clone();
        thread::spawn(move || data.write().unwrap()[i] = false);
    }
    while data.read().unwrap()[0] || data.read().unwrap()[1] {
        thread::yield_now();
    }
}
