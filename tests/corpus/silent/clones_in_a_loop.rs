//! The cured form of `loud/clones_in_a_loop.rs`: threads started in a loop take two locks, and
//! who started them the other way around.
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let total = Arc::new(Mutex::new(0u64));
    let peak = Arc::new(Mutex::new(0u64));
    let mut workers = vec![];
    for n in 0..4 {
        let total = Arc::clone(&total);
        let peak = Arc::clone(&peak);
        workers.push(thread::spawn(move || {
            let mut t = total.lock().unwrap();
            *t += n;
            let mut p = peak.lock().unwrap();
            *p = (*p).max(*t);
        }));
    }
    let t = *total.lock().unwrap();
    println!("{} {}", *peak.lock().unwrap(), t);
    for worker in workers {
        worker.join().unwrap();
    }
}
