//! A broadcast message is awaited under the lock that the sending task needs.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;

use tokio::sync::{broadcast, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(7));
    let (sender, mut receiver) = broadcast::channel(1);
    let other = Arc::clone(&state);
    tokio::spawn(async move {
        let _ = sender.send(*other.lock().await);
    });
    let held = state.lock().await;
    assert_eq!(receiver.recv().await.unwrap(), *held);
}
