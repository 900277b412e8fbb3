//! As `wait-reply-under-lock`, but for a while only.
//!
//! expect: none

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, Mutex};
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(7));
    let (reply, answer) = oneshot::channel();
    let other = Arc::clone(&state);
    let replies = tokio::spawn(async move {
        let _ = reply.send(*other.lock().await);
    });
    let held = state.lock().await;
    assert!(timeout(Duration::from_millis(20), answer).await.is_err());
    drop(held);
    replies.await.unwrap();
}
