//! A future that keeps a lock of `std` across an `.await` has its only thread poll a task that needs the lock.
//!
//! expect: deadlock happened
//! accept: double-lock happened

use std::sync::{Arc, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let held = state.lock().unwrap();
    let task = tokio::spawn(async move { *other.lock().unwrap() += 1 });
    let _ = task.await;
    drop(held);
}
