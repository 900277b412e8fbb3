//! Accounts in an array; a function moves between two, given both ways around by two threads.
use std::sync::{Arc, Mutex};
use std::thread;

fn transfer(from: &Mutex<i64>, to: &Mutex<i64>, amount: i64) {
    let mut from = from.lock().unwrap();
    *to.lock().unwrap() += amount; // found: lock-order
    *from -= amount;
}

fn main() {
    let alice = Arc::new(Mutex::new(100));
    let bob = Arc::new(Mutex::new(100));
    let there = {
        let (alice, bob) = (Arc::clone(&alice), Arc::clone(&bob));
        thread::spawn(move || {
            for _ in 0..10 {
                transfer(&alice, &bob, 1);
            }
        })
    };
    let back = thread::spawn(move || {
        for _ in 0..10 {
            transfer(&bob, &alice, 1);
        }
    });
    there.join().unwrap();
    back.join().unwrap();
}
