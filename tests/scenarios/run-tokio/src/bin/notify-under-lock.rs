//! A notification is awaited under the lock that the task which notifies needs.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (state, ready) = (Arc::new(Mutex::new(0)), Arc::new(Notify::new()));
    let (other, notifies) = (Arc::clone(&state), Arc::clone(&ready));
    tokio::spawn(async move {
        *other.lock().await += 1;
        notifies.notify_one();
    });
    let _held = state.lock().await;
    ready.notified().await;
}
