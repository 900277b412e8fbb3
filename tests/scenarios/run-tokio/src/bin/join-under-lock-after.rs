//! As `join-under-lock`, but the task had the lock before.
//!
//! expect: wait-while-holding potential

use std::sync::Arc;

use tokio::sync::{oneshot, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let (done, had) = oneshot::channel();
    let (go, may) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        *other.lock().await += 1;
        done.send(()).unwrap();
        let _ = may.await;
    });
    had.await.unwrap();
    let held = state.lock().await;
    let goes = tokio::spawn(async move { go.send(()) });
    task.await.unwrap();
    drop(held);
    goes.await.unwrap().unwrap();
}
