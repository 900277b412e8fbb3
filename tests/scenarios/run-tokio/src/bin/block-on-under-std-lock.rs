//! A thread blocks under a lock of `std` for a task that needs it, and so blocks a worker.
//!
//! expect: deadlock happened

use std::sync::{Arc, Mutex};

use tokio::runtime::Builder;

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let held = state.lock().unwrap();
    let task = runtime.spawn(async move { *other.lock().unwrap() += 1 });
    let _ = runtime.block_on(task);
    drop(held);
}
