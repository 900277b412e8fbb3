//! A reader holds a local lock for reading and asks again in a call, with a writer about.
use std::sync::{Arc, RwLock};
use std::thread;

fn sum(values: &RwLock<Vec<u64>>) -> u64 {
    values.read().unwrap().iter().sum()
}

fn main() {
    let values = Arc::new(RwLock::new(vec![1, 2]));
    let writer = {
        let values = values.clone();
        thread::spawn(move || values.write().unwrap().push(3))
    };
    let held = values.read().unwrap();
    println!("{} {}", held.len(), sum(&values)); // found: recursive-read
    drop(held);
    writer.join().unwrap();
}
