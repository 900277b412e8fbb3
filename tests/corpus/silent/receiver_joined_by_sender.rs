//! The cured form of `loud/receiver_joined_by_sender.rs`: a message is handed over under a lock
//! that its receiver takes.
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
        drop(seen);
        if fresh {
            tx.send(n).unwrap();
        }
    }
    drop(tx);
    reader.join().unwrap();
}
