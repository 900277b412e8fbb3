//! The cured form of `loud/dining_philosophers.rs`: each thread takes an element of a vector
//! and its neighbour, around in a ring.
use std::sync::{Arc, Mutex};
use std::thread;

const SEATS: usize = 5;

fn main() {
    let forks: Vec<Arc<Mutex<()>>> = (0..SEATS).map(|_| Arc::new(Mutex::new(()))).collect();
    let mut threads = Vec::new();
    for seat in 0..SEATS {
        let other = (seat + 1) % SEATS;
        let left = forks[seat.min(other)].clone();
        let right = forks[seat.max(other)].clone();
        threads.push(thread::spawn(move || {
            for _ in 0..100 {
                let _left = left.lock().unwrap();
                let _right = right.lock().unwrap();
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}
