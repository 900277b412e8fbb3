//! The thread is started by a function that gets handles of the locks.
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

type Shared = Arc<Mutex<Vec<u32>>>;

fn start(input: Shared, output: Shared) -> JoinHandle<()> {
    thread::spawn(move || {
        let input = input.lock().unwrap();
        output.lock().unwrap().extend(input.iter()); // found: lock-order
    })
}

fn main() {
    let input = Shared::default();
    let output: Shared = Arc::new(Mutex::new(Vec::new()));
    let input: Shared = Arc::new(Mutex::new(input.lock().unwrap().clone()));
    let worker = start(input.clone(), output.clone());
    {
        let output = output.lock().unwrap();
        input.lock().unwrap().extend(output.iter()); // found: lock-order
    }
    worker.join().unwrap();
}
