//! The end of a task is awaited after the lock that it needs was released.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let held = state.lock().await;
    let task = tokio::spawn(async move { *other.lock().await += 1 });
    drop(held);
    task.await.unwrap();
}
