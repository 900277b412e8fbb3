//! The end of all receivers is awaited under the lock that a task needs before it drops the receiver.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;

use tokio::sync::{mpsc, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let (sender, receiver) = mpsc::channel::<u32>(1);
    let other = Arc::clone(&state);
    tokio::spawn(async move {
        *other.lock().await += 1;
        drop(receiver);
    });
    let _held = state.lock().await;
    sender.closed().await;
}
