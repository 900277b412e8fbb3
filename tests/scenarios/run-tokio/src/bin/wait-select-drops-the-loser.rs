//! A task that waits under a lock for one of two messages, of which the second comes.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, Mutex};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let (tx, mut rx) = mpsc::channel::<u8>(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let other = Arc::clone(&state);
    let sends = tokio::spawn(async move {
        *other.lock().await += 1;
        let _ = tx.send(1).await;
    });
    let held = state.lock().await;
    let stops = tokio::spawn(async move { stop.send(()) });
    tokio::select! {
        _ = rx.recv() => {}
        _ = stopped => {}
    }
    drop(held);
    stops.await.unwrap().unwrap();
    sends.await.unwrap();
}
