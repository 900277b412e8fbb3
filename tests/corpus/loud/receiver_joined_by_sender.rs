//! A message is handed over under a lock that its receiver takes.
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

struct State {
    seen: Mutex<Vec<u32>>,
}

fn main() {
    let state = Arc::new(State { seen: Mutex::default() });
    let (tx, rx) = mpsc::sync_channel::<u32>(0);
    let shared = state.clone();
    let reader = thread::spawn(move || {
        for value in rx {
            shared.seen.lock().unwrap().push(value);
        }
    });
    for n in 0..3 {
        let seen = state.seen.lock().unwrap();
        let fresh = !seen.contains(&n);
        if fresh {
            tx.send(n).unwrap(); // found: guard-across-blocking
        }
    }
    drop(tx);
    reader.join().unwrap();
}
