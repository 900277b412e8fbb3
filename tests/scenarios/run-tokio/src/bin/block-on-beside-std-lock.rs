//! A thread blocks under a lock of `std` for a task that does not need it, while a worker waits for the lock.
//!
//! expect: none

use std::sync::{Arc, Mutex};

use tokio::runtime::Builder;

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let held = state.lock().unwrap();
    let needs = runtime.spawn(async move { *other.lock().unwrap() += 1 });
    let task = runtime.spawn(async { tokio::time::sleep(std::time::Duration::from_millis(20)).await });
    runtime.block_on(task).unwrap();
    drop(held);
    runtime.block_on(needs).unwrap();
}
