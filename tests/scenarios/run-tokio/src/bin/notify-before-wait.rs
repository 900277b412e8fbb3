//! A notification that came before the wait, under a lock that the task which notifies had before.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (state, ready) = (Arc::new(Mutex::new(0)), Arc::new(Notify::new()));
    let (other, notifies) = (Arc::clone(&state), Arc::clone(&ready));
    let task = tokio::spawn(async move {
        *other.lock().await += 1;
        notifies.notify_one();
    });
    task.await.unwrap();
    let _held = state.lock().await;
    ready.notified().await;
}
