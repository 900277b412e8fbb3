//! The end of a task is awaited under a lock that the task needs.
//!
//! expect: deadlock happened

use std::sync::Arc;

use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let held = state.lock().await;
    let task = tokio::spawn(async move { *other.lock().await += 1 });
    let _ = task.await;
    drop(held);
}
