//! A reply is awaited under the lock that the task which replies needs.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;

use tokio::sync::{oneshot, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(7));
    let (reply, answer) = oneshot::channel();
    let other = Arc::clone(&state);
    tokio::spawn(async move {
        let _ = reply.send(*other.lock().await);
    });
    let held = state.lock().await;
    assert_eq!(answer.await.unwrap(), *held);
}
